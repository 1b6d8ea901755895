import { flushSync, mount, unmount } from 'svelte';
import { afterEach, expect, test } from 'vitest';
import { json, problem, scriptedFetch } from '../../../testing/scripted_fetch';
import { NO_SPEECH } from './options';
import SpeechFields from './SpeechFields.svelte';

let page: ReturnType<typeof mount> | null = null;
let gateway: ReturnType<typeof scriptedFetch> | null = null;

afterEach(async () => {
  if (page !== null) await unmount(page);
  page = null;
  gateway?.restore();
});

async function show(isSpeaking: boolean): Promise<void> {
  page = mount(SpeechFields, {
    target: document.body,
    props: { draft: { ...NO_SPEECH, isSpeaking }, found: {}, hasSound: false },
  });
  flushSync();
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
  await new Promise((done) => setTimeout(done, 0));
  flushSync();
}

test('the voices that the workers have are proposed where it is to speak', async () => {
  gateway = scriptedFetch(() => json({ voices: ['ben', 'heart'] }));
  await show(true);
  const proposals = [...document.querySelectorAll('datalist option')].map((option) => option.getAttribute('value'));
  expect(proposals).toEqual(['ben', 'heart']);
  const id = document.querySelector('datalist')?.id ?? '';
  expect(document.querySelector(`input[list="${id}"]`)).not.toBeNull();
  expect(gateway.asked.length).toBe(1);
});

test('without a voice nobody is asked, and where nobody answers any name may be written', async () => {
  gateway = scriptedFetch(() => problem(503, 'store_unavailable'));
  await show(false);
  expect(gateway.asked.length).toBe(0);
  if (page !== null) await unmount(page);
  await show(true);
  expect(document.querySelectorAll('datalist option').length).toBe(0);
  expect(document.querySelector('input[list]')).not.toBeNull();
});
