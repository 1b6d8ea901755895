/** One source on the wall. Each field changes by itself, so that a decision redraws its own tile and nothing else. */
import type { components } from '../api/schema';
import { stateOf, type State } from '../session_state';
import { stripTurn, type StripTurn } from '../ui/strip';

type TileEvent = components['schemas']['TileOut'];
type Decided = components['schemas']['TileDecision'];
type Earlier = components['schemas']['DecisionOut'];

/** More than the widest tile shows. */
const KEPT = 240;

export class Tile {
  readonly session: string;
  name = $state('');
  source = $state('');
  kind = $state('');
  state = $state<State>('starting');
  detail = $state('');
  newest = $state.raw<Decided | null>(null);
  turns = $state.raw<readonly StripTurn[]>([]);
  /** What the model said last, and when that was. */
  words = $state('');
  spokeAt = $state<string | null>(null);
  /** Which connection has told of it last: what a new one does not tell of has ended. */
  seenBy = 0;
  // The sequences of the turns that are kept.
  #first = Infinity;
  #last = -1;

  constructor(session: string) {
    this.session = session;
  }

  take(event: TileEvent): void {
    this.source = event.source.id;
    this.kind = event.source.kind;
    this.detail = event.detail;
    this.name = event.name || this.source || event.session;
    this.state = stateOf(event.state);
    if (event.last !== null && event.last.sequence > this.#last) this.#turn(event.last);
  }

  /** Put the turns that were before the first one that was heard of in front, oldest first. */
  fill(earlier: readonly Earlier[]): void {
    const missing = earlier.filter((turn) => turn.sequence < this.#first);
    this.turns = [...missing.map(stripTurn), ...this.turns].slice(-KEPT);
    this.#first = Math.min(this.#first, missing[0]?.sequence ?? this.#first);
    this.#last = Math.max(this.#last, missing.at(-1)?.sequence ?? this.#last);
    const spoken = missing.findLast((turn) => turn.action !== 'silent' && turn.text);
    if (this.words === '' && spoken) this.#say(spoken.text, spoken.capture_time);
  }

  #turn(last: Decided): void {
    this.newest = last;
    this.#first = Math.min(this.#first, last.sequence);
    this.#last = last.sequence;
    this.turns = [...this.turns.slice(1 - KEPT), stripTurn(last)];
    if (last.action !== 'silent' && last.text) this.#say(last.text, last.capture_time);
  }

  #say(words: string, at: string | null): void {
    this.words = words;
    this.spokeAt = at;
  }
}
