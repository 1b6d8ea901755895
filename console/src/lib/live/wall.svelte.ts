/** Every source of the tenant, live: one stream for the whole console, for as long as somebody is logged in. */
import { api } from '../api/client';
import { urgency } from '../session_state';
import { approvals } from './approvals.svelte';
import { follow, type Connection, type Following } from './follow';
import { afterEvent, byUrgency, ofList, rank, worst, type OpenAlerts } from './open_alerts';
import type { SentEvent } from './sse';
import type { components } from '../api/schema';
import { Tile } from './tile.svelte';

type TileEvent = components['schemas']['TileOut'];

/** An ended source is shown for so long. */
const ENDED_SHOWN_MS = 60_000;
/** A new connection first tells of every open session: what it has not told of by then has ended meanwhile. */
const TOLD_WITHIN_MS = 8_000;

export class Wall {
  connection = $state.raw<Connection>({ state: 'connecting' });
  /** The first word has come. */
  known = $state(false);
  tiles = $state.raw<readonly Tile[]>([]);
  #alerts = $state.raw<OpenAlerts>(new Map());
  #bySession = new Map<string, Tile>();
  #following: Following | null = null;
  #connections = 0;
  #alertListeners = new Set<(event: unknown) => void>();

  readonly openAlerts = $derived(byUrgency(this.#alerts.values()));
  readonly worst = $derived(worst(this.openAlerts));

  /** The tiles with those that need somebody first. It is worked out anew when an alert or a state changes, not at each
   * decision. */
  readonly byUrgency = $derived.by(() => {
    const key = (tile: Tile): [number, number, string] => [
      rank(this.worst.get(tile.session)),
      urgency(tile.state),
      tile.name,
    ];
    return this.tiles
      .map((tile) => ({ tile, key: key(tile) }))
      .sort(
        (left, right) =>
          left.key[0] - right.key[0] ||
          left.key[1] - right.key[1] ||
          left.key[2].localeCompare(right.key[2], undefined, { numeric: true }),
      )
      .map(({ tile }) => tile);
  });

  /** Follow the wall; returns what ends it. `_tenant` is whose it is: another one begins anew. */
  follow(_tenant: string): () => void {
    this.#following = follow('/v1/wall', {
      event: (event) => this.take(event),
      connection: (connection) => this.#connected(connection),
      isOver: () => false,
    });
    return () => {
      this.#following?.close();
      this.#following = null;
      this.#bySession.clear();
      this.tiles = [];
      this.#alerts = new Map();
      approvals.forget();
      this.known = false;
    };
  }

  /** Have each alert event told to `listener` too, until what is returned is called. */
  onAlert(listener: (event: unknown) => void): () => void {
    this.#alertListeners.add(listener);
    return () => this.#alertListeners.delete(listener);
  }

  retryNow(): void {
    this.#following?.retryNow();
  }

  /** One event of the stream. One that cannot be read is left out: the next one may be readable. */
  take(event: SentEvent): void {
    this.known = true;
    const data = parsed(event.data);
    if (event.event === 'tile') this.#tile(data as TileEvent);
    else if (event.event === 'alert') this.#alert(data);
    else if (event.event === 'session') this.#session(data);
    else if (event.event === 'approval') approvals.take(data);
  }

  #connected(connection: Connection): void {
    this.connection = connection;
    if (connection.state !== 'live') return;
    this.#connections += 1;
    const current = this.#connections;
    void this.#readAlerts();
    void approvals.read();
    setTimeout(() => {
      this.known = true;
      if (this.#connections !== current || this.connection.state !== 'live') return;
      for (const tile of this.tiles) if (tile.seenBy !== current) this.#end(tile);
    }, TOLD_WITHIN_MS);
  }

  async #readAlerts(): Promise<void> {
    try {
      const { alerts } = await api.get('/v1/alerts', { query: { open: true, limit: 500 } });
      this.#alerts = ofList(alerts, this.#alerts);
    } catch {
      // The events of the stream still tell of what happens from now on, and the alerts page says what is wrong.
    }
  }

  #alert(event: unknown): void {
    this.#alerts = afterEvent(this.#alerts, event);
    for (const listener of this.#alertListeners) listener(event);
  }

  #tile(event: TileEvent | null): void {
    if (typeof event?.session !== 'string' || !event.source) return;
    let tile = this.#bySession.get(event.session);
    if (tile === undefined) {
      if (event.state === 'ended') return;
      tile = new Tile(event.session);
      this.#bySession.set(event.session, tile);
      this.tiles = [...this.tiles, tile];
    }
    tile.seenBy = this.#connections;
    tile.take(event);
    if (tile.state === 'ended') this.#end(tile);
  }

  #session(event: unknown): void {
    const { type, data } = (event ?? {}) as { type?: string; data?: { session?: string } };
    const tile = this.#bySession.get(data?.session ?? '');
    if (tile !== undefined && type === 'vigil.session.ended') this.#end(tile);
  }

  #end(tile: Tile): void {
    tile.state = 'ended';
    setTimeout(() => {
      if (tile.state !== 'ended' || this.#bySession.get(tile.session) !== tile) return;
      this.#bySession.delete(tile.session);
      this.tiles = this.tiles.filter((kept) => kept !== tile);
    }, ENDED_SHOWN_MS);
  }
}

function parsed(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    return null;
  }
}

export const wall = new Wall();
