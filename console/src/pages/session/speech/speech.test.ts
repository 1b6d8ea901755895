import { beforeEach, describe, expect, test } from 'vitest';
import { MicrophoneFailed } from './microphone';
import { CHUNK_SAMPLES } from './pcm';
import { LEAD_S } from './playback';
import { ScriptedBrowser } from './scripted_browser';
import { Speech } from './speech.svelte';
import { chunk, speechEvent, spokenMessage, transcriptEvent } from './testing';

let browser: ScriptedBrowser;
let speech: Speech;

beforeEach(() => {
  browser = new ScriptedBrowser();
  speech = new Speech(browser.ports);
  speech.open();
  browser.socket?.events.opened();
});

const SOUND = new Int16Array(CHUNK_SAMPLES).fill(7);

/** Lets the microphone be opened. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

async function holdFor(ms: number, chunks: number): Promise<void> {
  speech.pressDown();
  await settled();
  for (let count = 0; count < chunks; count += 1) browser.microphones.at(-1)?.hear(SOUND);
  browser.nowMs += ms;
  speech.pressUp();
}

describe('the microphone', () => {
  test('is closed until its button is pressed', () => {
    expect([browser.microphones.length, speech.isListening, browser.socket?.sent]).toEqual([0, false, []]);
  });

  test('held, sends what it hears and closes when it is let go; silence follows, which is meant for nobody', async () => {
    speech.pressDown();
    await settled();
    browser.microphones[0]?.hear(SOUND);
    browser.microphones[0]?.hear(SOUND);
    expect([speech.isListening, browser.socket?.told]).toEqual([true, [true, 2]]);
    browser.nowMs += 2_000;
    speech.pressUp();
    expect([browser.microphones[0]?.isClosed, speech.isListening, speech.press.state]).toEqual([true, false, 'off']);
    browser.pass();
    expect(browser.socket?.told).toEqual([true, 2, false, 25]);
    const last = browser.socket?.sent.at(-1) as Uint8Array;
    expect([last.length, last.every((byte) => byte === 0)]).toEqual([2 * CHUNK_SAMPLES, true]);
  });

  test('pressed shortly stays open until it is pressed again', async () => {
    await holdFor(100, 1);
    expect([speech.press.state, speech.isListening]).toEqual(['on', true]);
    speech.pressDown();
    speech.pressUp();
    expect([speech.press.state, browser.microphones[0]?.isClosed]).toEqual(['off', true]);
  });

  test('pressed again at once sends no more silence', async () => {
    await holdFor(1_000, 1);
    await holdFor(100, 3);
    browser.pass();
    expect(browser.socket?.told).toEqual([true, 4]);
  });

  test('that is let go while the browser asks for permission is not opened', async () => {
    speech.pressDown();
    browser.nowMs += 5_000;
    speech.pressUp();
    await settled();
    expect([browser.microphones[0]?.isClosed, speech.isListening]).toEqual([true, false]);
  });

  test('says why it cannot be opened, and can be tried again', async () => {
    browser.fault = new MicrophoneFailed('refused', 'denied');
    speech.toggle();
    await settled();
    expect([speech.press.state, speech.fault?.fault]).toEqual(['off', 'refused']);
    browser.fault = null;
    speech.toggle();
    await settled();
    expect([speech.isListening, speech.fault]).toEqual([true, null]);
  });

  test('that is unplugged is let go', async () => {
    await holdFor(100, 1);
    browser.microphones[0]?.lost();
    expect([speech.press.state, speech.isListening]).toEqual(['off', false]);
  });

  test('that the gateway refuses is closed, with the reason', async () => {
    await holdFor(100, 1);
    browser.socket?.events.message('{"type":"problem","id":"microphone","data":{"title":"No","detail":"not yours"}}');
    expect([speech.press.state, speech.problem]).toEqual(['off', 'No: not yours']);
  });

  test('counts what a slow connection and a lost one do not take, and says anew for whom it is on the next', async () => {
    const socket = browser.socket!;
    socket.bufferedAmount = 1_000_000;
    await holdFor(100, 60);
    expect([speech.dropped, socket.sent.length]).toEqual([11, 0]);
    socket.events.closed();
    browser.microphones[0]?.hear(SOUND);
    expect(speech.dropped).toBe(12);
    browser.pass();
    browser.socket?.events.opened();
    browser.microphones[0]?.hear(SOUND);
    expect([browser.sockets.length, browser.socket?.told, speech.dropped]).toEqual([2, [true, 1], 12]);
  });
});

describe('what is said', () => {
  const tell = (event: object): void =>
    browser.socket?.events.message(JSON.stringify({ type: 'transcript', data: event }));

  test('is shown while it is said, then as what it became', () => {
    tell(transcriptEvent('t-1', 'How'));
    tell(transcriptEvent('t-1', 'How many'));
    expect([speech.partial?.text, speech.finals]).toEqual(['How many', []]);
    tell(transcriptEvent('t-1', 'How many?', 'not_addressed'));
    tell(transcriptEvent('t-1', 'How many', null));
    speech.tell({ kind: 'transcript', event: transcriptEvent('t-1', 'How many?', 'not_addressed') });
    expect([speech.partial, speech.finals.map(({ became }) => became)]).toEqual([null, ['not_addressed']]);
  });
});

describe('what is spoken', () => {
  const UTTERANCE = 's-1.utterance.9.4';
  const spoken = (change = {}): void => speech.tell({ kind: 'spoken', chunk: chunk(change) });

  test('is played, and its words are lit as they sound', () => {
    const header = { type: 'spoken', utterance: UTTERANCE, sentence: 'Fire.', sample_rate_hz: 8_000, words: [] };
    browser.socket?.events.message(spokenMessage(header, new Uint8Array(8_000)));
    const [speaker] = browser.speakers;
    expect([speaker?.played.length, speech.isAudible, browser.isDrawing]).toEqual([1, true, true]);
    speaker!.nowS += LEAD_S + 0.1;
    browser.draw();
    expect(speech.caption).toEqual({ utterance: UTTERANCE, heard: '', word: 'Fire.', rest: '' });
    speaker!.nowS += 10;
    browser.draw();
    expect([speech.caption, browser.isDrawing]).toEqual([null, false]);
  });

  test('is shown where the browser lets no sound through, and heard once it does', () => {
    browser.hasBeenUsed = false;
    spoken();
    expect([speech.isAudible, browser.speakers.length, speech.caption?.rest]).toEqual([
      false,
      0,
      'A fire has started.',
    ]);
    browser.hasBeenUsed = true;
    spoken();
    expect([speech.isAudible, browser.speakers[0]?.played.length]).toEqual([true, 1]);
  });

  test('stops at once when an interruption is told', () => {
    spoken();
    speech.tell({ kind: 'activity', state: 'started' });
    expect(browser.speakers[0]?.isPaused).toBe(true);
    speech.tell({ kind: 'speech', event: speechEvent('interrupted', UTTERANCE, { heard: 'A fire' }) });
    expect([browser.speakers[0]?.played[0]?.isStopped, browser.speakers[0]?.isPaused]).toEqual([true, false]);
    expect(speech.marks.get(4)).toMatchObject({ state: 'interrupted', heard: 'A fire' });
    browser.draw();
    expect(speech.caption).toBeNull();
  });

  test('is marked as what became of it, in whatever order that is told', () => {
    speech.tell({ kind: 'speech', event: speechEvent('ended', UTTERANCE) });
    speech.tell({ kind: 'speech', event: speechEvent('started', UTTERANCE) });
    speech.tell({ kind: 'speech', event: speechEvent('started', 'a-1.1') });
    expect([...speech.marks].map(([turn, mark]) => [turn, mark.state])).toEqual([[4, 'ended']]);
  });

  test('is muted and not stopped', () => {
    speech.mute(true);
    spoken();
    expect([browser.speakers[0]?.isMuted, speech.caption !== null]).toEqual([true, true]);
    speech.mute(false);
    expect(browser.speakers[0]?.isMuted).toBe(false);
  });
});

test('a page that is left closes microphone, loudspeaker and connection', async () => {
  await holdFor(100, 1);
  speech.tell({ kind: 'spoken', chunk: chunk() });
  speech.close();
  browser.pass();
  expect([browser.microphones[0]?.isClosed, browser.socket?.isClosed, browser.speakers[0]?.isClosed]).toEqual([
    true,
    true,
    true,
  ]);
  expect([speech.link, speech.caption, browser.isDrawing, browser.sockets.length]).toEqual(['closed', null, false, 1]);
});
