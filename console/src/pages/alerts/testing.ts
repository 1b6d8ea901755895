/** An alert for tests: open, since noon. */

import type { Alert } from './alert';

export const OPENED_MS = Date.parse('2026-01-31T12:00:00.000Z');

export function alert(id: string, change: Partial<Alert> = {}): Alert {
  return {
    alert_id: id,
    open: true,
    watch: 'fire',
    severity: 'critical',
    severities: ['critical'],
    session: 's-1',
    source_id: 'lobby',
    source_name: 'Lobby',
    instruction_id: 'w-1',
    text: 'A fire has started.',
    reason: 'the model spoke',
    p_speak: 0.97,
    opened_at: '2026-01-31T12:00:00.000Z',
    updated_at: '2026-01-31T12:00:00.100Z',
    closed_at: null,
    updates: 0,
    snapshot_path: '/v1/alerts/a/snapshot',
    acknowledged_by: null,
    acknowledged_at: null,
    acknowledged_note: null,
    muted_until: null,
    ...change,
  };
}
