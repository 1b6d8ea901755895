import { beforeEach, describe, expect, test } from 'vitest';
import { SilentClock } from './loudspeaker';
import { IN_FLIGHT_MS, LEAD_S, LINGER_S, MOST_AHEAD_S, Playback, UNDECIDED_MS, type SoundOut } from './playback';
import { chunk } from './testing';

/** A loudspeaker whose clock a test moves. */
class Scripted implements SoundOut {
  nowS = 10;
  isPaused = false;
  readonly played: { atS: number; samples: number; isStopped: boolean }[] = [];

  play(samples: Float32Array, _rateHz: number, atS: number): () => void {
    const piece = { atS, samples: samples.length, isStopped: false };
    this.played.push(piece);
    return () => (piece.isStopped = true);
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }
}

let out: Scripted;
let playback: Playback;

beforeEach(() => {
  out = new Scripted();
  playback = new Playback(out);
});

const LATER = [
  { beginChar: 7, endChar: 10, beginMs: 0 },
  { beginChar: 11, endChar: 19, beginMs: 250 },
];

function at(seconds: number): (string | undefined)[] {
  out.nowS = 10 + LEAD_S + seconds;
  const caption = playback.caption(0);
  return [caption?.heard, caption?.word, caption?.rest];
}

describe('spoken pieces', () => {
  test('follow each other without a gap, also when they come early or in a burst', () => {
    for (let index = 0; index < 3; index += 1) playback.take(chunk(), 0);
    expect(out.played.map(({ atS }) => atS - 10 - LEAD_S)).toEqual([0, 0.5, 1].map((second) => expect.closeTo(second)));
    expect(out.played[0]?.samples).toBe(4_000);
  });

  test('begin anew after a gap', () => {
    playback.take(chunk(), 0);
    out.nowS = 20;
    playback.take(chunk(), 0);
    expect(out.played[1]?.atS).toBeCloseTo(20 + LEAD_S);
  });

  test('that are too far ahead are dropped and counted', () => {
    for (let index = 0; index < 2 * MOST_AHEAD_S + 10; index += 1) playback.take(chunk(), 0);
    expect(playback.dropped).toBeGreaterThan(0);
    expect(out.played.length + playback.dropped).toBe(2 * MOST_AHEAD_S + 10);
  });

  test('without sound, as a last one may be, play nothing', () => {
    playback.take(chunk({ pcm: new Uint8Array(0) }), 0);
    expect(out.played).toEqual([]);
    expect(playback.isPlaying).toBe(true);
  });
});

describe('the caption', () => {
  test('lights the words as they are spoken, and stays a while', () => {
    playback.take(chunk(), 0);
    playback.take(chunk({ words: LATER }), 0);
    expect(at(0.05)).toEqual(['', 'A', ' fire has started.']);
    expect(at(0.3)).toEqual(['A ', 'fire', ' has started.']);
    expect(at(0.6)).toEqual(['A fire ', 'has', ' started.']);
    expect(at(0.9)).toEqual(['A fire has ', 'started.', '']);
    expect(at(1.1)).toEqual(['A fire has started.', '', '']);
    expect(at(1 + LINGER_S + 0.1)).toEqual([undefined, undefined, undefined]);
  });

  test('lights whole sentences where the voice tells no words', () => {
    playback.take(chunk({ words: [] }), 0);
    playback.take(chunk({ words: [], sentence: 'Leave!', sentenceBeginChar: 20 }), 0);
    expect(at(0.1)).toEqual(['', 'A fire has started.', ' Leave!']);
    expect(at(0.6)).toEqual(['A fire has started. ', 'Leave!', '']);
  });

  test('counts characters as the server does', () => {
    const words = [{ beginChar: 2, endChar: 5, beginMs: 0 }];
    playback.take(chunk({ sentence: '🔥 着火了', words }), 0);
    expect(at(0.1)).toEqual(['🔥 ', '着火了', '']);
  });

  test('is that of the utterance that sounds at the moment', () => {
    playback.take(chunk(), 0);
    playback.take(chunk({ utterance: 'a-1.1', sentence: 'Next.', words: [] }), 0);
    expect(at(0.1)[2]).toBe(' fire has started.');
    expect(at(0.6)).toEqual(['', 'Next.', '']);
  });
});

describe('an interruption', () => {
  test('stops the sound at once, and what is still on its way', () => {
    playback.take(chunk(), 0);
    playback.take(chunk(), 0);
    playback.stop('s-1.utterance.9.4');
    playback.take(chunk(), 0);
    expect(out.played.map(({ isStopped }) => isStopped)).toEqual([true, true]);
    expect([playback.isPlaying, playback.caption(0)]).toEqual([false, null]);
    playback.take(chunk({ utterance: 'a-1.1' }), 0);
    expect(out.played[2]?.atS).toBeCloseTo(10 + LEAD_S);
  });

  test('by somebody who speaks pauses it, and a false start lets it go on', () => {
    playback.activity('started', 0);
    expect(out.isPaused).toBe(false);
    playback.take(chunk(), 0);
    playback.activity('started', 0);
    expect(out.isPaused).toBe(true);
    playback.activity('false_start', 0);
    expect([out.isPaused, out.played[0]?.isStopped]).toEqual([false, false]);
  });

  test('that was one ends the words, and the loudspeaker is there for the next', () => {
    playback.take(chunk(), 0);
    playback.activity('started', 0);
    playback.activity('stopped', 1_000);
    playback.stop('s-1.utterance.9.4');
    expect([out.isPaused, out.played[0]?.isStopped]).toEqual([false, true]);
  });

  test('of which nothing more is told does not silence the session for ever', () => {
    playback.take(chunk(), 0);
    playback.activity('started', 0);
    playback.caption(60_000);
    expect(out.isPaused).toBe(true);
    playback.activity('stopped', 60_000);
    playback.caption(60_000 + UNDECIDED_MS - 1);
    expect(out.isPaused).toBe(true);
    playback.caption(60_000 + UNDECIDED_MS);
    expect(out.isPaused).toBe(false);
  });

  test('is over when more of the same words come, but for those that were on their way', () => {
    playback.take(chunk(), 0);
    playback.activity('started', 0);
    playback.take(chunk(), IN_FLIGHT_MS - 1);
    expect(out.isPaused).toBe(true);
    playback.take(chunk(), IN_FLIGHT_MS);
    expect([out.isPaused, out.played.map(({ isStopped }) => isStopped)]).toEqual([false, [false, false, false]]);
  });

  test('makes way for other words', () => {
    playback.take(chunk(), 0);
    playback.activity('started', 0);
    playback.take(chunk({ utterance: 'a-1.1' }), 0);
    expect([out.isPaused, out.played.map(({ isStopped }) => isStopped)]).toEqual([false, [true, false]]);
  });
});

test('another loudspeaker begins with what comes next', () => {
  playback.take(chunk(), 0);
  const next = new Scripted();
  playback.moveTo(next);
  playback.take(chunk(), 0);
  expect([out.played[0]?.isStopped, next.played.length]).toEqual([true, 1]);
});

test('the clock of a browser that plays nothing stands still while it is paused', () => {
  let wallS = 100;
  const clock = new SilentClock(() => wallS);
  clock.pause();
  wallS = 105;
  expect(clock.nowS).toBe(100);
  clock.pause();
  clock.resume();
  clock.resume();
  wallS = 106;
  expect(clock.nowS).toBe(101);
});
