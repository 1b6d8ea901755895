import { expect, test } from 'vitest';
import { ago, bytes, clock, milliseconds, probability } from './format';

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

test('bytes', () => {
  expect([0, 812, 1_024, 3_500, 10_240, 8 * 1_048_576, 1_048_570].map(bytes)).toEqual([
    '0 B',
    '812 B',
    '1 KB',
    '3.4 KB',
    '10 KB',
    '8 MB',
    '1 MB',
  ]);
});
