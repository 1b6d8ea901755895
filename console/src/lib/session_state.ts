/** What a session is doing, in the one word that the wall and the session page show. Pure. */

export type State = 'live' | 'starting' | 'waiting' | 'reconnecting' | 'stalled' | 'capacity' | 'ended';
export type Tone = 'good' | 'plain' | 'warning' | 'critical';

export const TONES: Record<State, Tone> = {
  live: 'good',
  starting: 'plain',
  waiting: 'plain',
  reconnecting: 'warning',
  stalled: 'critical',
  capacity: 'warning',
  ended: 'plain',
};

// Those that need somebody stand before those that do not.
const URGENCY: readonly State[] = ['stalled', 'reconnecting', 'capacity', 'waiting', 'starting', 'live', 'ended'];

/** 0 is the most urgent. */
export function urgency(state: State): number {
  return URGENCY.indexOf(state);
}

/** The state of a word that the API used; a word that is new here counts as live, for the session goes on. */
export function stateOf(word: string): State {
  return URGENCY.find((state) => state === word) ?? 'live';
}
