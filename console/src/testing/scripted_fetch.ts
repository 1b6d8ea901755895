/** `fetch` that answers from a script, for tests of what talks to the gateway. */

export interface Asked {
  method: string;
  address: string;
  headers: Headers;
  body: unknown;
  /** Whether the request outlives the page. */
  keepalive: boolean;
}

type Answer = (asked: Asked, signal: AbortSignal | null) => Response | Promise<Response>;

/** Answers requests one after the other; the last answer stays. `restore` puts the browser's own back. */
export function scriptedFetch(...answers: Answer[]): { asked: Asked[]; restore: () => void } {
  const asked: Asked[] = [];
  const own = globalThis.fetch;
  globalThis.fetch = async (input, init) => {
    const request: Asked = {
      method: init?.method ?? 'GET',
      address: String(input),
      headers: new Headers(init?.headers),
      body: typeof init?.body === 'string' ? parsed(init.body) : undefined,
      keepalive: init?.keepalive ?? false,
    };
    asked.push(request);
    const answer = answers[Math.min(asked.length, answers.length) - 1];
    if (answer === undefined) throw new Error('the script has no answer');
    return answer(request, init?.signal ?? null);
  };
  return { asked, restore: () => (globalThis.fetch = own) };
}

/** JSON as its value, any other body as it is. */
function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}

export function json(body: unknown, status = 200): Response {
  return new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json' } });
}

export function problem(
  status: number,
  kind: string,
  more: object = {},
  headers: Record<string, string> = {},
): Response {
  const body = {
    type: `urn:vigil:problem:${kind}`,
    title: `title of ${kind}`,
    status,
    detail: `detail of ${kind}`,
    next_step: `next of ${kind}`,
    ...more,
  };
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'Content-Type': 'application/problem+json', ...headers },
  });
}

/** An answer whose text comes in pieces, and then ends; or, `open`, stays until it is aborted. */
export function streamed(pieces: readonly string[], signal: AbortSignal | null, open = false): Response {
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const piece of pieces) controller.enqueue(encoder.encode(piece));
      if (!open) controller.close();
      signal?.addEventListener('abort', () => controller.error(signal.reason));
    },
  });
  return new Response(body, { headers: { 'Content-Type': 'text/event-stream' } });
}

/** Server-sent events whose moment a test chooses; the stream stays open until it is aborted. */
export class LiveStream {
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  isAborted = false;

  answer(signal: AbortSignal | null): Response {
    const body = new ReadableStream<Uint8Array>({ start: (controller) => void (this.#controller = controller) });
    signal?.addEventListener('abort', () => {
      this.isAborted = true;
      this.#controller?.error(signal.reason);
    });
    return new Response(body, { headers: { 'Content-Type': 'text/event-stream' } });
  }

  send(event: string, data: unknown): void {
    const text = typeof data === 'string' ? data : JSON.stringify(data);
    this.#controller?.enqueue(new TextEncoder().encode(`event: ${event}\nid: x1\ndata: ${text}\n\n`));
  }

  /** The gateway says why, and closes the stream. */
  end(reason: string): void {
    this.send('end', { reason });
    this.#controller?.close();
  }
}
