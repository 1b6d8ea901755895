// @vitest-environment node
import { describe, expect, test } from 'vitest';
import { isMuted, lastedS, needsAttention, standing } from './alert';
import { alert, OPENED_MS } from './testing';

describe('an alert', () => {
  const acknowledged = { acknowledged_at: '2026-01-31T12:00:10.000Z', acknowledged_by: 'ada' };

  test.each([
    ['open', {}],
    ['acknowledged', acknowledged],
    ['muted', { muted_until: '2026-01-31T13:00:00.000Z' }],
    ['muted', { ...acknowledged, muted_until: '2026-01-31T13:00:00.000Z' }],
    ['closed', { ...acknowledged, open: false, closed_at: '2026-01-31T12:01:00.000Z' }],
  ])('stands %s', (stands, change) => {
    expect(standing(alert('a', change), OPENED_MS + 60_000)).toBe(stands);
  });

  test('whose mute is over needs attention again', () => {
    const muted = alert('a', { muted_until: '2026-01-31T12:30:00.000Z' });
    expect(needsAttention(muted, OPENED_MS + 29 * 60_000)).toBe(false);
    expect(isMuted(muted, OPENED_MS + 30 * 60_000)).toBe(false);
    expect(needsAttention(muted, OPENED_MS + 30 * 60_000)).toBe(true);
  });

  test('lasts until it closes', () => {
    expect(lastedS(alert('a'), OPENED_MS + 90_000)).toBe(90);
    expect(lastedS(alert('a', { open: false, closed_at: '2026-01-31T12:00:20.000Z' }), OPENED_MS + 90_000)).toBe(20);
    expect(lastedS(alert('a'), OPENED_MS - 1)).toBe(0);
  });
});
