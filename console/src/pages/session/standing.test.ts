// @vitest-environment node
import { describe, expect, test } from 'vitest';
import type { RoleStatus } from './liveEvents';
import { remarks, sessionState } from './standing';

function said(role: string, state: string, change: Partial<RoleStatus> = {}): RoleStatus {
  return { role, state, detail: '', fault: '', cause: '', ...change };
}

describe('a session', () => {
  test.each([
    ['starting', [], false],
    ['starting', [said('ingestion', 'opening')], false],
    ['waiting', [said('ingestion', 'watching')], false],
    ['live', [said('ingestion', 'watching'), said('interaction', 'deciding')], true],
    ['reconnecting', [said('ingestion', 'reconnecting'), said('interaction', 'stalled', { cause: 'no_frame' })], true],
    ['stalled', [said('ingestion', 'watching'), said('interaction', 'stalled', { cause: 'engine' })], true],
    ['capacity', [said('interaction', 'stalled', { cause: 'no_worker' })], false],
  ] as const)('is %s', (state, roles, hasTurns) => {
    expect(sessionState(false, roles, hasTurns)).toBe(state);
  });

  test('that has ended is nothing else', () => {
    expect(sessionState(true, [said('ingestion', 'reconnecting')], true)).toBe('ended');
  });
});

test('a sentence that two roles say is shown once', () => {
  const detail = 'rtsp://***@cam does not answer';
  expect(remarks([said('ingestion', 'reconnecting', { detail }), said('interaction', 'stalled', { detail })])).toEqual([
    detail,
  ]);
});
