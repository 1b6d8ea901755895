import { beforeEach, describe, expect, test } from 'vitest';
import { Link, type LinkState, type Socket, type SocketEvents } from './link';

class ScriptedSocket implements Socket {
  bufferedAmount = 0;
  isClosed = false;

  constructor(readonly events: SocketEvents) {}

  send(): void {
    throw new Error('nothing is sent here');
  }

  close(): void {
    this.isClosed = true;
    this.events.closed();
  }
}

let sockets: ScriptedSocket[] = [];
let waits: { ms: number; act: () => void; isCancelled: boolean }[] = [];
let states: LinkState[] = [];
let messages: unknown[] = [];
let link: Link;

beforeEach(() => {
  [sockets, waits, states, messages] = [[], [], [], []];
  link = new Link(
    {
      connect: (events) => {
        const socket = new ScriptedSocket(events);
        sockets.push(socket);
        return socket;
      },
      after: (ms, act) => {
        const wait = { ms, act, isCancelled: false };
        waits.push(wait);
        return () => (wait.isCancelled = true);
      },
    },
    { state: (state) => states.push(state), message: (data) => messages.push(data) },
  );
});

describe('the connection for sound', () => {
  test('can be written to once it is open', () => {
    link.open();
    expect(link.sink).toBeNull();
    sockets[0]?.events.opened();
    expect(link.sink).toBe(sockets[0]);
    sockets[0]?.events.message('{}');
    expect([states, messages]).toEqual([['connecting', 'live'], ['{}']]);
  });

  test('is made again when it is lost, later each time', () => {
    link.open();
    for (let tries = 0; tries < 4; tries += 1) {
      sockets.at(-1)?.events.closed();
      waits.at(-1)?.act();
    }
    expect(sockets).toHaveLength(5);
    expect(waits[3]?.ms).toBeGreaterThan(waits[0]?.ms ?? Infinity);
    sockets[4]?.events.opened();
    sockets[4]?.events.closed();
    expect(waits[4]?.ms).toBeLessThanOrEqual(500);
    expect(link.sink).toBeNull();
  });

  test('that was closed stays closed and says nothing more', () => {
    link.open();
    sockets[0]?.events.opened();
    link.close();
    link.close();
    sockets[0]?.events.message('late');
    expect([sockets[0]?.isClosed, waits.length, messages]).toEqual([true, 0, []]);
    expect(states.at(-1)).toBe('closed');
  });

  test('that is closed while it waits is not made again', () => {
    link.open();
    sockets[0]?.events.closed();
    link.close();
    expect(waits[0]?.isCancelled).toBe(true);
  });
});
