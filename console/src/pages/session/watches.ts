/** A watch as a person types it, checked as the API checks it, and what changed of it. */

export type Severity = 'info' | 'warning' | 'critical';

export const SEVERITIES: readonly Severity[] = ['info', 'warning', 'critical'];

/** What the API takes. */
export interface WatchIn {
  name: string | null;
  text: string;
  severity: Severity;
  hold_s: number;
  cooldown_s: number;
  update_interval_s: number;
  confirm_s: number;
  /** Name of the brain that answers what is delegated under it; empty: the session's. */
  brain: string;
}

/** What the API tells. */
export interface WatchOut extends WatchIn {
  id: string;
  name: string;
  pending: boolean;
  given_at: number | null;
}

/** The fields of the form: numbers are texts while somebody types. */
export interface WatchDraft {
  name: string;
  text: string;
  severity: Severity;
  hold: string;
  cooldown: string;
  update: string;
  confirm: string;
  brain: string;
}

export type DraftFault = 'text_missing' | 'text_long' | 'name_wrong' | 'seconds_wrong' | 'update_wrong' | 'brain_wrong';
export type DraftFaults = Partial<Record<keyof WatchDraft, DraftFault>>;

const DAY_S = 86_400;
const MAX_TEXT = 2_000;
const NAME = /^[A-Za-z0-9_-]{1,64}$/;

export const NEW_WATCH: WatchDraft = {
  name: '',
  text: '',
  severity: 'warning',
  hold: '5',
  cooldown: '30',
  update: '10',
  confirm: '0',
  brain: '',
};

export function draftOf(watch: WatchOut): WatchDraft {
  return {
    name: watch.name,
    text: watch.text,
    severity: watch.severity,
    hold: String(watch.hold_s),
    cooldown: String(watch.cooldown_s),
    update: String(watch.update_interval_s),
    confirm: String(watch.confirm_s),
    brain: watch.brain,
  };
}

/** What is wrong with the draft, field by field; empty when it can be sent. */
export function faults(draft: WatchDraft): DraftFaults {
  const found: DraftFaults = {};
  if (draft.text.trim() === '') found.text = 'text_missing';
  else if (draft.text.length > MAX_TEXT) found.text = 'text_long';
  if (draft.name !== '' && !NAME.test(draft.name)) found.name = 'name_wrong';
  if (!isBrainName(draft.brain)) found.brain = 'brain_wrong';
  for (const field of ['hold', 'cooldown', 'confirm'] as const) {
    const value = seconds(draft[field]);
    if (!(value >= 0 && value <= DAY_S)) found[field] = 'seconds_wrong';
  }
  const update = seconds(draft.update);
  if (!(update > 0 && update <= DAY_S)) found.update = 'update_wrong';
  return found;
}

/** Whether a brain may be called so; empty names none. */
export function isBrainName(name: string): boolean {
  return name.trim() === '' || NAME.test(name.trim());
}

/** Whether nothing was typed into the draft: the form of a new session then has no such watch. */
export function isEmpty(draft: WatchDraft): boolean {
  return draft.text.trim() === '' && draft.name === '';
}

/** The draft as the API takes it. Ask `faults` first. */
export function watchIn(draft: WatchDraft): WatchIn {
  return {
    name: draft.name === '' ? null : draft.name,
    text: draft.text.trim(),
    severity: draft.severity,
    hold_s: seconds(draft.hold),
    cooldown_s: seconds(draft.cooldown),
    update_interval_s: seconds(draft.update),
    confirm_s: seconds(draft.confirm),
    brain: draft.brain.trim(),
  };
}

/** Whether the draft differs from the watch that stands. */
export function isChanged(draft: WatchDraft, watch: WatchOut): boolean {
  const [now, before] = [watchIn(draft), watchIn(draftOf(watch))];
  return (Object.keys(now) as (keyof WatchIn)[]).some((field) => now[field] !== before[field]);
}

/** NaN for what is no number: an empty text would be 0. */
function seconds(text: string): number {
  return text.trim() === '' ? Number.NaN : Number(text);
}
