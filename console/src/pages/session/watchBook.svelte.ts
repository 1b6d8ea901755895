/** The watches of one session: read, added, changed, removed. A change reaches the model at its next turn. */

import { api } from '../../lib/api/client';
import type { WatchIn, WatchOut } from './watches';

export class WatchBook {
  all = $state.raw<readonly WatchOut[]>([]);
  #reading = false;
  #again = false;

  /** Whether a watch has not reached the model yet. */
  readonly isPending = $derived(this.all.some((watch) => watch.pending));

  constructor(private readonly session: string) {}

  /** Reads them anew; while that is under way, another call reads once more after it. */
  async read(): Promise<void> {
    if (this.#reading) {
      this.#again = true;
      return;
    }
    this.#reading = true;
    try {
      do {
        this.#again = false;
        this.all = (await api.get('/v1/sessions/{session}/watches', { path: { session: this.session } })).watches;
      } while (this.#again);
    } finally {
      this.#reading = false;
    }
  }

  async add(watch: WatchIn): Promise<void> {
    await api.post('/v1/sessions/{session}/watches', { path: { session: this.session }, body: watch });
    await this.read();
  }

  async change(id: string, watch: WatchIn): Promise<void> {
    await api.put('/v1/sessions/{session}/watches/{watch_id}', {
      path: { session: this.session, watch_id: id },
      body: watch,
    });
    await this.read();
  }

  async remove(id: string): Promise<void> {
    await api.delete('/v1/sessions/{session}/watches/{watch_id}', { path: { session: this.session, watch_id: id } });
    this.all = this.all.filter((watch) => watch.id !== id);
  }
}
