/**
 * Messages on their way into a connection that may be slow. At most `MOST_WAITING` wait; then the oldest sound is dropped
 * and counted: a session that hears late hears wrong. Words about the sound are texts and are never dropped.
 */

/** What this writes to: a WebSocket. */
export interface Sink {
  /** Bytes that the browser has taken and not sent yet. */
  readonly bufferedAmount: number;
  send: (message: Message) => void;
}

export type Message = string | Uint8Array<ArrayBuffer>;

/** Two seconds of sound. */
export const MOST_WAITING = 50;
/** Half a second of sound in the browser's own buffer; the rest waits here, where it can be dropped. */
export const MOST_BUFFERED = 16_000;

export class Outlet {
  #waiting: Message[] = [];
  #dropped = 0;

  constructor(private readonly sink: Sink) {}

  /** How many were dropped so far. */
  get dropped(): number {
    return this.#dropped;
  }

  offer(message: Message): void {
    this.#waiting.push(message);
    while (this.#waiting.length > 0 && this.sink.bufferedAmount < MOST_BUFFERED) {
      const next = this.#waiting.shift();
      if (next !== undefined) this.sink.send(next);
    }
    while (this.#waiting.length > MOST_WAITING) {
      this.#waiting.splice(
        Math.max(
          0,
          this.#waiting.findIndex((waiting) => typeof waiting !== 'string'),
        ),
        1,
      );
      this.#dropped += 1;
    }
  }
}
