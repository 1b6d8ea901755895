/**
 * What a session speaks, played piece after piece, and which of its words have been heard. Pure: sound and clock are the
 * port's.
 *
 * Pieces follow each other without a gap. Somebody who begins to speak pauses them at once; what happens to the session's
 * words is then told: they go on after a false start, and are dropped where they were interrupted.
 */

import { samplesOf } from './pcm';

/** A word of an utterance. Characters are those of its text, times are after the first sample of its piece. */
export interface SpokenWord {
  readonly beginChar: number;
  readonly endChar: number;
  readonly beginMs: number;
}

export interface SpokenChunk {
  readonly utterance: string;
  readonly sentence: string;
  /** Where the sentence begins in the utterance's text, in characters. */
  readonly sentenceBeginChar: number;
  /** The words that begin in it; empty where the voice tells none. */
  readonly words: readonly SpokenWord[];
  readonly rateHz: number;
  readonly pcm: Uint8Array;
}

export type VoiceState = 'started' | 'stopped' | 'false_start';

/** A loudspeaker. Its clock stands still while it is paused. */
export interface SoundOut {
  readonly nowS: number;
  /** Plays samples at a time of this clock; what it returns ends them at once. */
  play: (samples: Float32Array<ArrayBuffer>, rateHz: number, atS: number) => () => void;
  pause: () => void;
  resume: () => void;
}

/** The words of an utterance as they are shown: those that were heard, the one that is being spoken, and the rest. */
export interface Caption {
  readonly utterance: string;
  readonly heard: string;
  readonly word: string;
  readonly rest: string;
}

interface Placed {
  readonly chunk: SpokenChunk;
  readonly beginS: number;
  readonly endS: number;
  readonly stop: () => void;
}

/** Time for the next piece to arrive before the first one has been played. */
export const LEAD_S = 0.1;
/** No voice is so far ahead of itself: what comes beyond that is dropped and counted. */
export const MOST_AHEAD_S = 60;
/** How long the words stay after their sound. */
export const LINGER_S = 3;
/** After somebody stopped speaking: by then it is known what becomes of the words that were paused. */
export const UNDECIDED_MS = 3_000;
/** Pieces that come so soon after a pause were on their way when the voice paused. */
export const IN_FLIGHT_MS = 500;
const MOST_STOPPED = 32;

export class Playback {
  #placed: Placed[] = [];
  /** Utterances that were stopped: what is still on its way of them is not played. */
  #stopped: string[] = [];
  #pausedAtMs: number | null = null;
  #resumeAtMs: number | null = null;
  #dropped = 0;

  constructor(private out: SoundOut) {}

  /** Pieces that were dropped because too many were there. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Goes on with another loudspeaker; what the old one had is not played. */
  moveTo(out: SoundOut): void {
    this.clear();
    this.#goOn();
    this.out = out;
  }

  take(chunk: SpokenChunk, nowMs: number): void {
    if (this.#stopped.includes(chunk.utterance)) return;
    // Other words while these are paused: they are over. More of the same: they go on.
    if (this.#pausedAtMs !== null && this.#newest !== undefined) {
      if (this.#newest.chunk.utterance !== chunk.utterance) this.stop(this.#newest.chunk.utterance);
      else if (nowMs - this.#pausedAtMs >= IN_FLIGHT_MS) this.#goOn();
    }
    const nowS = this.out.nowS;
    this.#placed = this.#placed.filter(
      (placed) => placed.endS + LINGER_S > nowS || placed.chunk.utterance === chunk.utterance,
    );
    const endS = this.#newest?.endS ?? 0;
    const beginS = endS > nowS ? endS : nowS + LEAD_S;
    if (beginS - nowS > MOST_AHEAD_S) {
      this.#dropped += 1;
      return;
    }
    const samples = samplesOf(chunk.pcm);
    const stop = samples.length === 0 ? (): void => undefined : this.out.play(samples, chunk.rateHz, beginS);
    this.#placed.push({ chunk, beginS, endS: beginS + samples.length / chunk.rateHz, stop });
  }

  /** Whether somebody speaks to the session. */
  activity(state: VoiceState, nowMs: number): void {
    if (state === 'false_start') this.#goOn();
    else if (state === 'stopped') this.#resumeAtMs = this.#pausedAtMs !== null ? nowMs + UNDECIDED_MS : null;
    else if (this.isPlaying) {
      this.out.pause();
      this.#pausedAtMs ??= nowMs;
      this.#resumeAtMs = null;
    }
  }

  /** Ends an utterance at once. */
  stop(utterance: string): void {
    if (this.#stopped.includes(utterance)) return;
    this.#stopped = [...this.#stopped, utterance].slice(-MOST_STOPPED);
    this.#placed.filter((placed) => placed.chunk.utterance === utterance).forEach((placed) => placed.stop());
    this.#placed = this.#placed.filter((placed) => placed.chunk.utterance !== utterance);
    this.#goOn();
  }

  /** Ends all that is being played. */
  clear(): void {
    this.#placed.forEach((placed) => placed.stop());
    this.#placed = [];
  }

  get isPlaying(): boolean {
    return (this.#newest?.endS ?? 0) > this.out.nowS;
  }

  /** What is shown at this moment; null where nothing is spoken. */
  caption(nowMs: number): Caption | null {
    if (this.#resumeAtMs !== null && nowMs >= this.#resumeAtMs) this.#goOn();
    const nowS = this.out.nowS;
    const begun = this.#placed.filter((placed) => placed.beginS <= nowS).at(-1) ?? this.#placed[0];
    if (begun === undefined || (this.#newest?.endS ?? 0) + LINGER_S <= nowS) return null;
    const { utterance } = begun.chunk;
    return captionOf(
      utterance,
      this.#placed.filter((placed) => placed.chunk.utterance === utterance),
      nowS,
    );
  }

  get #newest(): Placed | undefined {
    return this.#placed.at(-1);
  }

  #goOn(): void {
    this.#resumeAtMs = null;
    if (this.#pausedAtMs === null) return;
    this.#pausedAtMs = null;
    this.out.resume();
  }
}

/** Characters are counted as the server counts them: a sign outside the basic plane is one. */
function captionOf(utterance: string, pieces: readonly Placed[], nowS: number): Caption {
  const text: string[] = [];
  let [begin, end] = [0, 0];
  for (const { chunk, beginS, endS } of pieces) {
    const sentence = [...chunk.sentence];
    while (text.length < chunk.sentenceBeginChar) text.push(' ');
    text.splice(chunk.sentenceBeginChar, sentence.length, ...sentence);
    if (beginS > nowS) continue;
    const sentenceEnd = chunk.sentenceBeginChar + sentence.length;
    // A voice that tells no words: the whole sentence is the word that is being spoken.
    if (chunk.words.length === 0 && end <= chunk.sentenceBeginChar)
      [begin, end] = [chunk.sentenceBeginChar, sentenceEnd];
    for (const word of chunk.words) {
      if (beginS + word.beginMs / 1_000 <= nowS) [begin, end] = [word.beginChar, word.endChar];
    }
    if (endS <= nowS && chunk === pieces.at(-1)?.chunk) begin = end;
  }
  const part = (from: number, to?: number): string => text.slice(from, to).join('');
  return { utterance, heard: part(0, begin), word: part(begin, end), rest: part(end) };
}
