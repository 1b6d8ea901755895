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

describe('a delegation event', () => {
  const told = (type: string, data: object): unknown => ({
    id: `t-1.${type}`,
    type: `vigil.delegation.${type}`,
    time: '2026-01-31T12:00:09.000Z',
    data: { task: 't-1', ...data },
  });
  const AT = Date.parse('2026-01-31T12:00:09.000Z');

  test('of the conversation opens a task and closes it with what the model was told', () => {
    const question = { question: 'What is it?', note: 'Let me see.', decision_sequence: 9 };
    expect(task(told('opened', { ...question, outcome: null, result: '' }))).toEqual({
      id: 't-1',
      question: 'What is it?',
      note: 'Let me see.',
      sequence: 9,
      openedMs: AT,
    });
    expect(task(told('closed', { ...question, outcome: 'answered', result: 'A box.' }))).toEqual({
      id: 't-1',
      question: 'What is it?',
      note: 'Let me see.',
      outcome: 'answered',
      result: 'A box.',
      endedMs: AT,
    });
  });

  test('of the brain says how far it is', () => {
    expect(task(told('started', { brain: 'big', text: '' }))).toEqual({
      id: 't-1',
      state: 'running',
      brain: 'big',
      text: '',
    });
    expect(task(told('progress', { brain: 'big', text: 'Reading …' }))?.text).toBe('Reading …');
  });

  test('of the end of the work brings the files that were made', () => {
    const artefacts = [
      { name: 'screen.html', media_type: 'text/html', size: 812 },
      'none',
      { name: 'b.png', media_type: 'image/png', size: -3 },
    ];
    expect(task(told('ready', { brain: 'big', text: 'A box.', artefacts }))).toEqual({
      id: 't-1',
      state: 'ready',
      brain: 'big',
      text: 'A box.',
      endedMs: AT,
      artefacts: [
        { index: 0, name: 'screen.html', mediaType: 'text/html', size: 812 },
        { index: 1, name: 'b.png', mediaType: 'image/png', size: 0 },
      ],
    });
    expect(task(told('cancelled', { artefacts: null }))).toMatchObject({ state: 'cancelled', artefacts: [] });
    expect(task(told('error', { text: 'It hung.' }))).toMatchObject({ state: 'error', text: 'It hung.' });
  });

  test('of a kind that is newer than the page is passed over', () => {
    expect(task(told('paused', {}))).toBeNull();
  });
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
