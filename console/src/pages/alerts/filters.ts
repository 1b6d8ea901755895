/** What the list of alerts shows: the filters, as the page's address keeps them and as the API takes them. */

import { SEVERITIES, type Alert, type Severity } from './alert';

export type OpenFilter = 'all' | 'open' | 'new' | 'closed';
export type Period = 'hour' | 'day' | 'week';

export interface Filters {
  readonly open: OpenFilter;
  readonly severity: Severity | '';
  readonly watch: string;
  readonly source: string;
  readonly session: string;
  readonly period: Period;
}

export const NO_FILTERS: Filters = { open: 'all', severity: '', watch: '', source: '', session: '', period: 'day' };

/** `new` are those that are open and that nobody has acknowledged. */
export const OPEN: readonly OpenFilter[] = ['all', 'new', 'open', 'closed'];
const PERIODS_MS: Record<Period, number> = { hour: 3_600_000, day: 86_400_000, week: 604_800_000 };
export const PERIODS = Object.keys(PERIODS_MS) as readonly Period[];
const LONGEST = 256;
const OPEN_QUERY: Record<OpenFilter, Record<string, string>> = {
  all: {},
  open: { open: 'true' },
  new: { open: 'true', acknowledged: 'false' },
  closed: { open: 'false' },
};

/** The filters of an address; what it does not say, or says wrongly, is as usual. */
export function filtersOf(search: string): Filters {
  const asked = new URLSearchParams(search);
  const text = (name: string): string => (asked.get(name) ?? '').slice(0, LONGEST);
  return {
    open: among(OPEN, text('open')) ?? NO_FILTERS.open,
    severity: among(SEVERITIES, text('severity')) ?? '',
    watch: text('watch'),
    source: text('source'),
    session: text('session'),
    period: among(PERIODS, text('period')) ?? NO_FILTERS.period,
  };
}

/** The filters as an address: only what differs from the usual. */
export function searchOf(filters: Filters): string {
  const said = new URLSearchParams();
  for (const name of Object.keys(NO_FILTERS) as (keyof Filters)[]) {
    if (filters[name] !== NO_FILTERS[name]) said.set(name, filters[name]);
  }
  const search = said.toString();
  return search === '' ? '' : `?${search}`;
}

/** The query of `GET /v1/alerts`; `since` is rounded to the minute, so that the same filters ask the same. */
export function queryOf(filters: Filters, nowMs: number): Record<string, string> {
  const since = Math.floor((nowMs - PERIODS_MS[filters.period]) / 60_000) * 60_000;
  return {
    since: new Date(since).toISOString(),
    ...OPEN_QUERY[filters.open],
    ...(filters.severity === '' ? {} : { severity: filters.severity }),
    ...(filters.watch === '' ? {} : { watch: filters.watch }),
    ...(filters.source === '' ? {} : { source: filters.source }),
    ...(filters.session === '' ? {} : { session: filters.session }),
  };
}

/** Whether an alert that came or changed meanwhile is still one of those that were asked for. */
export function matches(filters: Filters, alert: Alert): boolean {
  const isNew = alert.open && alert.acknowledged_at === null;
  const fitsState = { all: true, open: alert.open, new: isNew, closed: !alert.open }[filters.open];
  const pairs = [
    [filters.severity, alert.severity],
    [filters.watch, alert.watch],
    [filters.source, alert.source_id],
    [filters.session, alert.session],
  ];
  return fitsState && pairs.every(([wanted, has]) => wanted === '' || wanted === has);
}

/** Where the alerts of these filters are downloaded; the login's cookie opens it. */
export function exportPath(filters: Filters, format: 'csv' | 'jsonl', nowMs: number): string {
  return `/v1/alerts/export?${new URLSearchParams({ format, ...queryOf(filters, nowMs) }).toString()}`;
}

export function isFiltered(filters: Filters): boolean {
  return searchOf(filters) !== '';
}

function among<T extends string>(values: readonly T[], text: string): T | undefined {
  return values.find((value) => value === text);
}
