/** What was decided before the wall was opened, for the strips of the tiles that are looked at. */
import { api } from '../../lib/api/client';
import type { Tile } from '../../lib/live/tile.svelte';

const TURNS = 60;
const AT_ONCE = 3;

const asked = new WeakSet<Tile>();
const waiting: Tile[] = [];
let underway = 0;

/** Fill the tile's strip once. A few tiles at a time: the live pictures come first. */
export function earlierTurns(tile: Tile): void {
  if (asked.has(tile)) return;
  asked.add(tile);
  waiting.push(tile);
  next();
}

function next(): void {
  while (underway < AT_ONCE) {
    const tile = waiting.shift();
    if (tile === undefined) return;
    underway += 1;
    void read(tile).finally(() => {
      underway -= 1;
      next();
    });
  }
}

async function read(tile: Tile): Promise<void> {
  const heard = tile.newest === null ? null : tile.newest.sequence - tile.turns.length + 1;
  try {
    const { turns } = await api.get('/v1/sessions/{session}/turns', {
      path: { session: tile.session },
      query: { limit: TURNS, before: heard },
    });
    tile.fill(turns.toReversed());
  } catch {
    // The strip then begins with what comes: nothing that happens from now on is missing.
  }
}
