/** 16-bit samples: cut into chunks on their way to a session, and read on their way to the loudspeaker. Pure. */

import { HEARD_RATE_HZ } from './resampler';

export const CHUNK_MS = 40;
export const CHUNK_SAMPLES = (HEARD_RATE_HZ * CHUNK_MS) / 1_000;
const FULL = 32_767;

/** Cuts sound into chunks of the same length. What does not fill one yet waits. */
export class Cutter {
  #chunk = new Int16Array(CHUNK_SAMPLES);
  #filled = 0;

  take(samples: Float32Array): Int16Array<ArrayBuffer>[] {
    const whole: Int16Array<ArrayBuffer>[] = [];
    for (const sample of samples) {
      this.#chunk[this.#filled] = Math.round(Math.max(-1, Math.min(1, sample)) * FULL);
      this.#filled += 1;
      if (this.#filled < CHUNK_SAMPLES) continue;
      whole.push(this.#chunk);
      this.#chunk = new Int16Array(CHUNK_SAMPLES);
      this.#filled = 0;
    }
    return whole;
  }
}

/** The mean of all channels. */
export function mono(channels: readonly Float32Array[]): Float32Array {
  const [first] = channels;
  if (first === undefined) return new Float32Array(0);
  if (channels.length === 1) return first;
  return first.map((_, index) => channels.reduce((sum, channel) => sum + (channel[index] ?? 0), 0) / channels.length);
}

/** Little-endian 16-bit samples as numbers from -1 to 1. */
export function samplesOf(pcm: Uint8Array): Float32Array<ArrayBuffer> {
  const view = new DataView(pcm.buffer, pcm.byteOffset, pcm.byteLength);
  return Float32Array.from({ length: pcm.byteLength >> 1 }, (_, index) => view.getInt16(index * 2, true) / 32_768);
}

/** Samples as little-endian bytes, whatever the machine's own order is. */
export function bytesOf(samples: Int16Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(samples.length * 2);
  const view = new DataView(bytes.buffer);
  samples.forEach((sample, index) => view.setInt16(index * 2, sample, true));
  return bytes;
}
