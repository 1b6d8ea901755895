import { expect, test } from 'vitest';
import { down, OFF, SHORT_MS, toggled, up } from './press';

test('held, it is on until it is let go', () => {
  const held = down(OFF, 1_000);
  expect(held.state).toBe('held');
  expect(down(held, 1_100)).toBe(held);
  expect(up(held, 1_000 + SHORT_MS)).toBe(OFF);
});

test('pressed shortly, it stays on until it is pressed again', () => {
  const on = up(down(OFF, 1_000), 1_000 + SHORT_MS - 1);
  expect(on.state).toBe('on');
  expect(up(on, 9_000)).toBe(on);
  expect(up(down(on, 9_000), 9_001)).toBe(OFF);
});

test('a press without a length turns it on and off', () => {
  expect(toggled(OFF).state).toBe('on');
  expect(toggled({ state: 'on' })).toBe(OFF);
  expect(toggled({ state: 'held', sinceMs: 0 })).toBe(OFF);
});
