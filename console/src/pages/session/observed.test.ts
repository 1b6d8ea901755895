import { flushSync, mount, unmount } from 'svelte';
import { afterEach, expect, test } from 'vitest';
import { json, scriptedFetch } from '../../testing/scripted_fetch';
import ConversationEntry from './ConversationEntry.svelte';
import type { Detail } from './api';
import type { Entry } from './conversation';
import { figures } from './figures';
import Settings from './Settings.svelte';
import { BEGIN_MS, spoken, turn } from './testing';
import TurnFacts from './TurnFacts.svelte';

const EVIL = 'faces (face): <img src=x onerror=alert(1)>';
const FIGURES = figures([]);

let page: ReturnType<typeof mount> | null = null;

afterEach(async () => {
  if (page !== null) await unmount(page);
  page = null;
});

function lines(): string[] {
  return [...document.querySelectorAll('.observed li, .words .note')].map((line) => line.textContent ?? '');
}

test('a turn shows what modules noticed, as text and nothing else', () => {
  const shown = turn(7, { observed: [EVIL, 'mqtt (temperature): 41 degrees'] });
  page = mount(TurnFacts, { target: document.body, props: { turn: shown, figures: FIGURES, session: 's-1' } });
  expect(lines()).toEqual([EVIL, 'mqtt (temperature): 41 degrees']);
  expect(document.querySelectorAll('img')).toHaveLength(0);
});

test('a turn of which modules said nothing has no such part', () => {
  page = mount(TurnFacts, { target: document.body, props: { turn: turn(7), figures: FIGURES, session: 's-1' } });
  expect(document.querySelector('.observed')).toBeNull();
});

test.each([
  ['observed', turn(7, { observed: [EVIL] })],
  ['utterance', spoken(7, 'Anna is here.', { observed: [EVIL] })],
] as const)('the conversation has it in an entry of the kind %s, which chooses its turn', (kind, of) => {
  const chosen: number[] = [];
  const entry = { kind, key: 'x7', atMs: BEGIN_MS, turn: of, alerts: [], speech: null } as unknown as Entry;
  const props = { session: 's-1', entry, chosen: null, choose: (sequence: number) => chosen.push(sequence) };
  page = mount(ConversationEntry, { target: document.body, props });
  expect(lines()).toEqual([EVIL]);
  document.querySelector('button')?.click();
  expect(chosen).toEqual([7]);
});

test('modules are switched off in the settings of a session that runs', async () => {
  const detail = {
    id: 's-1',
    cadence: { interval_ms: 1_000, frames_per_turn: 1 },
    speech: { response_mode: 'balanced' },
    brain: '',
    modules: { is_on: true, names: ['faces'] },
  } as unknown as Detail;
  const fetched = scriptedFetch(() => json({ ...detail, modules: { is_on: false, names: [] } }));
  try {
    const changes: Partial<Detail>[] = [];
    const props = { detail, mayChange: true, changed: (change: Partial<Detail>) => changes.push(change) };
    page = mount(Settings, { target: document.body, props });
    flushSync();
    const apply = document.querySelector<HTMLButtonElement>('button[type=submit]');
    expect(apply?.disabled).toBe(true);
    document.querySelector<HTMLInputElement>('input[type=checkbox]')?.click();
    flushSync();
    expect(apply?.disabled).toBe(false);
    document.querySelector('form')?.dispatchEvent(new SubmitEvent('submit', { cancelable: true }));
    await expect.poll(() => changes.length).toBe(1);
    expect(fetched.asked.map((asked) => asked.body)).toMatchObject([{ modules: { is_on: false, names: [] } }]);
  } finally {
    fetched.restore();
  }
});
