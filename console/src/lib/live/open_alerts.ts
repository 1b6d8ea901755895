/** The alerts that are open, kept by their events. Pure. */

export type Severity = 'info' | 'warning' | 'critical';

export interface OpenAlert {
  id: string;
  session: string;
  source: string;
  watch: string;
  severity: Severity;
  text: string;
  openedAt: string;
  /** Turn that opened it; null where only its list entry is known. */
  sequence: number | null;
  snapshot: string | null;
  acknowledgedBy: string | null;
  mutedUntil: string | null;
}

export type OpenAlerts = ReadonlyMap<string, OpenAlert>;

const RANKS: Record<Severity, number> = { critical: 0, warning: 1, info: 2 };

type Fields = Record<string, unknown>;

/** The open alerts after one event (a CloudEvent of type `vigil.alert.…`). What cannot be read changes nothing. */
export function afterEvent(alerts: OpenAlerts, event: unknown): OpenAlerts {
  if (!isFields(event) || !isFields(event.data) || typeof event.type !== 'string') return alerts;
  const { data } = event;
  const id = text(data.alert_id);
  const happened = event.type.split('.').at(-1);
  const before = alerts.get(id);
  const after = new Map(alerts);
  if (!id) return alerts;
  if (happened === 'closed') after.delete(id);
  else if (happened === 'acknowledged' && before)
    after.set(id, { ...before, acknowledgedBy: text(data.by) || text(data.name) || '·' });
  else if (happened === 'muted' && before)
    after.set(id, { ...before, mutedUntil: text(data.until) || text(data.muted_until) });
  else if (happened === 'opened' || happened === 'updated') after.set(id, ofEvent(id, data, before));
  else return alerts;
  return after;
}

/** The open alerts of a list (`GET /v1/alerts`), with what their events told before. */
export function ofList(listed: readonly unknown[], before: OpenAlerts = new Map()): OpenAlerts {
  const after = new Map<string, OpenAlert>();
  for (const row of listed) {
    if (!isFields(row) || row.open !== true) continue;
    const id = text(row.alert_id);
    const sequence = row.opened_sequence ?? row.sequence ?? row.decision_sequence;
    after.set(id, {
      id,
      session: text(row.session),
      source: text(row.source_name) || text(row.source_id),
      watch: text(row.watch),
      severity: severity(row.severity),
      text: text(row.text),
      openedAt: text(row.opened_at),
      sequence: typeof sequence === 'number' ? sequence : (before.get(id)?.sequence ?? null),
      snapshot: text(row.snapshot_path) || null,
      acknowledgedBy: text(row.acknowledged_by) || null,
      mutedUntil: text(row.muted_until) || null,
    });
  }
  return after;
}

/** The most urgent first: those that nobody has acknowledged, the more severe, the newer. */
export function byUrgency(alerts: Iterable<OpenAlert>): OpenAlert[] {
  return [...alerts].sort(
    (left, right) =>
      Number(left.acknowledgedBy !== null) - Number(right.acknowledgedBy !== null) ||
      RANKS[left.severity] - RANKS[right.severity] ||
      right.openedAt.localeCompare(left.openedAt),
  );
}

/** The severity of the worst alert of each session. */
export function worst(alerts: Iterable<OpenAlert>): ReadonlyMap<string, Severity> {
  const found = new Map<string, Severity>();
  for (const alert of alerts) {
    const before = found.get(alert.session);
    if (before === undefined || RANKS[alert.severity] < RANKS[before]) found.set(alert.session, alert.severity);
  }
  return found;
}

export function rank(severity: Severity | undefined): number {
  return severity === undefined ? 3 : RANKS[severity];
}

function ofEvent(id: string, data: Fields, before: OpenAlert | undefined): OpenAlert {
  const sequence = typeof data.decision_sequence === 'number' ? data.decision_sequence : null;
  return {
    id,
    session: text(data.session),
    source: text(data.source_name) || text(data.source_id),
    watch: text(data.watch),
    severity: severity(data.severity),
    text: text(data.text),
    openedAt: before?.openedAt ?? (text(data.opened_at) || text(data.capture_time)),
    sequence: before?.sequence ?? sequence,
    snapshot: before?.snapshot ?? (isFields(data.snapshot) ? text(data.snapshot.path) || null : null),
    acknowledgedBy: before?.acknowledgedBy ?? null,
    mutedUntil: before?.mutedUntil ?? null,
  };
}

function severity(value: unknown): Severity {
  return value === 'critical' || value === 'warning' ? value : 'info';
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}
