// @vitest-environment node
import { describe, expect, test } from 'vitest';
import { turn, turns } from '../session/testing';
import { advanced, missing, pageAround, paused, replay, shownMs, sought, started, withMore } from './replay';

describe('the turns around an alert', () => {
  test('are ten before it and ten after', () => {
    expect(pageAround(50)).toEqual({ before: 61, limit: 21 });
    expect(pageAround(3)).toEqual({ before: 14, limit: 14 });
    expect(pageAround(0)).toEqual({ before: 11, limit: 11 });
  });

  test('are played oldest first, beginning at the alert', () => {
    const film = replay(turns(30, 80).reverse(), 50);
    expect(film.turns.map((found) => found.sequence)).toEqual(turns(40, 61).map((found) => found.sequence));
    expect(film.turns[film.index]?.sequence).toBe(50);
    expect(film.playing).toBe(false);
    expect(missing(film, 50)).toBe(0);
  });

  test('that are not kept are missed, and the nearest that is kept comes first', () => {
    const film = replay(turns(53, 61), 50);
    expect(film.turns[film.index]?.sequence).toBe(53);
    expect(missing(film, 50)).toBe(13);
    expect(replay(turns(40, 48), 50).index).toBe(7);
    expect(replay([], 50)).toEqual({ turns: [], index: 0, playing: false });
  });
});

describe('playing', () => {
  const film = replay(turns(0, 4), 1);

  test('goes on to the end and stops there', () => {
    let played = started(film);
    const seen: number[] = [];
    while (played.playing) {
      seen.push(played.index);
      played = advanced(played);
    }
    expect(seen).toEqual([1, 2, 3]);
    expect(played.index).toBe(3);
  });

  test('at its end begins anew', () => {
    expect(started(sought(film, 3))).toMatchObject({ index: 0, playing: true });
    expect(started(replay([turn(5)], 5)).playing).toBe(false);
  });

  test('is stopped by hand', () => {
    expect(paused(started(film)).playing).toBe(false);
    expect(sought(started(film), 2)).toMatchObject({ index: 2, playing: false });
    expect([sought(film, -1).index, sought(film, 99).index]).toEqual([0, 3]);
  });

  test('shows a turn as long as it lasted, never very long', () => {
    expect(shownMs(film)).toBe(1_000);
    const slow = replay([turn(0), turn(1, { time_s: 0.4 }), turn(2, { time_s: 60 })], 0);
    expect([0, 1, 2].map((index) => shownMs(sought(slow, index)))).toEqual([400, 3_000, 1_000]);
  });
});

test('a film that is read anew goes on where it was', () => {
  const before = started(sought(replay(turns(0, 6), 3), 4));
  expect(withMore(before, replay(turns(0, 14), 3))).toMatchObject({ index: 4, playing: true });
  expect(withMore(null, replay(turns(0, 14), 3)).index).toBe(3);
  expect(withMore(before, replay(turns(8, 14), 3)).turns[0]?.sequence).toBe(8);
});
