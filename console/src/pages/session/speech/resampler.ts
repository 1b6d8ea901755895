/**
 * Sound at another sample rate, piece by piece, without a seam between the pieces. Pure.
 *
 * A windowed sinc: what the new rate cannot hold is filtered out before it would be heard as another tone. The rates are
 * whole numbers, so the filter has finitely many phases; all are computed once.
 */

/** Of all sound that a session hears. */
export const HEARD_RATE_HZ = 16_000;
/** Zero crossings of the filter on each side: the more, the steeper. */
const CROSSINGS = 16;
/** The share of the band that passes; the rest is the slope of the filter. */
const PASSED = 0.92;

export class Resampler {
  readonly #phases: number;
  readonly #step: number;
  readonly #half: number;
  readonly #kernels: readonly Float32Array[];
  /** Input that is still needed. */
  #held: Float32Array;
  /** Where the next sample is in `#held`, in input samples times `#phases`. */
  #position: number;

  constructor(fromHz: number, toHz = HEARD_RATE_HZ) {
    const divisor = commonDivisor(fromHz, toHz);
    this.#phases = toHz / divisor;
    this.#step = fromHz / divisor;
    const cutoff = Math.min(1, toHz / fromHz) * PASSED;
    this.#half = Math.ceil(CROSSINGS / cutoff);
    this.#kernels = Array.from({ length: this.#phases }, (_, phase) =>
      kernel(cutoff, this.#half, phase / this.#phases),
    );
    this.#held = new Float32Array(this.#half - 1);
    this.#position = (this.#half - 1) * this.#phases;
  }

  /** The samples at the new rate that this input completes. */
  take(input: Float32Array): Float32Array {
    const held = joined(this.#held, input);
    const last = (held.length - this.#half) * this.#phases; // the first position whose input is not all there
    const count = Math.max(0, Math.ceil((last - this.#position) / this.#step));
    const output = new Float32Array(count);
    for (let index = 0; index < count; index += 1) {
      output[index] = this.#sample(held);
      this.#position += this.#step;
    }
    const done = Math.min(Math.floor(this.#position / this.#phases) - (this.#half - 1), held.length);
    this.#held = held.slice(done);
    this.#position -= done * this.#phases;
    return output;
  }

  #sample(held: Float32Array): number {
    const first = Math.floor(this.#position / this.#phases) - (this.#half - 1);
    const weights = this.#kernels[this.#position % this.#phases] ?? [];
    let sum = 0;
    for (let tap = 0; tap < weights.length; tap += 1) sum += (held[first + tap] ?? 0) * (weights[tap] ?? 0);
    return sum;
  }
}

/** Weights of the input around a place that is `offset` of a sample behind one; together they are 1. */
function kernel(cutoff: number, half: number, offset: number): Float32Array {
  const weights = Float32Array.from({ length: 2 * half }, (_, tap) => {
    const distance = tap - (half - 1) - offset;
    const window = Math.abs(distance) < half ? 0.5 + 0.5 * Math.cos((Math.PI * distance) / half) : 0;
    return sinc(cutoff * distance) * window;
  });
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

function joined(first: Float32Array, second: Float32Array): Float32Array {
  const whole = new Float32Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}

function commonDivisor(left: number, right: number): number {
  return right === 0 ? left : commonDivisor(right, left % right);
}
