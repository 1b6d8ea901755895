/** How the system is: asked when the page is opened, when a source changes its state, and from time to time. */
import { api } from '../../lib/api/client';
import { asProblem, type ApiProblem } from '../../lib/api/problem';
import type { components } from '../../lib/api/schema';
import { wall } from '../../lib/live/wall.svelte';
import { faultsOf, type Fault } from './faults';

export type Health = components['schemas']['HealthOut'];
export type Model = components['schemas']['ModelOut'];

export interface Link {
  name: string;
  url: string;
}

const AGAIN_MS = 15_000;
/** Sessions whose faults are looked up at a time. */
const MOST_FAULTY = 20;

export class SystemState {
  health = $state.raw<Health | null>(null);
  models = $state.raw<readonly Model[]>([]);
  links = $state.raw<readonly Link[]>([]);
  faults = $state.raw<readonly Fault[]>([]);
  problem = $state.raw<ApiProblem | null>(null);
  lookedAt = $state<number | null>(null);
  isLooking = $state(false);

  /** Look now and from time to time while the page is on the screen; returns what ends that. */
  follow(): () => void {
    void this.look();
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') void this.look();
    }, AGAIN_MS);
    return () => clearInterval(timer);
  }

  async look(): Promise<void> {
    this.isLooking = true;
    try {
      const [health, models, console] = await Promise.all([
        api.get('/v1/health'),
        api.get('/v1/models'),
        api.get('/v1/console'),
      ]);
      this.health = health;
      this.models = models.data;
      this.links = console.links;
      this.problem = null;
      this.lookedAt = Date.now();
      await this.lookAtFaults();
    } catch (error) {
      this.problem = asProblem(error);
    } finally {
      this.isLooking = false;
    }
  }

  /** What the roles say of the sources that are not live. */
  async lookAtFaults(): Promise<void> {
    const troubled = wall.byUrgency
      .filter((tile) => tile.state !== 'live' && tile.state !== 'ended')
      .slice(0, MOST_FAULTY);
    const found = await Promise.all(
      troubled.map(async (tile) => {
        const detail = await api.get('/v1/sessions/{session}', { path: { session: tile.session } });
        return faultsOf(tile.session, tile.name, detail.status);
      }),
    );
    this.faults = found.flat();
  }
}
