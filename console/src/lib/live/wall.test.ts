import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { json, scriptedFetch, streamed, type Asked } from '../../testing/scripted_fetch';
import { approvals } from './approvals.svelte';
import { Wall } from './wall.svelte';

const wall = new Wall();
let end: () => void = () => undefined;
let restore: () => void = () => undefined;

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  end();
  restore();
  vi.useRealTimers();
});

function sent(event: string, data: unknown): string {
  return `event: ${event}\nid: x1\ndata: ${JSON.stringify(data)}\n\n`;
}

function tile(session: string, more: object = {}): string {
  return sent('tile', {
    session,
    name: session,
    source: { id: session, kind: 'rtsp' },
    state: 'live',
    detail: '',
    time_s: 1,
    last: turn(0),
    ...more,
  });
}

function turn(sequence: number, more: object = {}): object {
  return {
    sequence,
    time_s: sequence,
    capture_time: '2026-01-31T12:00:00Z',
    latency_ms: 80,
    action: 'silent',
    text: '',
    p: { speak: 0.1 },
    ...more,
  };
}

/** Follow a wall whose connections tell these texts, one after the other; the last one stays open. */
async function told(...connections: string[][]): Promise<void> {
  let made = 0;
  const answer = (asked: Asked, signal: AbortSignal | null): Response => {
    if (asked.address.startsWith('/v1/alerts')) return json({ alerts: [], next: null });
    if (asked.address.startsWith('/v1/approvals')) return json({ approvals: [] });
    made += 1;
    return streamed(connections[made - 1] ?? [], signal, made >= connections.length);
  };
  restore = scriptedFetch(answer).restore;
  end = wall.follow('demo');
  await vi.advanceTimersByTimeAsync(connections.length > 1 ? 1_000 : 0);
}

const names = (): string[] => wall.byUrgency.map((shown) => shown.name);

describe('the wall', () => {
  test('stands in the order of urgency', async () => {
    await told([
      tile('cam-10'),
      tile('cam-9'),
      tile('lost', { state: 'reconnecting' }),
      tile('stuck', { state: 'stalled' }),
      sent('alert', { type: 'vigil.alert.opened', data: { alert_id: 'a-1', session: 'cam-10', severity: 'info' } }),
    ]);
    expect(names()).toEqual(['cam-10', 'stuck', 'lost', 'cam-9']);
    expect(wall.worst.get('cam-10')).toBe('info');
  });

  test('keeps the newest turns of a source, each once, and its last words', async () => {
    const spoken = turn(6, { action: 'speak', text: 'Someone is there.' });
    const fifth = tile('a', { last: turn(5) });
    await told([fifth, fifth, tile('a', { last: spoken }), tile('a', { last: turn(7) }), tile('b', { last: null })]);
    const [a, b] = wall.byUrgency;
    expect(a?.turns.map(({ action }) => action)).toEqual(['silent', 'speak', 'silent']);
    expect(a?.words).toBe('Someone is there.');
    expect(b?.newest).toBeNull();
    a?.fill([turn(3), turn(4, { action: 'speak', text: 'Earlier.' }), turn(5), turn(6)] as never);
    expect(a?.turns.map(({ action }) => action)).toEqual(['silent', 'speak', 'silent', 'speak', 'silent']);
    expect(a?.words).toBe('Someone is there.');
  });

  test('shows that a source has ended, and then leaves it out', async () => {
    await told([tile('a'), tile('b'), sent('session', { type: 'vigil.session.ended', data: { session: 'a' } })]);
    expect(wall.tiles.map(({ state }) => state)).toEqual(['ended', 'live']);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(names()).toEqual(['b']);
  });

  test('ends what a new connection does not tell of', async () => {
    await told([tile('a'), tile('b')], [tile('b')]);
    await vi.advanceTimersByTimeAsync(9_000);
    expect(names()).toEqual(['b', 'a']);
    expect(wall.byUrgency.at(-1)?.state).toBe('ended');
  });

  test('passes over what it cannot read', async () => {
    await told([
      'event: tile\ndata: {\n\n',
      sent('tile', null),
      sent('tile', {}),
      sent('session', null),
      sent('alert', 3),
      tile('a'),
    ]);
    expect(names()).toEqual(['a']);
  });
});

test('the wall brings what brains ask to be allowed, and forgets it with the login', async () => {
  const data = { approval: 'p-1', session: 's-1', tool: 'open_ticket', arguments: '{}', summary: '' };
  await told([sent('approval', { type: 'vigil.approval.requested', time: '2026-01-31T12:00:00Z', data })]);
  expect(approvals.waiting.map(({ id, tool }) => [id, tool])).toEqual([['p-1', 'open_ticket']]);
  end();
  expect(approvals.all).toEqual([]);
});
