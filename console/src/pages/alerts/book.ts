/**
 * The alerts of the page, and what live events change of them. An alert that the page has not read yet is wanted: the
 * event does not say all that its row shows.
 */

import type { Alert } from './alert';

export interface Changed {
  readonly alerts: readonly Alert[];
  /** The alert that is to be read; null for none. */
  readonly wanted: string | null;
}

/** The alerts after an event of an alert (`vigil.alert.…`); one that cannot be read changes nothing. */
export function afterEvent(alerts: readonly Alert[], event: unknown): Changed {
  const found = fields(event);
  const data = fields(found?.data);
  const [id, kind] = [text(data?.alert_id), text(found?.type).replace('vigil.alert.', '')];
  if (data === null || id === '') return { alerts, wanted: null };
  const held = alerts.find((alert) => alert.alert_id === id);
  if (held === undefined) return { alerts, wanted: kind === 'opened' || kind === 'updated' ? id : null };
  const changed = { ...held, ...change(held, kind, data, text(found?.time)) };
  return { alerts: alerts.map((alert) => (alert === held ? changed : alert)), wanted: null };
}

/** The alerts with one that was read: in the place of its older row, else at the top. */
export function withRead(alerts: readonly Alert[], read: Alert): readonly Alert[] {
  const isHeld = alerts.some((alert) => alert.alert_id === read.alert_id);
  return isHeld ? alerts.map((alert) => (alert.alert_id === read.alert_id ? read : alert)) : [read, ...alerts];
}

/** The rows of a further page behind those that are held; none twice. */
export function withPage(alerts: readonly Alert[], page: readonly Alert[]): readonly Alert[] {
  const held = new Set(alerts.map((alert) => alert.alert_id));
  return [...alerts, ...page.filter((alert) => !held.has(alert.alert_id))];
}

function change(held: Alert, kind: string, data: Record<string, unknown>, time: string): Partial<Alert> {
  if (kind === 'acknowledged') {
    return {
      acknowledged_by: text(data.by),
      acknowledged_at: time,
      acknowledged_note: text(data.note),
      updated_at: time,
    };
  }
  if (kind === 'muted') return { muted_until: text(data.until) || null, updated_at: time };
  if (kind === 'closed') return { open: false, closed_at: time, updated_at: time };
  if (kind !== 'opened' && kind !== 'updated') return {};
  const severity =
    data.severity === 'critical' || data.severity === 'warning' || data.severity === 'info'
      ? data.severity
      : held.severity;
  const number = typeof data.updates === 'number' ? data.updates : held.updates;
  return {
    open: true,
    closed_at: null,
    text: text(data.text) || held.text,
    severity,
    updates: number,
    updated_at: time,
  };
}

function fields(value: unknown): Record<string, unknown> | null {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
