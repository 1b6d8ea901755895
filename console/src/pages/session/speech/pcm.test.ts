import { expect, test } from 'vitest';
import { bytesOf, CHUNK_SAMPLES, Cutter, mono, samplesOf } from './pcm';

test('chunks have 40 ms each, and what is too short for one waits', () => {
  const cutter = new Cutter();
  expect(CHUNK_SAMPLES).toBe(640);
  expect(cutter.take(new Float32Array(600))).toEqual([]);
  const chunks = cutter.take(new Float32Array(1_000).fill(1));
  expect(chunks.map((chunk) => chunk.length)).toEqual([640, 640]);
  expect([chunks[0]?.[599], chunks[0]?.[600]]).toEqual([0, 32_767]);
});

test('what is too loud is cut off and does not turn over', () => {
  const [chunk] = new Cutter().take(new Float32Array(640).map((_, index) => (index % 2 === 0 ? 1.5 : -1.5)));
  expect([chunk?.[0], chunk?.[1]]).toEqual([32_767, -32_767]);
});

test('samples are little-endian bytes', () => {
  const bytes = bytesOf(Int16Array.from([1, -2, 256]));
  expect([...bytes]).toEqual([1, 0, 254, 255, 0, 1]);
  expect([...samplesOf(bytes)].map((sample) => sample * 32_768)).toEqual([1, -2, 256]);
  expect(samplesOf(bytes.subarray(2, 4))).toHaveLength(1);
});

test('channels become one', () => {
  expect([...mono([Float32Array.from([1, 0]), Float32Array.from([0, 0.5])])]).toEqual([0.5, 0.25]);
  expect([...mono([Float32Array.from([1])])]).toEqual([1]);
  expect(mono([])).toHaveLength(0);
});
