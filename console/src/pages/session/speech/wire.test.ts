import { expect, test } from 'vitest';
import { audioAddress, microphoneMessage, read } from './wire';
import { spokenMessage, transcriptEvent } from './testing';

test('the address is beside the page, encrypted where the page is', () => {
  expect(audioAddress('s/1', { protocol: 'https:', host: 'vigil.local' })).toBe(
    'wss://vigil.local/v1/sessions/s%2F1/audio',
  );
  expect(audioAddress('s-1', { protocol: 'http:', host: '127.0.0.1:8080' })).toMatch(/^ws:/);
});

test('before the sound goes whether it is meant for the session', () => {
  expect(JSON.parse(microphoneMessage(true))).toEqual({
    type: 'microphone',
    id: 'microphone',
    sample_rate_hz: 16_000,
    is_addressed: true,
  });
});

test('spoken sound comes with its words', () => {
  const header = {
    type: 'spoken',
    utterance: 'u-1',
    sequence: 0,
    sentence: 'Fire.',
    sentence_begin_char: 3,
    words: [{ begin_char: 3, end_char: 8, begin_ms: 20, end_ms: 400 }],
    sample_rate_hz: 24_000,
    is_last: false,
  };
  const told = read(spokenMessage(header, Uint8Array.from([1, 0])));
  expect(told).toEqual({
    kind: 'spoken',
    chunk: {
      utterance: 'u-1',
      sentence: 'Fire.',
      sentenceBeginChar: 3,
      words: [{ beginChar: 3, endChar: 8, beginMs: 20 }],
      rateHz: 24_000,
      pcm: Uint8Array.from([1, 0]),
    },
  });
});

test('events and problems are read, and what cannot be read is passed over', () => {
  const event = transcriptEvent('t-1', 'How many?', 'query');
  expect(read(JSON.stringify({ type: 'transcript', data: event }))).toEqual({ kind: 'transcript', event });
  expect(read('{"type":"activity","data":{"state":"started"}}')).toEqual({ kind: 'activity', state: 'started' });
  expect(read('{"type":"problem","data":{"title":"Too much","detail":"slow down"}}')).toEqual({
    kind: 'problem',
    title: 'Too much',
    detail: 'slow down',
    isOfMicrophone: false,
  });
  const refused = read('{"type":"problem","id":"microphone","data":{"title":"No"}}');
  expect(refused).toMatchObject({ title: 'No', isOfMicrophone: true });
  const bad = ['', 'null', '{"type":"sung"}', '{"type":"activity","data":{"state":"sung"}}', '{"type":"activity"}'];
  expect(bad.map(read)).toEqual(bad.map(() => null));
  const cut = spokenMessage({ type: 'spoken' }, new Uint8Array(0)).slice(0, 9);
  expect([read(new ArrayBuffer(0)), read(cut), read(spokenMessage({ type: 'x' }, new Uint8Array(2)))]).toEqual([
    null,
    null,
    null,
  ]);
});
