/**
 * The messages of `/v1/sessions/{id}/audio`, read and written; nothing else knows their form. Pure.
 *
 * Sound is 16-bit little-endian mono samples. That of the microphone is a binary message as it is; what is spoken is one of
 * four bytes with the length of a header (unsigned, big-endian), the header (JSON), the samples.
 */

import type { SpokenChunk, SpokenWord, VoiceState } from './playback';
import { HEARD_RATE_HZ } from './resampler';

/** What the gateway tells. */
export type Told =
  | { readonly kind: 'spoken'; readonly chunk: SpokenChunk }
  | { readonly kind: 'activity'; readonly state: VoiceState }
  /** A CloudEvent of what was said. */
  | { readonly kind: 'transcript'; readonly event: unknown }
  /** A CloudEvent of what is spoken. */
  | { readonly kind: 'speech'; readonly event: unknown }
  /** What was wrong; `isOfMicrophone`: with opening the microphone. */
  | { readonly kind: 'problem'; readonly title: string; readonly detail: string; readonly isOfMicrophone: boolean };

const LENGTH_BYTES = 4;
const VOICE_STATES: readonly string[] = ['started', 'stopped', 'false_start'];

/** The address of a session's sound. */
export function audioAddress(session: string, place: { protocol: string; host: string }): string {
  const scheme = place.protocol === 'https:' ? 'wss:' : 'ws:';
  return `${scheme}//${place.host}/v1/sessions/${encodeURIComponent(session)}/audio`;
}

const MICROPHONE = 'microphone';

/** Goes before the first sound, and whenever the button was pressed or released: whether the speaker means the session. */
export function microphoneMessage(isAddressed: boolean): string {
  return JSON.stringify({ type: MICROPHONE, id: MICROPHONE, sample_rate_hz: HEARD_RATE_HZ, is_addressed: isAddressed });
}

/** A message of the gateway; null for what cannot be read, and for kinds that are newer than this page. */
export function read(message: string | ArrayBuffer): Told | null {
  try {
    return typeof message === 'string' ? readText(message) : readBinary(new Uint8Array(message));
  } catch {
    return null;
  }
}

function readText(message: string): Told | null {
  const { type, id, data } = JSON.parse(message) as { type?: unknown; id?: unknown; data?: Record<string, unknown> };
  if (type === 'transcript' || type === 'speech') return { kind: type, event: data };
  if (type === 'activity' && VOICE_STATES.includes(String(data?.state)))
    return { kind: 'activity', state: data?.state as VoiceState };
  if (type === 'problem')
    return { kind: 'problem', title: text(data?.title), detail: text(data?.detail), isOfMicrophone: id === MICROPHONE };
  return null;
}

function readBinary(message: Uint8Array): Told | null {
  const length = new DataView(message.buffer, message.byteOffset).getUint32(0);
  const begin = LENGTH_BYTES + length;
  if (begin > message.length) return null;
  const header = JSON.parse(new TextDecoder().decode(message.subarray(LENGTH_BYTES, begin))) as Record<string, unknown>;
  if (header.type !== 'spoken') return null;
  return { kind: 'spoken', chunk: spoken(header, message.subarray(begin)) };
}

function spoken(header: Record<string, unknown>, pcm: Uint8Array): SpokenChunk {
  const words = Array.isArray(header.words) ? header.words.map(word) : [];
  return {
    utterance: text(header.utterance),
    sentence: text(header.sentence),
    sentenceBeginChar: Number(header.sentence_begin_char) || 0,
    words,
    rateHz: Number(header.sample_rate_hz),
    pcm,
  };
}

function word(told: Record<string, unknown>): SpokenWord {
  return { beginChar: Number(told.begin_char), endChar: Number(told.end_char), beginMs: Number(told.begin_ms) };
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
