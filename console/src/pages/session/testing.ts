/** Turns for tests: one a second, silent unless something else is said. And a memory. */

import type { MemoryOut } from './memory';
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
    observed: [],
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

const TIER = { blocks: 1, tokens: 30, limit_blocks: 15, limit_tokens: 3_000 };
export const MEMORY: MemoryOut = {
  session: 's-1',
  settings: {
    is_on: true,
    mid_blocks: 5,
    long_blocks: 15,
    block_tokens: 256,
    long_tokens: 3_000,
    key_frames: 4,
    time_zone: '',
  },
  time_s: 812,
  began_at: '2026-01-02T03:00:00.000Z',
  forgotten_s: 0,
  turns_from_s: 700,
  turns: 112,
  tiers: { mid: TIER, long: TIER },
  blocks: [
    { id: '0-500000-1', level: 1, from_s: 0, to_s: 500, tokens: 30, text: 'A quiet gate.' },
    { id: '500000-600000-0', level: 0, from_s: 500, to_s: 600, tokens: 12, text: 'A red van came.' },
  ],
  unwritten: [
    {
      from_s: 600,
      to_s: 700,
      asked: 2,
      frames: [{ id: 'm-1', time_s: 640, path: '/v1/sessions/s-1/memory/frames/m-1' }],
    },
  ],
};
