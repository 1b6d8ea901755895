import { expect, test } from 'vitest';
import { MOST_BUFFERED, MOST_WAITING, Outlet, type Message } from './outlet';

class Slow {
  bufferedAmount = 0;
  readonly sent: (number | string)[] = [];

  send(message: Message): void {
    this.sent.push(message[0] ?? -1);
    this.bufferedAmount += 1_280;
  }
}

const message = (number: number): Uint8Array<ArrayBuffer> => Uint8Array.from([number]);

test('a connection that takes everything gets everything at once', () => {
  const sink = new Slow();
  const outlet = new Outlet(sink);
  for (let number = 0; number < 100; number += 1) {
    outlet.offer(message(number));
    sink.bufferedAmount = 0;
  }
  expect([sink.sent.length, outlet.dropped]).toEqual([100, 0]);
});

test('a slow one gets the newest: the oldest that wait are dropped and counted', () => {
  const sink = new Slow();
  const outlet = new Outlet(sink);
  for (let number = 0; number < 200; number += 1) outlet.offer(message(number));
  const taken = Math.ceil(MOST_BUFFERED / 1_280);
  expect(sink.sent).toHaveLength(taken);
  expect(outlet.dropped).toBe(200 - taken - MOST_WAITING);
  sink.bufferedAmount = -1_000_000;
  outlet.offer(message(200));
  expect(sink.sent).toHaveLength(taken + MOST_WAITING + 1);
  expect(sink.sent.slice(taken)).toEqual(Array.from({ length: MOST_WAITING + 1 }, (_, index) => 150 + index));
});

test('words about the sound are never dropped, and keep their place', () => {
  const sink = new Slow();
  sink.bufferedAmount = MOST_BUFFERED;
  const outlet = new Outlet(sink);
  outlet.offer(message(1));
  outlet.offer('a word');
  for (let number = 0; number < MOST_WAITING; number += 1) outlet.offer(message(2));
  expect(outlet.dropped).toBe(2);
  sink.bufferedAmount = -1_000_000;
  outlet.offer(message(3));
  expect([sink.sent[0], sink.sent.length]).toEqual(['a', MOST_WAITING + 1]);
});
