/**
 * Delegated questions as the page holds them: what the list of the API says, and what live events have said since.
 *
 * Two tell of a task: interaction says that it opened and closed, the brain says how far it is. A task never goes back
 * from its end: what is read later may be older than what an event has said.
 */

import type { components } from '../../lib/api/schema';

export type TaskOut = components['schemas']['TaskOut'];
export type TaskState = TaskOut['state'];

export interface Artefact {
  /** Its number within the task, which its address has. */
  readonly index: number;
  readonly name: string;
  readonly mediaType: string;
  readonly size: number;
}

export interface Task {
  readonly id: string;
  readonly question: string;
  /** What the model said when it delegated the question. */
  readonly note: string;
  readonly state: TaskState;
  /** The brain that works on it; empty until one has taken it. */
  readonly brain: string;
  /** What the brain said last: how far it is, what it found, or why nothing was found. */
  readonly text: string;
  readonly artefacts: readonly Artefact[];
  /** How the conversation closed it; null while it is open there. */
  readonly outcome: string | null;
  /** What was told to the model. */
  readonly result: string;
  /** The turn that delegated it, -1 where that is not known. */
  readonly sequence: number;
  readonly openedMs: number;
  /** Null while it goes on. */
  readonly endedMs: number | null;
}

/** What one event or one record says of a task: what it does not say stays as it is. */
export type TaskWord = Pick<Task, 'id'> & Partial<Task>;

const ENDED: ReadonlySet<TaskState> = new Set(['ready', 'error', 'cancelled']);
const UNTOLD: Omit<Task, 'id'> = {
  question: '',
  note: '',
  state: 'queued',
  brain: '',
  text: '',
  artefacts: [],
  outcome: null,
  result: '',
  sequence: -1,
  openedMs: 0,
  endedMs: null,
};

/** Whether the brain has ended with it. */
export function isEnded(task: Task): boolean {
  return ENDED.has(task.state);
}

/** Whether somebody still waits for it: it may be cancelled. */
export function isInFlight(task: Task): boolean {
  return task.outcome === null && !isEnded(task);
}

/** How it stands, in one word: how the conversation closed it, else what the brain says. */
export function standing(task: Task): string {
  return task.outcome ?? task.state;
}

export type Tone = 'plain' | 'good' | 'info' | 'warning' | 'critical';

/** The colour of how it stands. */
export function tone(task: Task): Tone {
  const tones: Readonly<Record<string, Tone>> = {
    queued: 'info',
    running: 'info',
    waiting_approval: 'warning',
    ready: 'good',
    answered: 'good',
    error: 'critical',
    failed: 'critical',
    expired: 'warning',
  };
  return tones[standing(task)] ?? 'plain';
}

/** What there is to read of it: what the model was told, else what the brain said last. */
export function words(task: Task): string {
  return task.result || task.text;
}

/** The tasks with this word taken in; oldest first. */
export function withTask(tasks: readonly Task[], told: TaskWord | null): readonly Task[] {
  if (told === null || told.id === '') return tasks;
  const place = tasks.findIndex((task) => task.id === told.id);
  const held = tasks[place];
  if (held === undefined)
    return [...tasks, { ...UNTOLD, ...told }].sort((left, right) => left.openedMs - right.openedMs);
  return tasks.map((task, index) => (index === place ? after(held, told) : task));
}

function after(held: Task, told: TaskWord): Task {
  const isOlder = isEnded(held) && told.state !== undefined && !ENDED.has(told.state);
  const { state: _state, text: _text, artefacts: _artefacts, endedMs: _endedMs, ...rest } = told;
  const next = { ...held, ...(isOlder ? rest : told) };
  return { ...next, openedMs: held.openedMs || next.openedMs, endedMs: held.endedMs ?? next.endedMs };
}

/** What the list of the API says of a task. */
export function ofRecord(record: TaskOut): TaskWord {
  return {
    id: record.id,
    question: record.question,
    note: record.note,
    state: record.state,
    brain: record.brain,
    text: record.text,
    artefacts: record.artefacts.map(({ index, name, media_type: mediaType, size }) => ({
      index,
      name,
      mediaType,
      size,
    })),
    sequence: record.sequence,
    ...(record.opened_at === null ? {} : { openedMs: Date.parse(record.opened_at) }),
    endedMs: record.ended_at === null ? null : Date.parse(record.ended_at),
  };
}

export type Shown = 'page' | 'picture' | 'file';

/** How an artefact is shown: a page in a sandbox, a picture as it is; everything else is downloaded. */
export function shownAs(artefact: Artefact): Shown {
  if (artefact.mediaType === 'text/html') return 'page';
  return ['image/png', 'image/jpeg', 'image/webp'].includes(artefact.mediaType) ? 'picture' : 'file';
}

export function artefactPath(session: string, task: string, artefact: Artefact): string {
  const [of, id] = [encodeURIComponent(session), encodeURIComponent(task)];
  return `/v1/sessions/${of}/tasks/${id}/artefacts/${artefact.index}`;
}
