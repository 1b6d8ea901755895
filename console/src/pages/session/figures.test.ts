// @vitest-environment node
import { expect, test } from 'vitest';
import { cachedShare, figures } from './figures';
import { spoken, turn, turns } from './testing';

test('replies are timed apart from silent turns', () => {
  const told = figures([
    turn(0),
    spoken(1, 'Fire.', { latency_ms: 300 }),
    turn(2),
    spoken(3, 'Out.', { latency_ms: 500 }),
  ]);
  expect(told.lastReplyMs).toBe(500);
  expect(told.averageReplyMs).toBe(400);
  expect(told.replies).toBe(2);
  expect(told.averageTurnMs).toBe(250);
});

test('there is nothing to average before the first turn', () => {
  expect(figures([])).toEqual({
    lastReplyMs: null,
    averageReplyMs: null,
    replies: 0,
    averageTurnMs: null,
    cachedShare: null,
    skipped: 0,
  });
});

test('the share of the cache is that of all tokens, of the newest minute', () => {
  const old = turn(0, { prompt_tokens: 1_000_000, cached_tokens: 0 });
  const newest = [...turns(1, 60), turn(60, { prompt_tokens: 1_000, cached_tokens: 300 })];
  expect(figures([old, ...newest]).cachedShare).toBeCloseTo((59 * 900 + 300) / 60_000);
});

test('skipped pictures are added up', () => {
  expect(figures([turn(0, { frames_skipped: 2 }), turn(1), turn(2, { frames_skipped: 3 })]).skipped).toBe(5);
});

test('a turn without tokens has no share', () => {
  expect(cachedShare(turn(0, { prompt_tokens: 0, cached_tokens: 0 }))).toBeNull();
  expect(cachedShare(turn(0))).toBeCloseTo(0.9);
});
