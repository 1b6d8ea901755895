/** What was decided before the wall was opened, for the strips of the tiles that are looked at. */
import { request } from '../../lib/api/client';
import type { Tile } from '../../lib/live/tile.svelte';

const TURNS = 60;
const AT_ONCE = 3;

type Earlier = Parameters<Tile['fill']>[0];

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
  const first = tile.newest?.sequence;
  const before = first === undefined ? '' : `&before=${first - tile.turns.length + 1}`;
  try {
    const answer = await request(
      'get',
      `/v1/sessions/${encodeURIComponent(tile.session)}/turns?limit=${TURNS}${before}`,
    );
    const { turns } = (await answer.json()) as { turns: Earlier };
    tile.fill(turns.toReversed());
  } catch {
    // The strip then begins with what comes: nothing that happens from now on is missing.
  }
}
