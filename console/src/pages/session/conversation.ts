/**
 * The conversation as it is shown: questions, what the model said, what modules noticed, delegated questions, alerts, and
 * what happened to the session, in the order of their times. Built anew from what the page holds; nothing here is kept.
 */

import type { Approval } from '../../lib/live/approvals';
import { beginMs } from './timeline';
import { isOf, type Heard, type SpeechMark } from './speech/heard';
import type { Task } from './tasks';
import type { Turn } from './turn';

/** A question and the answer to it, as `/history` tells. */
export interface Exchange {
  query: string;
  asked_s: number;
  state: 'open' | 'delegated' | 'answered' | 'unanswered';
  answer: string;
  answered_s: number | null;
  task: string;
  note: string;
  /** What the memory told the model with the question. */
  recalled: readonly string[];
}

/** A question of this page that no turn has shown to the model yet. */
export interface Typed {
  readonly id: string;
  readonly text: string;
  readonly atMs: number;
  readonly state: 'sending' | 'waiting' | 'refused';
  /** Why it was refused, in the server's words. */
  readonly problem: string;
  /** How many exchanges with the same text the dialogue had when it was typed. */
  readonly before: number;
}

export interface AlertMark {
  readonly id: string;
  readonly state: 'opened' | 'updated' | 'closed';
  readonly watch: string;
  readonly severity: string;
  readonly text: string;
  readonly sequence: number;
  readonly atMs: number;
}

export interface Happening {
  readonly id: string;
  readonly event: string;
  readonly reason: string;
  readonly atMs: number;
}

export interface Sources {
  readonly turns: readonly Turn[];
  readonly dialogue: readonly Exchange[];
  readonly typed: readonly Typed[];
  readonly tasks: readonly Task[];
  readonly approvals: readonly Approval[];
  readonly alerts: readonly AlertMark[];
  readonly happenings: readonly Happening[];
  /** What was said to the session. */
  readonly heard: readonly Heard[];
  /** What became of the words of turns that were to be spoken aloud, by the turn's number. */
  readonly spoken: ReadonlyMap<number, SpeechMark>;
}

export type QuestionState = Typed['state'] | Exchange['state'];

interface Common {
  readonly key: string;
  readonly atMs: number;
}

export type Entry = Common &
  (
    | {
        kind: 'question';
        text: string;
        state: QuestionState;
        problem: string;
        task: Task | null;
        recalled: readonly string[];
        /** It was said, not typed. */
        isSpoken: boolean;
      }
    | { kind: 'heard'; said: Heard }
    | { kind: 'utterance'; turn: Turn; alerts: readonly AlertMark[]; speech: SpeechMark | null }
    | { kind: 'observed'; turn: Turn }
    | { kind: 'task'; task: Task }
    | { kind: 'approval'; approval: Approval }
    | { kind: 'alert'; alert: AlertMark }
    | { kind: 'happening'; happening: Happening }
  );

/** What the page shows at once; older entries come back when older turns are read. */
export const MOST_ENTRIES = 500;

export function conversation(sources: Sources, most = MOST_ENTRIES): readonly Entry[] {
  const known = sources.turns[0];
  const begin = known === undefined ? null : beginMs(known);
  const spoken = new Set(sources.turns.filter((turn) => turn.spoke).map((turn) => turn.sequence));
  const entries: Entry[] = [
    ...asked(sources, begin),
    ...sources.typed.filter((typed) => !isTaken(typed, sources.dialogue)).map(typedEntry),
    ...sources.heard.filter((said) => !isInDialogue(said, sources.dialogue, begin)).map(heardEntry),
    ...sources.turns.filter((turn) => turn.spoke).map((turn) => utteranceEntry(turn, sources)),
    ...sources.turns.filter((turn) => !turn.spoke && turn.observed.length > 0).map(observedEntry),
    ...sources.tasks.map((task) => taskEntry(task, sources.turns)),
    ...sources.approvals.map(approvalEntry),
    ...sources.alerts.filter((alert) => alert.state === 'closed' || !spoken.has(alert.sequence)).map(alertEntry),
    ...sources.happenings.map(happeningEntry),
  ];
  return entries.sort((left, right) => left.atMs - right.atMs).slice(-most);
}

/** A typed question as it is before it is sent. */
export function typed(id: string, text: string, atMs: number, dialogue: readonly Exchange[]): Typed {
  return { id, text, atMs, state: 'sending', problem: '', before: sameText(text, dialogue) };
}

/** Whether the dialogue has the question by now: then the exchange is shown in its place. */
export function isTaken(question: Typed, dialogue: readonly Exchange[]): boolean {
  return sameText(question.text, dialogue) > question.before;
}

/** Whether an answer may still come: the dialogue is then read again after each utterance and task. */
export function isWaiting(questions: readonly Typed[], dialogue: readonly Exchange[]): boolean {
  const open = dialogue.some((exchange) => exchange.state === 'open' || exchange.state === 'delegated');
  return open || questions.some((question) => question.state === 'waiting' && !isTaken(question, dialogue));
}

