/** One source on the wall. Each field changes by itself, so that a decision redraws its own tile and nothing else. */
import { stateOf, type State } from '../session_state';
import { stripTurn, type Action, type StripTurn } from '../ui/strip';

/** What a tile event tells of the newest turn. */
export interface Summary {
  sequence: number;
  time_s: number;
  capture_time: string;
  latency_ms: number;
  action: Action;
  spoke?: boolean;
  text: string;
  question?: string;
  p: Record<string, number> | null;
  malformed?: string;
  frames_skipped?: number;
  frames?: number;
}

export interface TileEvent {
  session: string;
  name: string;
  source: string | { id: string; kind?: string };
  state: string;
  last: Summary | null;
  time_s: number | null;
}

/** More than the widest tile shows. */
const KEPT = 240;

export class Tile {
  readonly session: string;
  name = $state('');
  source = $state('');
  state = $state<State>('starting');
  newest = $state.raw<Summary | null>(null);
  turns = $state.raw<readonly StripTurn[]>([]);
  /** What the model said last, and when that was. */
  words = $state('');
  spokeAt = $state<string | null>(null);
  /** Which connection has told of it last: what a new one does not tell of has ended. */
  seenBy = 0;

  constructor(session: string) {
    this.session = session;
  }

  take(event: TileEvent): void {
    this.source = typeof event.source === 'string' ? event.source : event.source.id;
    this.name = event.name || this.source || event.session;
    this.state = stateOf(event.state);
    if (event.last !== null && event.last.sequence !== this.newest?.sequence) this.#turn(event.last);
  }

  /** Put the turns that were before the first one that was heard of in front, oldest first. */
  fill(earlier: readonly (Parameters<typeof stripTurn>[0] & { text?: string; capture_time?: string })[]): void {
    this.turns = [...earlier.map(stripTurn), ...this.turns].slice(-KEPT);
    const spoken = earlier.findLast((turn) => turn.action !== 'silent' && turn.text);
    if (this.words === '' && spoken) this.#say(spoken.text ?? '', spoken.capture_time ?? null);
  }

  #turn(last: Summary): void {
    this.newest = last;
    this.turns = [...this.turns.slice(1 - KEPT), stripTurn(last)];
    if (last.action !== 'silent' && last.text) this.#say(last.text, last.capture_time);
  }

  #say(words: string, at: string | null): void {
    this.words = words;
    this.spokeAt = at;
  }
}
