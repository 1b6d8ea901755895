// @vitest-environment node
import { describe, expect, test } from 'vitest';
import {
  bounds,
  chosenBy,
  LIVE,
  moved,
  nearOldest,
  probabilities,
  segments,
  showing,
  ticks,
  timeAt,
  xOf,
  zoomed,
} from './plot';
import { turn, turns } from './testing';

const SIZE = { width: 600, height: 100 };

describe('the part in view', () => {
  test('follows the newest turn', () => {
    expect(bounds(LIVE, turns(0, 101))).toEqual([40, 100]);
    expect(bounds({ endS: 50, spanS: 30 }, turns(0, 101))).toEqual([20, 50]);
    expect(bounds(LIVE, [])).toEqual([0, 60]);
  });

  test('moves into the past and back, where it follows again', () => {
    const held = turns(0, 301);
    const back = moved(LIVE, held, -90);
    expect(back.endS).toBe(210);
    expect(moved(back, held, 60).endS).toBe(270);
    expect(moved(back, held, 90).endS).toBeNull();
    expect(moved(back, held, 900).endS).toBeNull();
  });

  test('does not leave the oldest turn', () => {
    expect(moved(LIVE, turns(100, 301), -10_000).endS).toBe(130);
    expect(moved(LIVE, turns(0, 5), -10_000).endS).toBe(null);
    expect(moved(LIVE, [], -10)).toEqual(LIVE);
  });

  test('older turns are wanted near the left edge', () => {
    const held = turns(100, 301);
    expect(nearOldest(LIVE, held)).toBe(false);
    expect(nearOldest({ endS: 165, spanS: 60 }, held)).toBe(true);
    expect(nearOldest(LIVE, [])).toBe(false);
  });

  test('zooms from span to span', () => {
    expect(zoomed(LIVE, 1).spanS).toBe(120);
    expect(zoomed(LIVE, -1).spanS).toBe(30);
    expect(zoomed({ ...LIVE, spanS: 30 }, -1).spanS).toBe(30);
    expect(zoomed({ ...LIVE, spanS: 3_600 }, 1).spanS).toBe(3_600);
  });

  test('is brought to a turn that it does not show', () => {
    const held = turns(0, 301);
    expect(showing(LIVE, held, turn(290))).toEqual(LIVE);
    expect(bounds(showing(LIVE, held, turn(100)), held)).toEqual([70, 130]);
  });
});

test('places and times are each other’s inverse', () => {
  expect(xOf(10, [0, 60], 600)).toBe(100);
  expect(timeAt(100, [0, 60], 600)).toBe(10);
});

describe('lines', () => {
  test('a probability of one is at the top', () => {
    const certain = [
      turn(0, { p: { silent: 1, speak: 0, delegate: 0 } }),
      turn(60, { p: { silent: 0, speak: 1, delegate: 0 } }),
    ];
    const [line] = segments(certain, LIVE, 'silent', SIZE);
    expect(line?.[0]).toEqual({ x: 0, y: 0 });
    expect(segments(certain, LIVE, 'speak', SIZE).at(-1)?.at(-1)).toEqual({ x: 600, y: 0 });
  });

  test('a turn without probabilities breaks the line', () => {
    const held = [turn(0), turn(1), turn(2, { p: null }), turn(3), turn(4)];
    expect(segments(held, LIVE, 'speak', SIZE).map((piece) => piece.length)).toEqual([2, 2]);
  });

  test('a pause breaks the line, a slow cadence does not', () => {
    expect(segments([...turns(0, 5), ...turns(20, 25)], LIVE, 'silent', SIZE).map((piece) => piece.length)).toEqual([
      5, 5,
    ]);
    const slow = [0, 10, 20, 30].map((second, sequence) => turn(sequence, { time_s: second }));
    expect(segments(slow, LIVE, 'silent', SIZE)).toHaveLength(1);
  });

  test('no turns, no lines', () => {
    expect(segments([], LIVE, 'silent', SIZE)).toEqual([]);
  });
});

describe('keys', () => {
  const held = turns(10, 60);
  const key = (name: string, from: number | null): number | undefined => chosenBy(name, held, from)?.sequence;

  test('choose turns', () => {
    expect(key('ArrowLeft', null)).toBe(58);
    expect(key('ArrowRight', 20)).toBe(21);
    expect(key('PageUp', 30)).toBe(20);
    expect(key('PageDown', 30)).toBe(40);
    expect(key('Home', 30)).toBe(10);
    expect(key('End', 30)).toBe(59);
  });

  test('stay among the turns that are held', () => {
    expect(key('ArrowLeft', 10)).toBe(10);
    expect(key('PageDown', 58)).toBe(59);
    expect(key('ArrowLeft', 3)).toBe(58);
  });

  test('that mean nothing here choose nothing', () => {
    expect(key('a', 30)).toBeUndefined();
    expect(chosenBy('ArrowLeft', [], null)).toBeUndefined();
  });
});

test('the axis has round seconds, and few', () => {
  expect(ticks([0, 60])).toEqual([0, 10, 20, 30, 40, 50, 60]);
  expect(ticks([61, 121])).toEqual([70, 80, 90, 100, 110, 120]);
  expect(ticks([-20, 10])).toEqual([0, 5, 10]);
  for (const span of [30, 60, 120, 300, 900, 3_600]) expect(ticks([7, 7 + span]).length).toBeLessThanOrEqual(7);
});

test('probabilities are told in one order', () => {
  expect(probabilities(turn(0)).map(([action]) => action)).toEqual(['silent', 'speak', 'delegate']);
  expect(probabilities(turn(0, { p: null }))).toEqual([]);
});
