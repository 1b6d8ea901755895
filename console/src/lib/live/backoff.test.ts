import { describe, expect, test } from 'vitest';
import { waitMs } from './backoff';

describe('the wait before the next try', () => {
  test('grows to a bound', () => {
    const waits = [1, 2, 3, 4, 5, 6, 7, 50].map((failures) => waitMs(failures, 1));
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
  });

  test('differs from client to client, and is never none', () => {
    expect(waitMs(1, 0)).toBe(250);
    expect(waitMs(10, 0)).toBe(7_500);
  });

  test('is at least what the gateway asked for', () => {
    expect(waitMs(1, 0, 2)).toBe(2_000);
  });
});
