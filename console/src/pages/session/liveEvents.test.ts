// @vitest-environment node
import { describe, expect, test } from 'vitest';
import { alertMark, happening, roles, task } from './liveEvents';

const ALERT = {
  specversion: '1.0',
  id: 'a-1.0',
  type: 'vigil.alert.opened',
  time: '2026-01-31T12:00:05.200Z',
  data: {
    alert_id: 'a-1',
    watch: 'fire',
    severity: 'critical',
    state: 'opened',
    session: 's-1',
    text: 'A fire has started.',
    capture_time: '2026-01-31T12:00:05.000Z',
    decision_sequence: 5,
  },
};

describe('an alert event', () => {
  test('is a mark at the turn that raised it', () => {
    expect(alertMark(ALERT)).toEqual({
      id: 'a-1',
      state: 'opened',
      watch: 'fire',
      severity: 'critical',
      text: 'A fire has started.',
      sequence: 5,
      atMs: Date.parse('2026-01-31T12:00:05.000Z'),
    });
  });

  test('of what somebody did about it is no mark', () => {
    expect(alertMark({ ...ALERT, type: 'vigil.alert.acknowledged' })).toBeNull();
  });
});

test('a task that closed brings its result', () => {
  const event = {
    id: 't-1.delegation.1.closed',
    type: 'vigil.delegation.closed',
    time: '2026-01-31T12:00:09.000Z',
    data: { task: 't-1', question: 'What is it?', note: '', outcome: 'ready', result: 'A box.', decision_sequence: 9 },
  };
  expect(task(event)).toMatchObject({ id: 't-1', state: 'closed', outcome: 'ready', result: 'A box.', sequence: 9 });
  expect(
    task({ ...event, type: 'vigil.delegation.opened', data: { ...event.data, outcome: null } })?.outcome,
  ).toBeNull();
});

test('a session event is one word and a sentence', () => {
  const event = {
    id: 'e',
    type: 'vigil.session.source_lost',
    time: '2026-01-31T12:00:09.000Z',
    data: { reason: 'gone' },
  };
  expect(happening(event)).toEqual({ id: 'e', event: 'source_lost', reason: 'gone', atMs: Date.parse(event.time) });
});

test.each([null, undefined, 7, 'text', [], {}, { type: 'vigil.alert.opened' }, { data: null, type: 3 }])(
  'what is no event is passed over: %j',
  (event) => {
    expect([alertMark(event), task(event), happening(event)]).toEqual([null, null, null]);
  },
);

test('each role has its newest word', () => {
  const status = {
    ingestion: { state: 'reconnecting', fault: 'unreachable', detail: 'it does not answer' },
    codec: 'odd',
  };
  expect(roles(status)).toEqual([
    { role: 'ingestion', state: 'reconnecting', fault: 'unreachable', detail: 'it does not answer', cause: '' },
    { role: 'codec', state: 'odd', fault: '', detail: '', cause: '' },
  ]);
  expect(roles(null)).toEqual([]);
});
