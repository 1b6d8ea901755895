/** What the session is doing, in the wall's words, from what its roles say. */

import type { State } from '../../lib/session_state';
import type { RoleStatus } from './liveEvents';

export function sessionState(isEnded: boolean, said: readonly RoleStatus[], hasTurns: boolean): State {
  if (isEnded) return 'ended';
  const of = (role: string): RoleStatus | undefined => said.find((status) => status.role === role);
  const [source, decider] = [of('ingestion'), of('interaction')];
  if (decider?.cause === 'no_worker') return 'capacity';
  if (source?.state === 'reconnecting') return 'reconnecting';
  if (decider?.state === 'stalled') return 'stalled';
  if (hasTurns) return 'live';
  return source?.state === 'watching' ? 'waiting' : 'starting';
}

/** The sentences that the roles say beside their states: what is wrong, or worth knowing. */
export function remarks(said: readonly RoleStatus[]): readonly string[] {
  return [...new Set(said.map((status) => status.detail).filter((detail) => detail !== ''))];
}
