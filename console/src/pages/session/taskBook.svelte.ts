/** The delegated questions of one session: read once, then kept by live events. */

import { api } from '../../lib/api/client';
import { task } from './liveEvents';
import { ofRecord, withTask, type Task } from './tasks';

export class TaskBook {
  all = $state.raw<readonly Task[]>([]);

  constructor(private readonly session: string) {}

  async read(): Promise<void> {
    const { tasks } = await api.get('/v1/sessions/{session}/tasks', { path: { session: this.session } });
    this.all = tasks.map(ofRecord).reduce(withTask, this.all);
  }

  /** Takes a `delegation` event in; whether the conversation may have changed by it. */
  take(event: unknown): boolean {
    const told = task(event);
    this.all = withTask(this.all, told);
    return told !== null && (told.openedMs !== undefined || told.outcome !== undefined);
  }

  /** Asks the brain to stop; an event tells when it has. */
  async cancel(id: string): Promise<void> {
    await api.delete('/v1/sessions/{session}/tasks/{task}', { path: { session: this.session, task: id } });
  }
}
