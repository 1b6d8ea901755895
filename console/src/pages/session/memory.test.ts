import { describe, expect, test } from 'vitest';
import { fullness, momentOf, spanOf, spans, type MemoryOut } from './memory';
import { MEMORY } from './testing';

const EMPTY: MemoryOut = { ...MEMORY, blocks: [], unwritten: [], turns: 0, turns_from_s: null, time_s: null };

describe('the spans of a memory', () => {
  test('follow each other over the whole line, each in its tier', () => {
    const found = spans(MEMORY);
    expect(found.map(({ tier }) => tier)).toEqual(['long', 'mid', 'unwritten', 'turns']);
    for (const [index, span] of found.entries()) {
      const before = found[index - 1];
      expect(span.fromS).toBe(before?.toS ?? 0);
      expect(span.begin).toBeCloseTo(before === undefined ? 0 : before.begin + before.width);
    }
    expect(found.reduce((sum, { width }) => sum + width, 0)).toBeCloseTo(1);
  });

  test('are as wide as their time, and never too narrow to be clicked', () => {
    const [long, mid] = spans(MEMORY);
    expect((long?.width ?? 0) / (mid?.width ?? 1)).toBeCloseTo(5);
    const day = { ...MEMORY, blocks: [{ ...MEMORY.blocks[0]!, id: '0-86400000-3', to_s: 86_400 }], unwritten: [] };
    const narrow = spans({ ...day, turns_from_s: 86_400, time_s: 86_401 });
    expect(narrow[1]?.width).toBeGreaterThan(0.01);
  });

  test('begin with what was forgotten', () => {
    const [first] = spans({ ...MEMORY, forgotten_s: 500, blocks: MEMORY.blocks.slice(1) });
    expect([first?.tier, first?.toS]).toEqual(['forgotten', 500]);
  });

  test('are none before the first turn', () => {
    expect(spans(EMPTY)).toEqual([]);
  });

  test('are found again by their key, until they were merged', () => {
    expect(spanOf(spans(MEMORY), '500000-600000-0')?.text).toBe('A red van came.');
    expect(spanOf(spans(MEMORY), 'unwritten-600')?.frames).toHaveLength(1);
    expect(spanOf(spans(MEMORY), 'gone')).toBeNull();
    expect(spanOf(spans(MEMORY), null)).toBeNull();
  });
});

test('a tier is at most full', () => {
  expect(fullness(MEMORY.tiers.long)).toBeCloseTo(0.01);
  expect(fullness({ tokens: 9, limit_tokens: 3 })).toBe(1);
  expect(fullness({ tokens: 0, limit_tokens: 0 })).toBe(0);
});

test('a model time is a moment once the clock is known', () => {
  expect(momentOf(MEMORY, 60)).toBe(Date.parse('2026-01-02T03:01:00.000Z'));
  expect(momentOf({ began_at: null }, 60)).toBeNull();
});