/** The marks with one more; one that is there already is not doubled. */
export function withMark(marks: readonly AlertMark[], told: AlertMark | null): readonly AlertMark[] {
  if (told === null) return marks;
  const isSame = (held: AlertMark): boolean =>
    held.id === told.id && held.state === told.state && (held.sequence === told.sequence || told.state === 'opened');
  return marks.some(isSame) ? marks : [...marks, told];
}

/** The marks with their turns: an alert's frame was captured when it opened, so its turn is that of the same time. */
export function placed(marks: readonly AlertMark[], turns: readonly Turn[]): readonly AlertMark[] {
  if (marks.every((mark) => mark.sequence >= 0)) return marks;
  const byTime = new Map(turns.map((turn) => [Date.parse(turn.capture_time), turn.sequence]));
  return marks.map((mark) =>
    mark.sequence >= 0 ? mark : { ...mark, sequence: byTime.get(mark.atMs) ?? mark.sequence },
  );
}

function sameText(text: string, dialogue: readonly Exchange[]): number {
  return dialogue.filter((exchange) => exchange.query === text).length;
}

/** Without a turn the model's clock is unknown: the questions are then the first entries. */
function asked(sources: Sources, begin: number | null): readonly Entry[] {
  const tasks = new Map(sources.tasks.map((task) => [task.id, task]));
  return sources.dialogue.map((exchange, index) => ({
    kind: 'question',
    key: `q${index}-${exchange.asked_s}`,
    atMs: begin === null ? 0 : begin + exchange.asked_s * 1_000 - 1, // before the turn that took it
    text: exchange.query,
    state: exchange.state,
    problem: '',
    task: tasks.get(exchange.task) ?? null,
    recalled: exchange.recalled,
    isSpoken: sources.heard.some((said) => isSameMoment(said, exchange, begin)),
  }));
}

function typedEntry(question: Typed): Entry {
  const { id, atMs, text, state, problem } = question;
  return { kind: 'question', key: `t${id}`, atMs, text, state, problem, task: null, recalled: [], isSpoken: false };
}

/** What was said: a question waits for its turn, anything else is marked as what it became. */
function heardEntry(said: Heard): Entry {
  const { id, atMs, text } = said;
  const common = { key: `v${id}`, atMs };
  if (said.became !== 'query') return { ...common, kind: 'heard', said };
  return { ...common, kind: 'question', text, state: 'waiting', problem: '', task: null, recalled: [], isSpoken: true };
}

/** A turn takes a question at once, with a picture that may be a little older than its last word. */
const SAME_MOMENT_MS = 5_000;

function isSameMoment(said: Heard, exchange: Exchange, begin: number | null): boolean {
  return (
    isOf(said, exchange.query) &&
    begin !== null &&
    Math.abs(begin + exchange.asked_s * 1_000 - said.atMs) < SAME_MOMENT_MS
  );
}

function isInDialogue(said: Heard, dialogue: readonly Exchange[], begin: number | null): boolean {
  return dialogue.some((exchange) => isSameMoment(said, exchange, begin));
}

/** An alert that the words opened or updated is shown with the words. */
function utteranceEntry(turn: Turn, { alerts, spoken }: Sources): Entry {
  const speech = spoken.get(turn.sequence) ?? null;
  const raised = alerts.filter((alert) => alert.sequence === turn.sequence && alert.state !== 'closed');
  return {
    kind: 'utterance',
    key: `u${turn.sequence}`,
    atMs: Date.parse(turn.capture_time),
    turn,
    alerts: raised,
    speech,
  };
}

/** A turn that said nothing, and was told what modules noticed. */
function observedEntry(turn: Turn): Entry {
  return { kind: 'observed', key: `o${turn.sequence}`, atMs: Date.parse(turn.capture_time), turn };
}

/** A task in flight stands where it began; with its end it comes to where the result came. Of one that no brain has seen
 * the API knows the turn alone. */
function taskEntry(task: Task, turns: readonly Turn[]): Entry {
  const turn = task.openedMs === 0 ? turns.find(({ sequence }) => sequence === task.sequence) : undefined;
  const openedMs = turn === undefined ? task.openedMs : Date.parse(turn.capture_time);
  return { kind: 'task', key: `d${task.id}`, atMs: task.endedMs ?? openedMs, task };
}

function approvalEntry(approval: Approval): Entry {
  return { kind: 'approval', key: `p${approval.id}`, atMs: approval.requestedMs, approval };
}

function alertEntry(alert: AlertMark): Entry {
  return { kind: 'alert', key: `a${alert.id}-${alert.state}-${alert.sequence}`, atMs: alert.atMs, alert };
}

function happeningEntry(happening: Happening): Entry {
  return { kind: 'happening', key: `h${happening.id}`, atMs: happening.atMs, happening };
}
