// @vitest-environment node
import { describe, expect, test } from 'vitest';
import { exportPath, filtersOf, isFiltered, matches, NO_FILTERS, queryOf, searchOf, type Filters } from './filters';
import { alert } from './testing';

const NOW_MS = Date.parse('2026-01-31T12:00:59.999Z');
const SOME: Filters = { ...NO_FILTERS, open: 'new', severity: 'critical', source: 'lobby', period: 'hour' };

describe('filters', () => {
  test('come back from the address as they were', () => {
    for (const filters of [
      NO_FILTERS,
      SOME,
      { ...NO_FILTERS, watch: 'a & b=c', session: 's-1', open: 'closed' as const },
    ]) {
      expect(filtersOf(searchOf(filters))).toEqual(filters);
    }
  });

  test('say nothing in the address when they are the usual', () => {
    expect(searchOf(NO_FILTERS)).toBe('');
    expect(isFiltered(NO_FILTERS)).toBe(false);
    expect(isFiltered(SOME)).toBe(true);
  });

  test('of an address that was made up are the usual', () => {
    expect(filtersOf('?open=<img>&severity=worst&period=ever')).toEqual(NO_FILTERS);
    expect(filtersOf(`?watch=${'x'.repeat(999)}`).watch).toHaveLength(256);
  });

  test('ask the API only for what is filtered', () => {
    expect(queryOf(NO_FILTERS, NOW_MS)).toEqual({ since: '2026-01-30T12:00:00.000Z' });
    expect(queryOf(SOME, NOW_MS)).toEqual({
      since: '2026-01-31T11:00:00.000Z',
      open: 'true',
      acknowledged: 'false',
      severity: 'critical',
      source: 'lobby',
    });
    expect(queryOf({ ...NO_FILTERS, open: 'closed' }, NOW_MS)).toMatchObject({ open: 'false' });
  });

  test('hold for what is downloaded', () => {
    const path = exportPath(SOME, 'csv', NOW_MS);
    expect(path.startsWith('/v1/alerts/export?format=csv&')).toBe(true);
    expect(new URLSearchParams(path.split('?')[1]).get('severity')).toBe('critical');
  });
});

describe('an alert that comes or changes', () => {
  const acknowledged = alert('a', { acknowledged_at: '2026-01-31T12:00:10.000Z' });

  test.each([
    ['all', alert('a'), true],
    ['open', acknowledged, true],
    ['new', alert('a'), true],
    ['new', acknowledged, false],
    ['closed', alert('a'), false],
    ['closed', alert('a', { open: false }), true],
    ['open', alert('a', { open: false }), false],
  ] as const)('is shown among those that are %s', (open, changed, isShown) => {
    expect(matches({ ...NO_FILTERS, open }, changed)).toBe(isShown);
  });

  test('must fit each filter', () => {
    expect(
      matches({ ...NO_FILTERS, severity: 'critical', watch: 'fire', source: 'lobby', session: 's-1' }, alert('a')),
    ).toBe(true);
    for (const other of [{ severity: 'info' as const }, { watch: 'fall' }, { source: 'yard' }, { session: 's-2' }]) {
      expect(matches({ ...NO_FILTERS, ...other }, alert('a'))).toBe(false);
    }
  });
});
