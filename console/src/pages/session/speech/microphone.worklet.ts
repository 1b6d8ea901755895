/** Runs on the browser's sound thread: the microphone's sound at 16 kHz, in chunks, to the page. A file of its own. */

import { Cutter, mono } from './pcm';
import { Resampler } from './resampler';

// TypeScript has no types for the scope of a worklet.
declare const sampleRate: number;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void;

class MicrophoneProcessor extends AudioWorkletProcessor {
  readonly #resampler = new Resampler(sampleRate);
  readonly #cutter = new Cutter();
  #isClosed = false;

  constructor() {
    super();
    this.port.onmessage = () => (this.#isClosed = true);
  }

  process(inputs: readonly (readonly Float32Array[])[]): boolean {
    for (const chunk of this.#cutter.take(this.#resampler.take(mono(inputs[0] ?? []))))
      this.port.postMessage(chunk, [chunk.buffer]);
    return !this.#isClosed;
  }
}

registerProcessor('microphone', MicrophoneProcessor);
