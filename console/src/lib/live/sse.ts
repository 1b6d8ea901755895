/** Server-sent events, read from bytes as they come. Pure. https://html.spec.whatwg.org/multipage/server-sent-events.html */

export interface SentEvent {
  event: string;
  data: string;
  /** The last id that the stream has named, by this event or before. */
  id: string;
}

/** Takes text in pieces of any size; gives each event once it is whole. What is cut off by the end is dropped. */
export class SseReader {
  #rest = '';
  #event = '';
  #data: string[] = [];
  #id = '';

  take(text: string): SentEvent[] {
    // A carriage return at the end may be half of a line end: it waits for what comes next.
    const all = this.#rest + text;
    const held = all.endsWith('\r') ? 1 : 0;
    const lines = all.slice(0, all.length - held).split(/\r\n|\n|\r/);
    this.#rest = (lines.pop() ?? '') + all.slice(all.length - held);
    return lines.map((line) => this.#line(line)).filter((event) => event !== null);
  }

  #line(line: string): SentEvent | null {
    if (line === '') return this.#whole();
    const colon = line.indexOf(':');
    if (colon === 0) return null;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') this.#event = value;
    else if (field === 'data') this.#data.push(value);
    else if (field === 'id' && !value.includes('\0')) this.#id = value;
    return null;
  }

  #whole(): SentEvent | null {
    const event = { event: this.#event || 'message', data: this.#data.join('\n'), id: this.#id };
    const isEmpty = this.#data.length === 0;
    this.#event = '';
    this.#data = [];
    return isEmpty ? null : event;
  }
}
