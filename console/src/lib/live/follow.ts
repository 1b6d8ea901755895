/**
 * Follow a stream of server-sent events for as long as somebody wants it.
 *
 * A stream that ends or falls silent is opened again, from where it was (`Last-Event-ID`). It says when it lost its
 * connection and when the next try is. The browser's `EventSource` does neither say why nor when, and gives up for good
 * at the first refusal: therefore `fetch`.
 */
import { loggedOut } from '../api/client';
import { asProblem, problemOf, type ApiProblem } from '../api/problem';
import { waitMs } from './backoff';
import { SseReader, type SentEvent } from './sse';

export type Connection =
  | { state: 'connecting' }
  | { state: 'live' }
  /** `retryAt` is in milliseconds of `Date.now()`. */
  | { state: 'lost'; retryAt: number; problem: ApiProblem | null }
  | { state: 'ended'; reason: string };

export interface Follower {
  event: (event: SentEvent) => void;
  connection: (connection: Connection) => void;
  /** Whether the stream is over for good when it ends with this reason; else it is opened again. */
  isOver?: (reason: string) => boolean;
}

export interface Following {
  close: () => void;
  retryNow: () => void;
}

// The gateway sends a comment at least every 15 seconds.
const SILENCE_MS = 40_000;
const OVER = 'the session ended';

/** Begin to follow `address`; `close` ends it. */
export function follow(address: string, follower: Follower): Following {
  const closed = new AbortController();
  let wake: () => void = () => undefined;
  const retryNow = (): void => wake();
  const again = (): void => {
    if (document.visibilityState === 'visible') wake();
  };
  addEventListener('online', retryNow, { signal: closed.signal });
  document.addEventListener('visibilitychange', again, { signal: closed.signal });

  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  void run(address, follower, closed.signal, pause);
  return {
    close: () => {
      closed.abort();
      wake();
    },
    retryNow,
  };
}

async function run(
  address: string,
  follower: Follower,
  closed: AbortSignal,
  pause: (ms: number) => Promise<void>,
): Promise<void> {
  const isOver = follower.isOver ?? ((reason: string) => reason === OVER);
  const place = { id: '' };
  let failures = 0;
  while (!closed.aborted) {
    follower.connection({ state: 'connecting' });
    let problem: ApiProblem | null = null;
    try {
      const reason = await readOnce(address, place, closed, follower, () => (failures = 0));
      if (reason !== null && isOver(reason)) {
        follower.connection({ state: 'ended', reason });
        return;
      }
    } catch (error) {
      problem = asProblem(error);
    }
    if (closed.aborted) return;
    if (problem?.isLoggedOut) {
      loggedOut();
      return;
    }
    failures += 1;
    const wait = waitMs(failures, Math.random(), problem?.retryAfterS);
    follower.connection({ state: 'lost', retryAt: Date.now() + wait, problem });
    await pause(wait);
  }
}

/** Read one connection to its end; the reason that its `end` event gave, null when it just broke. */
async function readOnce(
  address: string,
  place: { id: string },
  closed: AbortSignal,
  follower: Follower,
  opened: () => void,
): Promise<string | null> {
  const silent = new AbortController();
  const headers = new Headers({ Accept: 'text/event-stream' });
  if (place.id) headers.set('Last-Event-ID', place.id);
  let timer = setTimeout(() => silent.abort(), SILENCE_MS);
  try {
    const answer = await fetch(address, {
      headers,
      credentials: 'same-origin',
      cache: 'no-store',
      signal: AbortSignal.any([closed, silent.signal]),
    });
    if (!answer.ok || answer.body === null) throw await problemOf(answer);
    opened();
    follower.connection({ state: 'live' });
    const reader = new SseReader();
    const decoder = new TextDecoder();
    let reason: string | null = null;
    for await (const bytes of answer.body) {
      clearTimeout(timer);
      timer = setTimeout(() => silent.abort(), SILENCE_MS);
      for (const event of reader.take(decoder.decode(bytes, { stream: true }))) {
        place.id = event.id;
        if (event.event === 'end') reason = reasonOf(event.data);
        follower.event(event);
      }
    }
    return reason;
  } finally {
    clearTimeout(timer);
  }
}

function reasonOf(data: string): string {
  const end = JSON.parse(data) as { reason?: string };
  return end.reason ?? '';
}
