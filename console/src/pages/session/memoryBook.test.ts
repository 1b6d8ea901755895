import { flushSync, mount, unmount } from 'svelte';
import { afterEach, describe, expect, test } from 'vitest';
import { json, problem, scriptedFetch } from '../../testing/scripted_fetch';
import Memory from './Memory.svelte';
import { MemoryBook } from './memoryBook.svelte';
import { MEMORY } from './testing';

const ADDRESS = '/v1/sessions/s-1/memory';
const RECALL = {
  session: 's-1',
  question: 'Which van?',
  from_s: null,
  to_s: null,
  lines: [
    {
      kind: 'block',
      from_s: 500,
      to_s: 600,
      from_at: null,
      to_at: null,
      text: '<img src=x onerror=alert(1)>',
      frames: [],
    },
  ],
};

let restore: () => void = () => undefined;

afterEach(() => restore());

function book(...answers: Parameters<typeof scriptedFetch>) {
  const scripted = scriptedFetch(...answers);
  restore = scripted.restore;
  return { book: new MemoryBook('s-1'), asked: scripted.asked };
}

describe('the memory of a session', () => {
  test('is read anew when a block was written, once somebody has looked at it', async () => {
    const { book: memory, asked } = book(
      () => json(MEMORY),
      () => json({ ...MEMORY, unwritten: [] }),
    );
    memory.changed();
    expect(asked).toHaveLength(0);
    await memory.read();
    expect(memory.spans.map(({ tier }) => tier)).toEqual(['long', 'mid', 'unwritten', 'turns']);
    await memory.read();
    expect(memory.spans.map(({ tier }) => tier)).toEqual(['long', 'mid', 'turns']);
    expect(asked.map(({ address }) => address)).toEqual([ADDRESS, ADDRESS]);
  });

  test('is asked in the time zone of the browser, and says why nothing came', async () => {
    const { book: memory, asked } = book(
      () => json(RECALL),
      () => problem(503, 'memory_unavailable'),
    );
    await memory.recall('Which van?');
    expect(asked[0]?.body).toEqual({
      question: 'Which van?',
      time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
      lines: 8,
    });
    expect(memory.recalled?.lines).toHaveLength(1);
    await memory.recall('Which van?');
    expect([memory.recalled, memory.problem?.kind, memory.isAsking]).toEqual([null, 'memory_unavailable', false]);
  });

  test('shows what a summariser wrote as text, and runs nothing of it', async () => {
    const evil = '<script>alert(1)</script> A van.';
    const { book: memory } = book(
      () => json({ ...MEMORY, blocks: [{ ...MEMORY.blocks[0], text: evil }] }),
      () => json(RECALL),
    );
    await memory.read();
    await memory.recall('Which van?');
    const page = mount(Memory, { target: document.body, props: { book: memory, isEnded: false } });
    flushSync();
    document.querySelector<HTMLButtonElement>('button.long')!.click();
    flushSync();
    expect(document.querySelector('.chosen .text')?.textContent).toBe(evil);
    expect(document.querySelector('.recalled .text')?.textContent).toBe('<img src=x onerror=alert(1)>');
    expect(document.querySelectorAll('script, .recalled img')).toHaveLength(0);
    expect(document.querySelectorAll('button.span')).toHaveLength(3);
    await unmount(page);
  });
});
