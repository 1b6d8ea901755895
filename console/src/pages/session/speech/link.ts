/** The connection that carries a session's sound both ways. It is made again whenever it is lost, later each time. */

import { waitMs } from '../../../lib/live/backoff';
import type { Sink } from './outlet';

export interface Socket extends Sink {
  close: () => void;
}

export interface SocketEvents {
  opened: () => void;
  message: (data: string | ArrayBuffer) => void;
  closed: () => void;
}

export interface LinkPorts {
  connect: (events: SocketEvents) => Socket;
  /** Calls back after so many milliseconds; what it returns ends that. */
  after: (ms: number, act: () => void) => () => void;
}

export type LinkState = 'connecting' | 'live' | 'lost' | 'closed';

export interface LinkEvents {
  state: (state: LinkState) => void;
  message: (data: string | ArrayBuffer) => void;
}

export class Link {
  #socket: Socket | null = null;
  #live: Socket | null = null;
  #failures = 0;
  #cancel: () => void = () => undefined;
  #isClosed = false;

  constructor(
    private readonly ports: LinkPorts,
    private readonly events: LinkEvents,
  ) {}

  /** Where to write; null while there is no connection. Another connection is another value. */
  get sink(): Sink | null {
    return this.#live;
  }

  open(): void {
    this.events.state('connecting');
    this.#socket = this.ports.connect({
      opened: () => this.#opened(),
      message: (data) => {
        if (!this.#isClosed) this.events.message(data);
      },
      closed: () => this.#lost(),
    });
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#cancel();
    this.#live = null;
    this.#socket?.close();
    this.events.state('closed');
  }

  #opened(): void {
    if (this.#isClosed) return;
    this.#failures = 0;
    this.#live = this.#socket;
    this.events.state('live');
  }

  #lost(): void {
    this.#live = null;
    if (this.#isClosed) return;
    this.#failures += 1;
    this.events.state('lost');
    this.#cancel = this.ports.after(waitMs(this.#failures, Math.random()), () => this.open());
  }
}

/** A WebSocket of this browser. */
export function webSocket(address: string, events: SocketEvents): Socket {
  const socket = new WebSocket(address);
  socket.binaryType = 'arraybuffer';
  socket.onopen = () => events.opened();
  socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => events.message(data);
  socket.onclose = () => events.closed();
  return socket;
}
