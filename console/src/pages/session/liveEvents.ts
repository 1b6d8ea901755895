/** The session's live events, read into what the page holds. What cannot be read is null and is passed over. */

import type { AlertMark, Happening } from './conversation';
import type { Artefact, TaskState, TaskWord } from './tasks';

interface CloudEvent {
  id: string;
  type: string;
  time: string;
  data: Record<string, unknown>;
}

/** An alert event: `vigil.alert.opened`, `.updated` or `.closed`. Acknowledged and muted change no frame: null. */
export function alertMark(event: unknown): AlertMark | null {
  const found = cloudEvent(event);
  const state = found?.type.replace('vigil.alert.', '');
  if (found === null || (state !== 'opened' && state !== 'updated' && state !== 'closed')) return null;
  const { data } = found;
  return {
    id: text(data.alert_id),
    state,
    watch: text(data.watch),
    severity: text(data.severity),
    text: text(data.text),
    sequence: number(data.decision_sequence),
    atMs: Date.parse(text(data.capture_time) || found.time),
  };
}

/** What the brain's events say of a task's state. */
const TASK_STATES: Readonly<Record<string, TaskState>> = {
  started: 'running',
  progress: 'running',
  ready: 'ready',
  error: 'error',
  cancelled: 'cancelled',
};

/** A delegation event: a task opened or closed in the conversation, or what the brain says of it. */
export function task(event: unknown): TaskWord | null {
  const found = cloudEvent(event);
  if (found === null) return null;
  const kind = found.type.replace('vigil.delegation.', '');
  const atMs = Date.parse(found.time);
  const { data } = found;
  if (kind === 'opened' || kind === 'closed') return conversationWord(kind, data, atMs);
  const state = TASK_STATES[kind];
  if (state === undefined) return null;
  const told = { id: text(data.task), state, brain: text(data.brain), text: text(data.text) };
  const isEnd = state !== 'running';
  return { ...told, ...(isEnd ? { artefacts: artefacts(data.artefacts), endedMs: atMs } : {}) };
}

function conversationWord(kind: 'opened' | 'closed', data: Record<string, unknown>, atMs: number): TaskWord {
  const told = { id: text(data.task), question: text(data.question), note: text(data.note) };
  if (kind === 'opened') return { ...told, sequence: number(data.decision_sequence), openedMs: atMs };
  return { ...told, outcome: text(data.outcome), result: text(data.result), endedMs: atMs };
}

function artefacts(told: unknown): readonly Artefact[] {
  if (!Array.isArray(told)) return [];
  return told.filter(isObject).map((artefact, index) => ({
    index,
    name: text(artefact.name),
    mediaType: text(artefact.media_type),
    size: Math.max(0, number(artefact.size)),
  }));
}

/** What happened to the session, in one word and a sentence. */
export function happening(event: unknown): Happening | null {
  const found = cloudEvent(event);
  if (found === null || !found.type.startsWith('vigil.session.')) return null;
  return {
    id: found.id,
    event: found.type.replace('vigil.session.', ''),
    reason: text(found.data.reason),
    atMs: Date.parse(found.time),
  };
}

/** A role's newest word about the session, from a `status` event or the session's detail. */
export interface RoleStatus {
  readonly role: string;
  readonly state: string;
  readonly detail: string;
  readonly fault: string;
  readonly cause: string;
}

/** The way that a picture takes. */
const ORDER = ['ingestion', 'codec', 'interaction', 'asr', 'tts'];

export function roles(status: unknown): readonly RoleStatus[] {
  if (!isObject(status)) return [];
  const inOrder = Object.entries(status).sort(([left], [right]) => ORDER.indexOf(left) - ORDER.indexOf(right));
  return inOrder.map(([role, said]) => {
    const fields = isObject(said) ? said : { state: said };
    const [state, detail] = [text(fields.state), text(fields.detail)];
    return { role, state, detail, fault: text(fields.fault), cause: text(fields.cause) };
  });
}

function cloudEvent(event: unknown): CloudEvent | null {
  if (!isObject(event) || !isObject(event.data)) return null;
  return { id: text(event.id), type: text(event.type), time: text(event.time), data: event.data };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function number(value: unknown): number {
  return typeof value === 'number' ? value : -1;
}
