// @vitest-environment node
import { describe, expect, test } from 'vitest';
import {
  conversation,
  isTaken,
  isWaiting,
  placed,
  typed,
  withMark,
  type AlertMark,
  type Exchange,
  type Sources,
} from './conversation';
import type { Approval } from '../../lib/live/approvals';
import type { Task } from './tasks';
import { BEGIN_MS, spoken, turn } from './testing';

const NOTHING: Sources = {
  turns: [],
  dialogue: [],
  typed: [],
  tasks: [],
  approvals: [],
  alerts: [],
  happenings: [],
  heard: [],
  spoken: new Map(),
};

function exchange(query: string, change: Partial<Exchange> = {}): Exchange {
  return {
    query,
    asked_s: 2,
    state: 'open',
    answer: '',
    answered_s: null,
    task: '',
    note: '',
    recalled: [],
    ...change,
  };
}

function alert(state: AlertMark['state'], sequence: number): AlertMark {
  const atMs = BEGIN_MS + sequence * 1_000;
  return { id: 'a-1', state, watch: 'fire', severity: 'critical', text: 'A fire has started.', sequence, atMs };
}

const TASK: Task = {
  id: 't-1',
  question: 'What is the code on the box?',
  note: 'Let me look.',
  state: 'ready',
  brain: 'big',
  text: '42',
  artefacts: [],
  outcome: 'answered',
  result: '42',
  sequence: 3,
  openedMs: BEGIN_MS + 3_500,
  endedMs: BEGIN_MS + 6_000,
};
const APPROVAL: Approval = {
  id: 'p-1',
  session: 's-1',
  task: 't-1',
  tool: 'open_ticket',
  arguments: '{}',
  summary: '',
  state: 'requested',
  by: '',
  pattern: '',
  requestedMs: BEGIN_MS + 4_000,
  expiresMs: BEGIN_MS + 300_000,
};

describe('a conversation', () => {
  test('has what modules noticed: beside the words of the turn, or alone where it said none', () => {
    const observed = ['faces (face, 0.92): Anna is at the door'];
    const turns = [turn(1, { observed }), spoken(2, 'Anna is here.', { observed }), turn(3)];
    const entries = conversation({ ...NOTHING, turns });
    expect(entries.map((entry) => [entry.kind, entry.key])).toEqual([
      ['observed', 'o1'],
      ['utterance', 'u2'],
    ]);
  });

  test('is told in the order of its times', () => {
    const entries = conversation({
      ...NOTHING,
      turns: [turn(0), spoken(3, 'Two people.'), spoken(8, 'Forty-two.')],
      dialogue: [exchange('How many people?', { asked_s: 3, state: 'answered' })],
      tasks: [TASK],
      happenings: [{ id: 'h', event: 'started', reason: 'ingestion-1 took it', atMs: BEGIN_MS - 500 }],
    });
    expect(entries.map((entry) => entry.kind)).toEqual(['happening', 'question', 'utterance', 'task', 'utterance']);
  });

  test('has words once, with the alert that they raised', () => {
    const entries = conversation({
      ...NOTHING,
      turns: [spoken(5, 'A fire has started.')],
      alerts: [alert('opened', 5), alert('closed', 12)],
    });
    expect(entries.map((entry) => entry.kind)).toEqual(['utterance', 'alert']);
    expect(entries[0]?.kind === 'utterance' && entries[0].alerts.map((mark) => mark.state)).toEqual(['opened']);
  });

  test('shows an alert whose turn is not held', () => {
    expect(conversation({ ...NOTHING, alerts: [alert('opened', 5)] }).map((entry) => entry.kind)).toEqual(['alert']);
  });

  test('leaves out what the model said again', () => {
    const again = turn(4, { action: 'speak', text: 'A fire has started.', duplicate: true });
    expect(conversation({ ...NOTHING, turns: [again] })).toEqual([]);
  });

  test('has no two entries with one key', () => {
    const entries = conversation({
      ...NOTHING,
      turns: [spoken(5, 'A'), spoken(6, 'A')],
      dialogue: [exchange('A'), exchange('A')],
      typed: [typed('1', 'B', BEGIN_MS, []), typed('2', 'B', BEGIN_MS, [])],
      alerts: [alert('opened', 3), alert('closed', 9)],
    });
    expect(new Set(entries.map((entry) => entry.key)).size).toBe(entries.length);
  });

  test('keeps the newest when there are very many', () => {
    const many = Array.from({ length: 30 }, (_, sequence) => spoken(sequence, `word ${sequence}`));
    const entries = conversation({ ...NOTHING, turns: many }, 10);
    expect(entries).toHaveLength(10);
    expect(entries.at(-1)?.key).toBe('u29');
  });

  test('keeps markup as it was said', () => {
    const markup = '<img src=x onerror=alert(1)>';
    const [entry] = conversation({ ...NOTHING, turns: [spoken(1, markup)] });
    expect(entry?.kind === 'utterance' && entry.turn.text).toBe(markup);
  });
});

