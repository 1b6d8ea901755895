import { describe, expect, test } from 'vitest';
import { afterEvent, byUrgency, ofList, worst, type OpenAlerts } from './open_alerts';

const NONE: OpenAlerts = new Map();

function event(happened: string, more: object = {}): unknown {
  const data = {
    alert_id: 'a-1',
    session: 's-1',
    source_id: 'lobby',
    source_name: 'Lobby',
    watch: 'fire',
    severity: 'warning',
    text: 'A fire.',
    opened_at: '2026-01-31T12:00:00Z',
    decision_sequence: 7,
    snapshot: { path: '/v1/alerts/a-1/snapshot' },
    ...more,
  };
  return { type: `vigil.alert.${happened}`, data };
}

function after(...events: unknown[]): OpenAlerts {
  return events.reduce<OpenAlerts>(afterEvent, NONE);
}

describe('open alerts', () => {
  test('come with their opening, and keep the turn and the picture of it', () => {
    const [alert] = after(
      event('opened'),
      event('updated', { text: 'Still.', decision_sequence: 9, severity: 'critical', snapshot: null }),
    ).values();
    expect(alert).toMatchObject({
      id: 'a-1',
      source: 'Lobby',
      severity: 'critical',
      text: 'Still.',
      sequence: 7,
      openedAt: '2026-01-31T12:00:00Z',
      snapshot: '/v1/alerts/a-1/snapshot',
    });
  });

  test('go when they close, and come back when they go on', () => {
    expect(after(event('opened'), event('closed')).size).toBe(0);
    expect(after(event('opened'), event('closed'), event('updated')).size).toBe(1);
  });

  test('are acknowledged and muted only where they are known', () => {
    expect(after(event('acknowledged', { by: 'eva' })).size).toBe(0);
    const [alert] = after(
      event('opened'),
      event('acknowledged', { by: 'eva' }),
      event('muted', { until: '2026-01-31T13:00:00Z' }),
      event('updated'),
    ).values();
    expect(alert).toMatchObject({ acknowledgedBy: 'eva', mutedUntil: '2026-01-31T13:00:00Z' });
  });

  test.each([
    null,
    1,
    {},
    { type: 'vigil.alert.opened' },
    { type: 'vigil.alert.opened', data: {} },
    event('elsewhere'),
  ])('do not change by %j', (odd) => {
    expect(afterEvent(NONE, odd)).toBe(NONE);
  });

  test('of a list are those that are open', () => {
    const before = after(event('opened'));
    const listed = [
      {
        alert_id: 'a-1',
        open: true,
        source_name: '',
        source_id: 'lobby',
        severity: 'odd',
        snapshot_path: null,
        opened_at: 'x',
      },
      { alert_id: 'a-2', open: false },
      7,
    ];
    const found = ofList(listed, before);
    expect([...found.keys()]).toEqual(['a-1']);
    expect(found.get('a-1')).toMatchObject({ source: 'lobby', severity: 'info', sequence: 7, snapshot: null });
  });

  test('stand by who has seen them, severity and age', () => {
    const alerts = after(
      event('opened', { alert_id: 'old', opened_at: '2026-01-31T11:00:00Z' }),
      event('opened', { alert_id: 'new' }),
      event('opened', { alert_id: 'worst', severity: 'critical' }),
      event('opened', { alert_id: 'seen', severity: 'critical' }),
      event('acknowledged', { alert_id: 'seen', by: 'eva' }),
    );
    expect(byUrgency(alerts.values()).map(({ id }) => id)).toEqual(['worst', 'new', 'old', 'seen']);
    expect(worst(alerts.values())).toEqual(new Map([['s-1', 'critical']]));
  });
});
