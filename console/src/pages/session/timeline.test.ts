// @vitest-environment node
import { describe, expect, test } from 'vitest';
import { turn, turns } from './testing';
import { beginMs, between, canLoadOlder, EMPTY, indexOf, nearest, turnAt, withLive, withOlder } from './timeline';

const sequences = (held: { turns: readonly { sequence: number }[] }): number[] =>
  held.turns.map((found) => found.sequence);

describe('timeline', () => {
  test('live turns come at the end', () => {
    const held = withLive(withLive(EMPTY, turns(0, 3)), turns(3, 5));
    expect(sequences(held)).toEqual([0, 1, 2, 3, 4]);
  });

  test('a turn that comes again is there once, as it came last', () => {
    const held = withLive(withLive(EMPTY, turns(0, 3)), [turn(1, { text: 'again' }), turn(3)]);
    expect(sequences(held)).toEqual([0, 1, 2, 3]);
    expect(turnAt(held, 1)?.text).toBe('again');
  });

  test('turns that come out of order are put in order', () => {
    expect(sequences(withLive(EMPTY, [turn(2), turn(0), turn(1)]))).toEqual([0, 1, 2]);
    expect(sequences(withLive(withLive(EMPTY, [turn(5)]), [turn(4), turn(6)]))).toEqual([4, 5, 6]);
  });

  test('an older page goes before what is held', () => {
    const held = withOlder(withLive(EMPTY, turns(10, 12)), turns(7, 11), false);
    expect(sequences(held)).toEqual([7, 8, 9, 10, 11]);
    expect(held.isWhole).toBe(false);
    expect(withOlder(held, turns(0, 7), true).isWhole).toBe(true);
  });

  test('the oldest make way when it is full, and can be read again', () => {
    const held = withLive(withOlder(withLive(EMPTY, [turn(3)]), turns(0, 3), true), turns(4, 6), 4);
    expect(sequences(held)).toEqual([2, 3, 4, 5]);
    expect(held.isWhole).toBe(false);
  });

  test('no older page is asked for where there is none, or no room', () => {
    const held = withLive(EMPTY, turns(5, 9));
    expect(canLoadOlder(held)).toBe(true);
    expect(canLoadOlder(held, 4)).toBe(false);
    expect(canLoadOlder(withOlder(held, [], true))).toBe(false);
    expect(canLoadOlder(EMPTY)).toBe(false);
  });

  test('a turn is found by its sequence, also behind a gap', () => {
    const held = [turn(3), turn(4), turn(9)];
    expect([3, 4, 9].map((sequence) => indexOf(held, sequence))).toEqual([0, 1, 2]);
    expect([0, 5, 10].map((sequence) => indexOf(held, sequence))).toEqual([-1, -1, -1]);
    expect(turnAt(EMPTY, 0)).toBeUndefined();
  });

  test('the nearest turn to a time', () => {
    const held = turns(0, 10);
    expect(nearest(held, 3.4)?.sequence).toBe(3);
    expect(nearest(held, 3.6)?.sequence).toBe(4);
    expect(nearest(held, -5)?.sequence).toBe(0);
    expect(nearest(held, 99)?.sequence).toBe(9);
    expect(nearest([], 1)).toBeUndefined();
  });

  test('a stretch has one turn more on each side', () => {
    expect(between(turns(0, 10), 3, 5).map((found) => found.sequence)).toEqual([2, 3, 4, 5, 6]);
    expect(between(turns(0, 3), 0, 9).map((found) => found.sequence)).toEqual([0, 1, 2]);
  });

  test('model time begins where capture time says', () => {
    expect(beginMs(turn(7))).toBe(beginMs(turn(0)));
  });
});
