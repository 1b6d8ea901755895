/** What the brains of the tenant ask to be allowed: read when the wall is connected, then kept by live events. */

import { api } from '../api/client';
import { ofEvent, ofRow, waiting, withApproval, type Approval } from './approvals';

/** Which later requests are granted by themselves, too. */
export interface Pattern {
  /** A glob of the arguments: `*` stands for any text. */
  arguments: string;
  /** From now on; null: until somebody takes it back. */
  minutes: number | null;
}

export class Approvals {
  all = $state.raw<readonly Approval[]>([]);

  readonly waiting = $derived(waiting(this.all));

  async read(): Promise<void> {
    try {
      const { approvals } = await api.get('/v1/approvals');
      this.all = approvals.map(ofRow).reduce(withApproval, this.all);
    } catch {
      // The events of the stream still tell of what is asked from now on.
    }
  }

  take(event: unknown): void {
    this.all = withApproval(this.all, ofEvent(event));
  }

  of(session: string): readonly Approval[] {
    return this.all.filter((approval) => approval.session === session);
  }

  /** Grants or refuses. Throws `ApiProblem`, also where somebody else was sooner. */
  async decide(id: string, grant: boolean, pattern: Pattern | null = null): Promise<void> {
    const decided = await api.post('/v1/approvals/{approval}', {
      path: { approval: id },
      body: { grant, ...(pattern === null ? {} : { pattern }) },
    });
    this.all = withApproval(this.all, ofRow(decided));
  }

  forget(): void {
    this.all = [];
  }
}

export const approvals = new Approvals();
