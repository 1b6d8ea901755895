// @vitest-environment node
import { describe, expect, test } from 'vitest';
import {
  artefactPath,
  isInFlight,
  ofRecord,
  shownAs,
  standing,
  tone,
  withTask,
  words,
  type Task,
  type TaskOut,
  type TaskWord,
} from './tasks';

const RECORD: TaskOut = {
  id: 's-1-4',
  session: 's-1',
  question: 'Which flower is it?',
  note: 'Let me see.',
  state: 'running',
  brain: 'big',
  text: 'Looking …',
  artefacts: [],
  sequence: 4,
  time_s: 4,
  opened_at: '2026-01-31T12:00:04.000Z',
  started_at: '2026-01-31T12:00:05.000Z',
  ended_at: null,
};
const OPENED = Date.parse('2026-01-31T12:00:04.000Z');
const ENDED = OPENED + 3_000;
const PAGE = { index: 0, name: 'flower.html', mediaType: 'text/html', size: 812 };

/** The one task that these words tell of, in this order. */
function told(...said: TaskWord[]): Task {
  const [task, ...others] = said.reduce<readonly Task[]>(withTask, []);
  if (task === undefined || others.length > 0) throw new Error('these words tell of one task');
  return task;
}

describe('a task', () => {
  test('is what the list says of it', () => {
    expect(told(ofRecord(RECORD))).toEqual({
      id: 's-1-4',
      question: 'Which flower is it?',
      note: 'Let me see.',
      state: 'running',
      brain: 'big',
      text: 'Looking …',
      artefacts: [],
      outcome: null,
      result: '',
      sequence: 4,
      openedMs: OPENED,
      endedMs: null,
    });
  });

  test('is in flight until its brain or the conversation has ended with it', () => {
    const asked: TaskWord = { id: 't', question: 'What?', openedMs: OPENED };
    expect(isInFlight(told(asked))).toBe(true);
    expect(isInFlight(told(asked, { id: 't', state: 'running' }))).toBe(true);
    expect(isInFlight(told(asked, { id: 't', state: 'waiting_approval' }))).toBe(true);
    expect(isInFlight(told(asked, { id: 't', state: 'ready' }))).toBe(false);
    expect(isInFlight(told(asked, { id: 't', outcome: 'expired' }))).toBe(false);
  });

  test('stands as the conversation closed it, else as its brain says', () => {
    const ready: TaskWord = { id: 't', state: 'ready', text: 'An iris, or so.', endedMs: ENDED };
    expect([standing(told(ready)), words(told(ready)), tone(told(ready))]).toEqual([
      'ready',
      'An iris, or so.',
      'good',
    ]);
    const closed = told(ready, { id: 't', outcome: 'forgotten', result: '', endedMs: ENDED + 500 });
    expect([standing(closed), tone(closed)]).toEqual(['forgotten', 'plain']);
    expect(words(told(ready, { id: 't', outcome: 'answered', result: 'An iris.' }))).toBe('An iris.');
  });

  test('never goes back from its end, whatever is read later', () => {
    const ready: TaskWord = { id: 's-1-4', state: 'ready', text: 'An iris.', artefacts: [PAGE], endedMs: ENDED };
    expect(told(ready, ofRecord(RECORD))).toMatchObject({
      question: 'Which flower is it?',
      state: 'ready',
      text: 'An iris.',
      artefacts: [PAGE],
      openedMs: OPENED,
      endedMs: ENDED,
    });
  });

  test('begins once and ends once', () => {
    const task = told(
      { id: 't', openedMs: OPENED },
      { id: 't', state: 'ready', endedMs: ENDED },
      { id: 't', openedMs: OPENED + 40, outcome: 'answered', endedMs: ENDED + 900 },
    );
    expect([task.openedMs, task.endedMs]).toEqual([OPENED, ENDED]);
  });
});

test('tasks are held once, oldest first, and a word of nothing changes nothing', () => {
  const tasks = [
    { id: 'b', openedMs: OPENED + 1 },
    { id: 'a', openedMs: OPENED },
    { id: 'b', brain: 'big' },
  ].reduce<readonly Task[]>(withTask, []);
  expect(tasks.map(({ id, brain }) => [id, brain])).toEqual([
    ['a', ''],
    ['b', 'big'],
  ]);
  expect(withTask(tasks, null)).toBe(tasks);
  expect(withTask(tasks, { id: '' })).toBe(tasks);
});

describe('an artefact', () => {
  test.each([
    ['text/html', 'page'],
    ['image/png', 'picture'],
    ['image/jpeg', 'picture'],
    ['image/webp', 'picture'],
    ['image/svg+xml', 'file'],
    ['application/pdf', 'file'],
    ['application/octet-stream', 'file'],
    ['', 'file'],
  ])('of the type %j is shown as a %s', (mediaType, shown) => {
    expect(shownAs({ ...PAGE, mediaType })).toBe(shown);
  });

  test('has an address that no name can leave', () => {
    expect(artefactPath('s/1', '../t?', { ...PAGE, index: 3 })).toBe('/v1/sessions/s%2F1/tasks/..%2Ft%3F/artefacts/3');
  });
});
