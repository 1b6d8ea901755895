/** What a session costs and how quick it is: latency of replies, tokens, and the share that the prefix cache served. */

import type { Turn } from './turn';

export interface Figures {
  /** Capture to decision of the newest turn in which the model spoke; null before the first. */
  readonly lastReplyMs: number | null;
  /** The same, averaged over the replies that are held. */
  readonly averageReplyMs: number | null;
  readonly replies: number;
  /** Capture to decision, averaged over the newest turns. */
  readonly averageTurnMs: number | null;
  /** Share of the prompt tokens of the newest turns that the prefix cache served, 0 to 1. */
  readonly cachedShare: number | null;
  readonly skipped: number;
}

/** A minute of a session with the usual cadence. */
const NEWEST = 60;

export function figures(turns: readonly Turn[]): Figures {
  const replies = turns.filter((turn) => turn.spoke);
  const newest = turns.slice(-NEWEST);
  return {
    lastReplyMs: replies.at(-1)?.latency_ms ?? null,
    averageReplyMs: average(replies.map((turn) => turn.latency_ms)),
    replies: replies.length,
    averageTurnMs: average(newest.map((turn) => turn.latency_ms)),
    cachedShare: share(sum(newest.map((turn) => turn.cached_tokens)), sum(newest.map((turn) => turn.prompt_tokens))),
    skipped: sum(turns.map((turn) => turn.frames_skipped)),
  };
}

/** The share of one turn's prompt that the engine had already; null when it was told no tokens. */
export function cachedShare(turn: Turn): number | null {
  return share(turn.cached_tokens, turn.prompt_tokens);
}

function share(part: number, whole: number): number | null {
  return whole > 0 ? Math.min(1, part / whole) : null;
}

function average(values: readonly number[]): number | null {
  return values.length > 0 ? sum(values) / values.length : null;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
