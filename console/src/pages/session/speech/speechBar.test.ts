import { flushSync, mount, unmount } from 'svelte';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { language } from '../../../lib/i18n/index.svelte';
import type { Detail } from '../api';
import { MicrophoneFailed } from './microphone';
import { ScriptedBrowser } from './scripted_browser';
import { Speech } from './speech.svelte';
import SpeechBar from './SpeechBar.svelte';
import { chunk, transcriptEvent } from './testing';

const HEARING: Detail['hearing'] = {
  is_on: true,
  from_source: false,
  turn_taking: 'wake',
  wake_phrase: 'hey <b>',
  language: '',
};
const VOICE: Detail['voice'] = { is_on: true, name: '', speed: 1, language: '' };

let browser: ScriptedBrowser;
let speech: Speech;
let page: ReturnType<typeof mount> | null = null;

beforeEach(() => {
  browser = new ScriptedBrowser();
  speech = new Speech(browser.ports);
  speech.open();
  browser.socket?.events.opened();
});

afterEach(async () => {
  speech.close();
  if (page !== null) await unmount(page);
  page = null;
});

function show(change: object = {}): void {
  page = mount(SpeechBar, {
    target: document.body,
    props: { speech, hearing: HEARING, voice: VOICE, maySpeak: true, ...change },
  });
  flushSync();
}

function button(name: RegExp): HTMLButtonElement | undefined {
  return [...document.querySelectorAll('button')].find((found) => name.test(found.getAttribute('aria-label') ?? ''));
}

function text(selector: string): string {
  return document.querySelector(selector)?.textContent?.trim() ?? '';
}

async function press(event: Event, on: HTMLElement | undefined = button(/^Microphone/)): Promise<void> {
  on?.dispatchEvent(event);
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  flushSync();
}

const key = (type: string, change = {}): KeyboardEvent =>
  new KeyboardEvent(type, { key: ' ', cancelable: true, bubbles: true, ...change });

test('the space bar holds the microphone open while the button has the focus', async () => {
  show();
  expect(button(/^Microphone/)?.getAttribute('aria-pressed')).toBe('false');
  const down = key('keydown');
  await press(down);
  await press(key('keydown', { repeat: true }));
  expect([button(/^Microphone/)?.getAttribute('aria-pressed'), down.defaultPrevented]).toEqual(['true', true]);
  expect(text('[role=status]')).toBe('Listening; let go to stop');
  browser.nowMs += 1_000;
  await press(key('keyup'));
  expect([button(/^Microphone/)?.getAttribute('aria-pressed'), browser.microphones[0]?.isClosed]).toEqual([
    'false',
    true,
  ]);
});

test('a screen reader turns it on and off', async () => {
  show();
  await press(new MouseEvent('click', { detail: 0, bubbles: true }));
  expect([speech.press.state, text('[role=status]')]).toEqual(['on', 'Listening; press again to stop']);
  await press(new MouseEvent('click', { detail: 0, bubbles: true }));
  expect(speech.press.state).toBe('off');
  // The click that ends a press with the pointer is no press of its own.
  await press(new MouseEvent('click', { detail: 1, bubbles: true }));
  expect(speech.press.state).toBe('off');
});

test('who may not speak has captions and the voice, and no microphone', () => {
  show({ maySpeak: false });
  expect([button(/^Microphone/), button(/^Mute/) !== undefined]).toEqual([undefined, true]);
});

test('a session that only hears has no voice to mute, and one that only speaks no microphone', async () => {
  show({ voice: { ...VOICE, is_on: false } });
  expect([button(/^Microphone/) !== undefined, button(/^Mute/)]).toEqual([true, undefined]);
  await unmount(page!);
  show({ hearing: { ...HEARING, is_on: false } });
  expect([button(/^Microphone/), button(/^Mute/) !== undefined]).toEqual([undefined, true]);
});

test('the mute button says how it is', async () => {
  show();
  await press(new MouseEvent('click', { detail: 1, bubbles: true }), button(/^Mute/));
  expect([speech.isMuted, button(/^Mute/)?.getAttribute('aria-pressed')]).toEqual([true, 'true']);
});

test('words that are said and words that are spoken are shown as text', () => {
  show();
  speech.tell({ kind: 'transcript', event: transcriptEvent('t-1', '<i>How</i>') });
  speech.tell({ kind: 'spoken', chunk: chunk({ sentence: '<img src=x> Fire.', words: [] }) });
  browser.speakers[0]!.nowS += 0.2;
  browser.draw();
  flushSync();
  expect(text('.partial')).toBe('Being said: <i>How</i> …'.replace('said: ', 'said:'));
  expect(text('.caption mark')).toBe('<img src=x> Fire.');
  expect(document.querySelectorAll('.speech img, .speech i')).toHaveLength(0);
});

test('what is wrong is said, in the language of the page', async () => {
  browser.fault = new MicrophoneFailed('missing', '');
  show();
  expect(text('[role=status]')).toBe('Hold to talk. Begin with “hey <b>”.');
  await press(key('keydown'));
  expect(text('[role=status]')).toBe('No microphone is connected.');
  const before = language.code;
  language.choose('zh');
  flushSync();
  expect(text('[role=status]')).toBe('没有连接麦克风。');
  language.choose(before);
});

test('sound for which there was no room is counted', () => {
  show();
  browser.socket?.events.closed();
  speech.dropped = 3;
  flushSync();
  expect(text('.row span')).toBe('3 pieces of sound dropped');
  expect(text('[role=status]')).toBe('The connection for sound is lost; it is made again.');
});
