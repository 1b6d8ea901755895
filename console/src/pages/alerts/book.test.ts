// @vitest-environment node
import { describe, expect, test } from 'vitest';
import { afterEvent, withPage, withRead } from './book';
import { alert } from './testing';

function event(kind: string, data: Record<string, unknown> = {}): object {
  return { id: 'a.1', type: `vigil.alert.${kind}`, time: '2026-01-31T12:00:30.000Z', data: { alert_id: 'a', ...data } };
}

describe('an event', () => {
  const held = [alert('b'), alert('a')];
  const after = (told: object): ReturnType<typeof alert> | undefined =>
    afterEvent(held, told).alerts.find((found) => found.alert_id === 'a');

  test('of an alert that is not held wants it', () => {
    expect(afterEvent([], event('opened'))).toEqual({ alerts: [], wanted: 'a' });
    expect(afterEvent([], event('closed')).wanted).toBeNull();
  });

  test('updates words and severity', () => {
    expect(after(event('updated', { text: 'It spreads.', severity: 'warning', updates: 2 }))).toMatchObject({
      text: 'It spreads.',
      severity: 'warning',
      updates: 2,
      updated_at: '2026-01-31T12:00:30.000Z',
    });
  });

  test('closes, and opens again within the cooldown', () => {
    const closed = afterEvent(held, event('closed')).alerts;
    expect(closed[1]).toMatchObject({ open: false, closed_at: '2026-01-31T12:00:30.000Z' });
    expect(afterEvent(closed, event('updated', { text: 'Again.' })).alerts[1]).toMatchObject({
      open: true,
      closed_at: null,
    });
  });

  test('tells what somebody did', () => {
    expect(after(event('acknowledged', { by: 'ada', note: 'coming' }))).toMatchObject({
      acknowledged_by: 'ada',
      acknowledged_note: 'coming',
      acknowledged_at: '2026-01-31T12:00:30.000Z',
    });
    expect(after(event('muted', { until: '2026-01-31T13:00:00.000Z' }))?.muted_until).toBe('2026-01-31T13:00:00.000Z');
  });

  test('leaves the others and their order as they are', () => {
    const changed = afterEvent(held, event('closed')).alerts;
    expect(changed.map((found) => found.alert_id)).toEqual(['b', 'a']);
    expect(changed[0]).toBe(held[0]);
  });

  test.each([null, 7, {}, { data: {} }, { type: 'vigil.alert.opened', data: { alert_id: 3 } }])(
    'that is none changes nothing: %j',
    (told) => {
      expect(afterEvent(held, told)).toEqual({ alerts: held, wanted: null });
    },
  );
});

test('an alert that was read takes the place of its row, or the top', () => {
  expect(withRead([alert('b'), alert('a')], alert('a', { text: 'new' })).map((found) => found.text)).toEqual([
    'A fire has started.',
    'new',
  ]);
  expect(withRead([alert('b')], alert('a')).map((found) => found.alert_id)).toEqual(['a', 'b']);
});

test('a further page has no row twice', () => {
  expect(withPage([alert('c'), alert('b')], [alert('b'), alert('a')]).map((found) => found.alert_id)).toEqual([
    'c',
    'b',
    'a',
  ]);
});
