/** Loudspeakers: the browser's, and one that only keeps time for as long as the browser lets no sound through. */

import type { SoundOut } from './playback';

/** The browser's. It is made when somebody presses something: before that a browser plays nothing. */
export class Loudspeaker implements SoundOut {
  readonly #context = new AudioContext();
  readonly #volume = this.#context.createGain();

  constructor(isMuted: boolean) {
    this.#volume.connect(this.#context.destination);
    this.mute(isMuted);
    void this.#context.resume();
  }

  get nowS(): number {
    return this.#context.currentTime;
  }

  /** Muted, sound goes on unheard: its words are still shown as they are spoken. */
  mute(isMuted: boolean): void {
    this.#volume.gain.value = isMuted ? 0 : 1;
  }

  play(samples: Float32Array<ArrayBuffer>, rateHz: number, atS: number): () => void {
    const buffer = this.#context.createBuffer(1, samples.length, rateHz);
    buffer.copyToChannel(samples, 0);
    const source = this.#context.createBufferSource();
    source.buffer = buffer;
    source.connect(this.#volume);
    source.start(atS);
    return () => source.stop();
  }

  pause(): void {
    void this.#context.suspend();
  }

  resume(): void {
    void this.#context.resume();
  }

  close(): void {
    void this.#context.close();
  }
}

/** Plays nothing, and its time goes on as that of a loudspeaker would. */
export class SilentClock implements SoundOut {
  #pausedS: number | null = null;
  #lostS = 0;

  constructor(private readonly wallS: () => number = () => performance.now() / 1_000) {}

  get nowS(): number {
    return (this.#pausedS ?? this.wallS()) - this.#lostS;
  }

  play(): () => void {
    return () => undefined;
  }

  pause(): void {
    this.#pausedS ??= this.wallS();
  }

  resume(): void {
    if (this.#pausedS === null) return;
    this.#lostS += this.wallS() - this.#pausedS;
    this.#pausedS = null;
  }
}
