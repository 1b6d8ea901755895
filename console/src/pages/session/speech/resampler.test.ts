import { describe, expect, test } from 'vitest';
import { HEARD_RATE_HZ, Resampler } from './resampler';

function tone(hz: number, rateHz: number, seconds = 0.5): Float32Array {
  return Float32Array.from({ length: rateHz * seconds }, (_, index) => Math.sin((2 * Math.PI * hz * index) / rateHz));
}

/** How much of this tone is in the sound: 1 is all of it. The ends, where the filter begins and stops, are left out. */
function share(sound: Float32Array, hz: number): number {
  let [real, imaginary, count] = [0, 0, 0];
  for (let index = 200; index < sound.length - 200; index += 1) {
    const angle = (2 * Math.PI * hz * index) / HEARD_RATE_HZ;
    real += (sound[index] ?? 0) * Math.cos(angle);
    imaginary += (sound[index] ?? 0) * Math.sin(angle);
    count += 1;
  }
  return (2 * Math.hypot(real, imaginary)) / count;
}

describe('sound at another rate', () => {
  test.each([48_000, 44_100, 96_000, 32_000, 16_000, 8_000])('keeps a tone of 440 Hz from %i Hz', (rateHz) => {
    const sound = new Resampler(rateHz).take(tone(440, rateHz));
    expect(share(sound, 440)).toBeCloseTo(1, 2);
    expect(share(sound, 880)).toBeLessThan(0.01);
  });

  test('has as many samples as it lasts, but for those that wait for what follows', () => {
    const sound = new Resampler(44_100).take(tone(440, 44_100, 1));
    expect(sound.length).toBeGreaterThan(HEARD_RATE_HZ - 40);
    expect(sound.length).toBeLessThanOrEqual(HEARD_RATE_HZ);
  });

  test('has no tone that the new rate cannot hold', () => {
    const sound = new Resampler(48_000).take(tone(10_000, 48_000));
    // 10 kHz would come back as 6 kHz.
    expect(share(sound, 6_000)).toBeLessThan(0.003);
  });

  test.each([128, 1, 37])('is the same in pieces of %i samples as in one', (size) => {
    const input = tone(1_000, 44_100, 0.05);
    const whole = new Resampler(44_100).take(input);
    const resampler = new Resampler(44_100);
    const pieces: number[] = [];
    for (let begin = 0; begin < input.length; begin += size)
      pieces.push(...resampler.take(input.subarray(begin, begin + size)));
    expect(pieces).toEqual([...whole]);
  });

  test('leaves silence and a constant as they are', () => {
    expect(new Resampler(48_000).take(new Float32Array(4_800)).every((sample) => sample === 0)).toBe(true);
    const level = new Resampler(48_000).take(new Float32Array(4_800).fill(0.5));
    expect(level[800]).toBeCloseTo(0.5, 5);
  });
});
