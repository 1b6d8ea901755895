/** Alerts as the API tells of them, and how they stand. */

import type { components } from '../../lib/api/schema';

export type Alert = components['schemas']['AlertOut'];
export type AlertDetail = components['schemas']['AlertDetail'];
export type Severity = Alert['severity'];

export const SEVERITIES: readonly Severity[] = ['critical', 'warning', 'info'];

export type Standing = 'open' | 'acknowledged' | 'muted' | 'closed';

/** How an alert stands at `nowMs`: a mute that is over counts no more. */
export function standing(alert: Alert, nowMs: number): Standing {
  if (!alert.open) return 'closed';
  if (isMuted(alert, nowMs)) return 'muted';
  return alert.acknowledged_at === null ? 'open' : 'acknowledged';
}

export function isMuted(alert: Alert, nowMs: number): boolean {
  return alert.muted_until !== null && Date.parse(alert.muted_until) > nowMs;
}

/** Whether somebody still has to look at it. */
export function needsAttention(alert: Alert, nowMs: number): boolean {
  return standing(alert, nowMs) === 'open';
}

/** For how long it has gone on, or went on, in seconds. */
export function lastedS(alert: Alert, nowMs: number): number {
  const end = alert.closed_at === null ? nowMs : Date.parse(alert.closed_at);
  return Math.max(0, (end - Date.parse(alert.opened_at)) / 1_000);
}
