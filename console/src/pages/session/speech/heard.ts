/** What was said to a session, and what became of the words that it spoke: read from events, kept in books. Pure. */

export const BECAME = ['query', 'watch', 'not_addressed', 'echo', 'noise', 'filler', 'refused'] as const;
export type Became = (typeof BECAME)[number];

/** What was said. Partial, `became` is null and the words may still change. */
export interface Heard {
  readonly id: string;
  readonly text: string;
  readonly became: Became | null;
  readonly atMs: number;
}

export type SpeechState = 'started' | 'ended' | 'interrupted' | 'dropped';

/** What became of words that were to be spoken aloud. */
export interface SpeechMark {
  readonly utterance: string;
  readonly state: SpeechState;
  readonly text: string;
  /** The part that was spoken. */
  readonly heard: string;
  readonly cause: string;
}

export const MOST_HEARD = 200;
const STATES: readonly string[] = ['started', 'ended', 'interrupted', 'dropped'];

/** A transcript event, `vigil.transcript.partial` or `.final`; null for what is none. */
export function heard(event: unknown): Heard | null {
  const found = cloudEvent(event, 'vigil.transcript.');
  if (found === null) return null;
  const { data, kind, time } = found;
  const became = kind === 'final' ? (BECAME.find((known) => known === data.became) ?? 'noise') : null;
  const atMs = Date.parse(text(data.end_time) || time);
  return { id: text(data.transcript), text: text(data.text), became, atMs };
}

/** An event of what the session speaks, `vigil.speech.…`; null for what is none. */
export function speechMark(event: unknown): SpeechMark | null {
  const found = cloudEvent(event, 'vigil.speech.');
  if (found === null || !STATES.includes(found.kind)) return null;
  const { data } = found;
  return {
    utterance: text(data.utterance),
    state: found.kind as SpeechState,
    text: text(data.text),
    heard: text(data.heard),
    cause: text(data.cause),
  };
}

/** The final ones with one more. */
export function withHeard(held: readonly Heard[], told: Heard): readonly Heard[] {
  if (told.became === null || told.text === '' || held.some((other) => other.id === told.id)) return held;
  return [...held, told].slice(-MOST_HEARD);
}

/** The partial one that is shown: the newest, until its final one is there. */
export function partialAfter(shown: Heard | null, told: Heard, finals: readonly Heard[]): Heard | null {
  if (told.became !== null) return shown?.id === told.id ? null : shown;
  return finals.some((other) => other.id === told.id) ? shown : told;
}

/** The turn whose words an utterance is; null for other words, such as those of an alert. */
export function turnOf(utterance: string): number | null {
  const found = /\.utterance\.\d+\.(\d{1,15})$/.exec(utterance);
  return found === null ? null : Number(found[1]);
}

/** Whether an exchange of the dialogue is what was said: all of it, or what followed the wake phrase. */
export function isOf(said: Heard, query: string): boolean {
  return said.became === 'query' && query !== '' && (said.text === query || said.text.endsWith(query));
}

function cloudEvent(
  event: unknown,
  prefix: string,
): { kind: string; time: string; data: Record<string, unknown> } | null {
  if (!isObject(event) || !isObject(event.data)) return null;
  const type = text(event.type);
  return type.startsWith(prefix) ? { kind: type.slice(prefix.length), time: text(event.time), data: event.data } : null;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
