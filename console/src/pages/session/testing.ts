/** Turns for tests: one a second, silent unless something else is said. */

import type { Turn } from './turn';

export const BEGIN_MS = Date.parse('2026-01-31T12:00:00.000Z');

export function turn(sequence: number, change: Partial<Turn> = {}): Turn {
  const timeS = change.time_s ?? sequence;
  return {
    session: 's-1',
    sequence,
    time_s: timeS,
    capture_time: new Date(BEGIN_MS + timeS * 1_000).toISOString(),
    emit_time: new Date(BEGIN_MS + timeS * 1_000 + 100).toISOString(),
    latency_ms: 100,
    action: 'silent',
    spoke: false,
    text: '',
    question: '',
    p: { silent: 0.9, speak: 0.08, delegate: 0.02 },
    malformed: '',
    frames_skipped: 0,
    engine_ms: 60,
    prompt_tokens: 1_000,
    cached_tokens: 900,
    completion_tokens: 1,
    request_bytes: 9_000,
    prefix_share: 1,
    duplicate: false,
    task: '',
    ...change,
  };
}

export function spoken(sequence: number, text: string, change: Partial<Turn> = {}): Turn {
  return turn(sequence, { action: 'speak', spoke: true, text, ...change });
}

/** The turns from `first` up to, not including, `end`. */
export function turns(first: number, end: number): Turn[] {
  return Array.from({ length: end - first }, (_, index) => turn(first + index));
}
