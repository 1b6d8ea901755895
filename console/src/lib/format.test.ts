import { expect, test } from 'vitest';
import { ago, clock, milliseconds, probability } from './format';

test('model time', () => {
  expect([0, 59.9, 61, 3_661, -1].map(clock)).toEqual(['0:00', '0:59', '1:01', '1:01:01', '0:00']);
});

test('durations', () => {
  expect([0.4, 84.4, 999, 1_400, 61_000].map(milliseconds)).toEqual(['0 ms', '84 ms', '999 ms', '1.4 s', '1:01']);
});

test('a probability never says never or always when it is not', () => {
  expect([0, 0.004, 0.25, 0.996, 1].map(probability)).toEqual(['0.00', '<0.01', '0.25', '>0.99', '1.00']);
});

test('how long ago', () => {
  const now = 1_000_000_000;
  expect([-5_000, 1_000, 30_000, 90_000, 7_200_000, 200_000_000].map((before) => ago(now - before, now))).toEqual([
    { unit: 'now', count: 0 },
    { unit: 'now', count: 0 },
    { unit: 'seconds', count: 30 },
    { unit: 'minutes', count: 1 },
    { unit: 'hours', count: 2 },
    { unit: 'days', count: 2 },
  ]);
});