describe('a typed question', () => {
  const question = typed('q', 'How many?', BEGIN_MS, [exchange('How many?', { state: 'answered' })]);

  test('is shown until the dialogue has it', () => {
    const before = [exchange('How many?', { state: 'answered' })];
    const after = [...before, exchange('How many?', { asked_s: 9 })];
    expect(isTaken(question, before)).toBe(false);
    expect(isTaken(question, after)).toBe(true);
    const states = (dialogue: Exchange[]): string[] =>
      conversation({ ...NOTHING, dialogue, typed: [question] }).map((entry) =>
        entry.kind === 'question' ? entry.state : '',
      );
    expect(states(before).sort()).toEqual(['answered', 'sending']);
    expect(states(after).sort()).toEqual(['answered', 'open']);
  });

  test('is waited for until it is answered or refused', () => {
    const waiting = { ...question, state: 'waiting' as const };
    expect(isWaiting([waiting], [])).toBe(true);
    expect(isWaiting([{ ...waiting, state: 'refused' }], [])).toBe(false);
    expect(isWaiting([], [exchange('x', { state: 'delegated' })])).toBe(true);
    expect(isWaiting([], [exchange('x', { state: 'unanswered' })])).toBe(false);
  });
});

test('a delegated question names its task', () => {
  const dialogue = [exchange(TASK.question, { state: 'delegated', task: 't-1' })];
  const [entry] = conversation({ ...NOTHING, dialogue, tasks: [TASK] });
  expect(entry?.kind === 'question' && entry.task?.note).toBe('Let me look.');
});

test('a mark is held once: an alert opens once, and is updated in several turns', () => {
  const marks = [alert('opened', 5), alert('updated', 8)];
  expect(withMark(marks, alert('opened', 5))).toBe(marks);
  expect(withMark(marks, alert('opened', -1))).toBe(marks);
  expect(withMark(marks, alert('updated', 11))).toHaveLength(3);
  expect(withMark(marks, null)).toBe(marks);
});

test('an alert of the list finds its turn by its time', () => {
  const listed = { ...alert('opened', 5), sequence: -1 };
  expect(placed([listed], [turn(4), turn(5)])[0]?.sequence).toBe(5);
  expect(placed([listed], [turn(7)])[0]?.sequence).toBe(-1);
});

test('a task stands where it began, and with its end where its result came', () => {
  const turns = [spoken(3, 'Let me look.'), spoken(5, 'Two people.'), spoken(8, 'Forty-two.')];
  const kinds = (task: Task): string[] =>
    conversation({ ...NOTHING, turns, tasks: [task], approvals: [APPROVAL] }).map((entry) => entry.kind);
  const inFlight: Task = { ...TASK, state: 'running', outcome: null, result: '', endedMs: null };
  expect(kinds(inFlight)).toEqual(['utterance', 'task', 'approval', 'utterance', 'utterance']);
  expect(kinds(TASK)).toEqual(['utterance', 'approval', 'utterance', 'task', 'utterance']);
  const unseen: Task = { ...inFlight, state: 'queued', openedMs: 0 };
  expect(kinds(unseen).slice(0, 3)).toEqual(['utterance', 'task', 'approval']);
});
