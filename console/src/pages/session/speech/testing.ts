/** Events and messages of speech for tests. */

import type { SpokenChunk } from './playback';

export function transcriptEvent(id: string, text: string, became: string | null = null): object {
  return {
    id: `s-1.transcript.${id}`,
    type: `vigil.transcript.${became === null ? 'partial' : 'final'}`,
    time: '2026-01-31T12:00:06.000Z',
    data: { transcript: id, text, became, end_time: '2026-01-31T12:00:05.000Z' },
  };
}

export function speechEvent(event: string, utterance: string, change: object = {}): object {
  return {
    id: `s-1.speech.${utterance}.${event}`,
    type: `vigil.speech.${event}`,
    time: '2026-01-31T12:00:06.000Z',
    data: { utterance, text: 'A fire has started.', heard: '', cause: '', ...change },
  };
}

/** A piece of spoken sound as the gateway sends it. */
export function spokenMessage(header: object, pcm: Uint8Array): ArrayBuffer {
  const head = new TextEncoder().encode(JSON.stringify(header));
  const message = new Uint8Array(4 + head.length + pcm.length);
  new DataView(message.buffer).setUint32(0, head.length);
  message.set(head, 4);
  message.set(pcm, 4 + head.length);
  return message.buffer;
}

/** Half a second of "A fire has started.", with its first two words. */
export function chunk(change: Partial<SpokenChunk> = {}): SpokenChunk {
  return {
    utterance: 's-1.utterance.9.4',
    sentence: 'A fire has started.',
    sentenceBeginChar: 0,
    words: [
      { beginChar: 0, endChar: 1, beginMs: 0 },
      { beginChar: 2, endChar: 6, beginMs: 200 },
    ],
    rateHz: 8_000,
    pcm: new Uint8Array(8_000),
    ...change,
  };
}
