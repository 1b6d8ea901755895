/**
 * The turns of one session that the page holds: ordered by sequence, without doubles, bounded.
 *
 * Live turns come at the end; older ones are read page by page when somebody scrolls back. When the bound is reached, the
 * oldest turns make way for live ones (they can be read again), and no older page is taken.
 */

import type { Turn } from './turn';

/** Five and a half hours at one turn a second; about 12 MB. */
export const MOST_TURNS = 20_000;

export interface Timeline {
  /** Oldest first. */
  readonly turns: readonly Turn[];
  /** Whether the server has nothing older than the first turn. */
  readonly isWhole: boolean;
}

export const EMPTY: Timeline = { turns: [], isWhole: false };

/** The timeline with live turns; a turn that it has is replaced. */
export function withLive(timeline: Timeline, turns: readonly Turn[], most = MOST_TURNS): Timeline {
  const merged = merge(timeline.turns, turns);
  const kept = merged.slice(Math.max(0, merged.length - most));
  return { turns: kept, isWhole: timeline.isWhole && kept.length === merged.length };
}

/** The timeline with an older page; `isLast` says that the server has nothing older. */
export function withOlder(timeline: Timeline, page: readonly Turn[], isLast: boolean): Timeline {
  return { turns: merge(timeline.turns, page), isWhole: isLast };
}

/** Whether an older page may be read: there is one, and there is room for it. */
export function canLoadOlder(timeline: Timeline, most = MOST_TURNS): boolean {
  return !timeline.isWhole && timeline.turns.length > 0 && timeline.turns.length < most;
}

/** The place of the turn with this sequence, or -1. */
export function indexOf(turns: readonly Turn[], sequence: number): number {
  const index = lowerBound(turns, (turn) => turn.sequence >= sequence);
  return turns[index]?.sequence === sequence ? index : -1;
}

/** The turn with this sequence, if it is held. */
export function turnAt(timeline: Timeline, sequence: number): Turn | undefined {
  return timeline.turns[indexOf(timeline.turns, sequence)];
}

/** The turn whose time is nearest to `timeS`. */
export function nearest(turns: readonly Turn[], timeS: number): Turn | undefined {
  const index = lowerBound(turns, (turn) => turn.time_s >= timeS);
  const [before, after] = [turns[index - 1], turns[index]];
  if (before === undefined || after === undefined) return before ?? after;
  return timeS - before.time_s < after.time_s - timeS ? before : after;
}

/** The turns from `fromS` to `toS` and one more on each side, so that a line drawn through them leaves the view. */
export function between(turns: readonly Turn[], fromS: number, toS: number): readonly Turn[] {
  const first = lowerBound(turns, (turn) => turn.time_s >= fromS);
  const last = lowerBound(turns, (turn) => turn.time_s > toS);
  return turns.slice(Math.max(0, first - 1), last + 1);
}

/** When the session's model time began, in milliseconds since 1970: capture time less model time. */
export function beginMs(turn: Turn): number {
  return Date.parse(turn.capture_time) - turn.time_s * 1_000;
}

function merge(held: readonly Turn[], more: readonly Turn[]): readonly Turn[] {
  const ordered = [...more].sort((left, right) => left.sequence - right.sequence);
  const [first, last] = [ordered[0], held[held.length - 1]];
  if (first === undefined) return held;
  if (last === undefined || last.sequence < first.sequence) return [...held, ...unique(ordered)];
  return unique([...held, ...ordered].sort((left, right) => left.sequence - right.sequence));
}

/** Of turns with the same sequence the last one: sorting is stable, so it is the newer copy. */
function unique(ordered: readonly Turn[]): readonly Turn[] {
  return ordered.filter((turn, index) => ordered[index + 1]?.sequence !== turn.sequence);
}

/** The first index for which `holds`, which is false up to there and true from there on. */
function lowerBound(turns: readonly Turn[], holds: (turn: Turn) => boolean): number {
  let [low, high] = [0, turns.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const turn = turns[middle];
    if (turn !== undefined && holds(turn)) high = middle;
    else low = middle + 1;
  }
  return low;
}
