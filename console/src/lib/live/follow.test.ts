import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { problem, scriptedFetch, streamed } from '../../testing/scripted_fetch';
import { onLoggedOut } from '../api/client';
import { follow, type Connection, type Following } from './follow';
import type { SentEvent } from './sse';

let following: Following | null = null;
let restore: () => void = () => undefined;

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  following?.close();
  restore();
  onLoggedOut(() => undefined);
  vi.useRealTimers();
});

function begin(...answers: Parameters<typeof scriptedFetch>) {
  const scripted = scriptedFetch(...answers);
  restore = scripted.restore;
  const events: SentEvent[] = [];
  const connections: Connection[] = [];
  following = follow('/v1/wall', {
    event: (event) => events.push(event),
    connection: (connection) => connections.push(connection),
  });
  return { asked: scripted.asked, events, states: () => connections.map(({ state }) => state) };
}

const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

describe('a stream that is followed', () => {
  test('goes on where it was when it broke', async () => {
    const { asked, events, states } = begin(
      (_, signal) => streamed(['id: d1\ndata: 1\n\n', 'id: d2\ndata: 2\n\nid: d3\nda'], signal),
      (_, signal) => streamed(['id: d3\ndata: 3\n\n'], signal, true),
    );
    await settle();
    expect(states()).toEqual(['connecting', 'live', 'lost']);
    await vi.advanceTimersByTimeAsync(500);
    expect(states()).toEqual(['connecting', 'live', 'lost', 'connecting', 'live']);
    expect(events.map(({ data }) => data)).toEqual(['1', '2', '3']);
    expect(asked.map(({ headers }) => headers.get('Last-Event-ID'))).toEqual([null, 'd2']);
  });

  test('is tried again later and later, as the gateway asks, and at once when somebody wants it', async () => {
    const { asked, states } = begin(
      () => problem(503, 'bus_away'),
      () => problem(429, 'too_many_streams', {}, { 'Retry-After': '9' }),
      (_, signal) => streamed([], signal, true),
    );
    await settle();
    await vi.advanceTimersByTimeAsync(500);
    expect(asked.length).toBe(2);
    await vi.advanceTimersByTimeAsync(8_700);
    expect(asked.length).toBe(2);
    following?.retryNow();
    await settle();
    expect(states().at(-1)).toBe('live');
  });

  test('that falls silent is opened again', async () => {
    const { asked, states } = begin((_, signal) => streamed([': here\n\n'], signal, true));
    await settle();
    await vi.advanceTimersByTimeAsync(39_000);
    expect(states().at(-1)).toBe('live');
    await vi.advanceTimersByTimeAsync(2_000);
    expect(asked.length).toBe(2);
  });

  test('ends with its session', async () => {
    const { asked, states } = begin((_, signal) =>
      streamed(['event: end\ndata: {"reason": "the session ended"}\n\n'], signal),
    );
    await vi.advanceTimersByTimeAsync(60_000);
    expect(states()).toEqual(['connecting', 'live', 'ended']);
    expect(asked.length).toBe(1);
  });

  test('goes on at another gateway when this one shuts down', async () => {
    const { asked } = begin((_, signal) =>
      streamed(['event: end\ndata: {"reason": "the gateway is shutting down: connect again"}\n\n'], signal),
    );
    await vi.advanceTimersByTimeAsync(500);
    expect(asked.length).toBeGreaterThan(1);
  });

  test('stops when the login is over', async () => {
    let told = 0;
    onLoggedOut(() => (told += 1));
    const { asked } = begin(() => problem(401, 'login_ended'));
    await vi.advanceTimersByTimeAsync(60_000);
    expect([asked.length, told]).toEqual([1, 1]);
  });

  test('stops when nobody wants it any more', async () => {
    const { asked, states } = begin(() => problem(503, 'bus_away'));
    await settle();
    following?.close();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked.length).toBe(1);
    expect(states()).toEqual(['connecting', 'lost']);
  });
});
