/** The turns around an alert, played like a film: which turns they are, which one is shown, and when the next comes. */

import type { Turn } from '../session/turn';

/** So many turns before the one that opened the alert, and after it. */
export const AROUND = 10;
const LAST_SHOWN_MS = 1_000;
const LONGEST_MS = 3_000;

export interface Replay {
  /** Oldest first; what is not kept any more is left out. */
  readonly turns: readonly Turn[];
  readonly index: number;
  readonly playing: boolean;
}

/** The page of `/turns` that holds them: `before` is exclusive. */
export function pageAround(sequence: number): { before: number; limit: number } {
  const first = Math.max(0, sequence - AROUND);
  const before = sequence + AROUND + 1;
  return { before, limit: before - first };
}

/** A replay that begins at the turn that opened the alert, or at the nearest one that is kept. */
export function replay(turns: readonly Turn[], sequence: number): Replay {
  const around = turns
    .filter((turn) => Math.abs(turn.sequence - sequence) <= AROUND)
    .sort((left, right) => left.sequence - right.sequence);
  const index = around.findIndex((turn) => turn.sequence >= sequence);
  return { turns: around, index: index < 0 ? Math.max(0, around.length - 1) : index, playing: false };
}

/** The film read anew, at the turn that the one before it showed. */
export function withMore(before: Replay | null, now: Replay): Replay {
  const shown = before?.turns[before.index]?.sequence;
  const index = now.turns.findIndex((turn) => turn.sequence === shown);
  return index < 0 ? now : { ...now, index, playing: before?.playing ?? false };
}

/** From the beginning when it stands at its end. */
export function started(film: Replay): Replay {
  const isOver = film.index >= film.turns.length - 1;
  return { ...film, index: isOver ? 0 : film.index, playing: film.turns.length > 1 };
}

export function paused(film: Replay): Replay {
  return { ...film, playing: false };
}

/** The next turn; behind the last one it stops. */
export function advanced(film: Replay): Replay {
  const last = film.turns.length - 1;
  return film.index >= last ? { ...film, playing: false } : { ...film, index: film.index + 1 };
}

/** Another turn, chosen by hand: it stays there. */
export function sought(film: Replay, index: number): Replay {
  return { ...film, index: Math.min(film.turns.length - 1, Math.max(0, index)), playing: false };
}

/** For how long the shown turn stays: as long as it lasted, at most three seconds. */
export function shownMs(film: Replay): number {
  const [now, next] = [film.turns[film.index], film.turns[film.index + 1]];
  if (now === undefined || next === undefined) return LAST_SHOWN_MS;
  return Math.min(LONGEST_MS, Math.max(0, (next.time_s - now.time_s) * 1_000));
}

/** How many of the turns around the alert are not there: they were never decided, or are not kept any more. */
export function missing(film: Replay, sequence: number): number {
  return Math.max(0, pageAround(sequence).limit - film.turns.length);
}
