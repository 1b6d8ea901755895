/**
 * One session as its page shows it: read once it is followed, then kept by its live events. What it was is read again
 * when a lost connection is back, and the dialogue when the model has said something while a question waits.
 */

import { api } from '../../lib/api/client';
import { asProblem, type ApiProblem } from '../../lib/api/problem';
import { approvals } from '../../lib/live/approvals.svelte';
import { follow, type Connection, type Following } from '../../lib/live/follow';
import type { SentEvent } from '../../lib/live/sse';
import type { Detail } from './api';
import {
  conversation,
  isWaiting,
  placed,
  typed,
  withMark,
  type AlertMark,
  type Exchange,
  type Happening,
  type Typed,
} from './conversation';
import { figures } from './figures';
import { MemoryBook } from './memoryBook.svelte';
import { alertMark, happening, roles, type RoleStatus } from './liveEvents';
import { browserPorts } from './speech/browser';
import { heard } from './speech/heard';
import { Speech } from './speech/speech.svelte';
import { remarks, sessionState } from './standing';
import { TaskBook } from './taskBook.svelte';
import { canLoadOlder, EMPTY, withLive, withOlder, type Timeline } from './timeline';
import type { Turn } from './turn';
import { WatchBook } from './watchBook.svelte';

const PAGE = 300;
/** A question that was said is taken by the next turns; later the dialogue is not read for it any more. */
const HEARD_NEWS_MS = 30_000;
const MOST_HAPPENINGS = 200;
/** The turn that opened an alert which the page knows from the list alone. */
const UNKNOWN = -1;
/** What happened to a session in words that only operators of the service need. */
const QUIET = new Set(['requested', 'changed']);

export class Room {
  readonly watches: WatchBook;
  readonly tasks: TaskBook;
  readonly memory: MemoryBook;
  readonly speech: Speech;
  detail = $state.raw<Detail | null>(null);
  problem = $state.raw<ApiProblem | null>(null);
  connection = $state.raw<Connection>({ state: 'connecting' });
  timeline = $state.raw<Timeline>(EMPTY);
  dialogue = $state.raw<readonly Exchange[]>([]);
  typed = $state.raw<readonly Typed[]>([]);
  alerts = $state.raw<readonly AlertMark[]>([]);
  happenings = $state.raw<readonly Happening[]>([]);
  said = $state.raw<readonly RoleStatus[]>([]);
  isLoadingOlder = $state(false);
  /** Turns, dialogue, alerts and watches have been read for the first time. */
  isRead = $state(false);
  #following: Following | null = null;
  #isClosed = false;

  readonly turns = $derived(this.timeline.turns);
  readonly newest = $derived(this.turns.at(-1));
  readonly isEnded = $derived(this.detail?.state === 'ended' || this.connection.state === 'ended');
  readonly state = $derived(sessionState(this.isEnded, this.said, this.turns.length > 0));
  readonly remarks = $derived(remarks(this.said));
  readonly figures = $derived(figures(this.turns));
  readonly marks = $derived(placed(this.alerts, this.turns));
  readonly entries = $derived.by(() =>
    conversation({
      turns: this.turns,
      dialogue: this.dialogue,
      typed: this.typed,
      tasks: this.tasks.all,
      approvals: approvals.of(this.session),
      alerts: this.marks,
      happenings: this.happenings,
      heard: this.speech.finals,
      spoken: this.speech.marks,
    }),
  );
  readonly alerted = $derived(
    new Set(this.marks.filter((mark) => mark.state !== 'closed').map((mark) => mark.sequence)),
  );

  constructor(
    readonly session: string,
    speech = browserPorts(session),
  ) {
    this.watches = new WatchBook(session);
    this.tasks = new TaskBook(session);
    this.memory = new MemoryBook(session);
    this.speech = new Speech(speech);
  }

  /** Reads the session and follows it; returns what ends that. */
  open(): () => void {
    void this.#load();
    return () => {
      this.#isClosed = true;
      this.#following?.close();
      this.speech.close();
    };
  }

  retryNow(): void {
    this.#following?.retryNow();
  }

  /** Reads the turns before the oldest one that is held. */
  async loadOlder(): Promise<void> {
    const oldest = this.turns[0];
    if (this.isLoadingOlder || oldest === undefined || !canLoadOlder(this.timeline)) return;
    this.isLoadingOlder = true;
    try {
      await this.#readTurns(oldest.sequence);
    } catch (error) {
      this.problem = asProblem(error);
    } finally {
      this.isLoadingOlder = false;
    }
  }

  /** Reads back to this turn; false when it is not kept any more. */
  async loadBackTo(sequence: number): Promise<boolean> {
    while (!this.#isClosed && (this.turns[0]?.sequence ?? sequence) > sequence && canLoadOlder(this.timeline)) {
      const before = this.turns[0]?.sequence;
      await this.loadOlder();
      if (this.turns[0]?.sequence === before) break;
    }
    return this.turns.some((turn) => turn.sequence === sequence);
  }

  /** Asks the model. The question is shown at once; what the server refuses stands beside it. */
  async ask(text: string): Promise<void> {
    const question = typed(crypto.randomUUID(), text, Date.now(), this.dialogue);
    this.typed = [...this.typed, question];
    try {
      await api.post('/v1/sessions/{session}/queries', { path: { session: this.session }, body: { text, brain: '' } });
      this.#answered(question.id, { state: 'waiting' });
    } catch (error) {
      this.#answered(question.id, { state: 'refused', problem: asProblem(error).message });
    }
  }

  /** The session as it is after a change that the page made. */
  take(changed: Partial<Detail>): void {
    if (this.detail !== null) this.detail = { ...this.detail, ...changed };
  }

  async #load(): Promise<void> {
    const path = { session: this.session };
    try {
      const detail = await api.get('/v1/sessions/{session}', { path });
      if (this.#isClosed) return;
      this.detail = detail;
      this.said = roles(detail.status);
      if (detail.state === 'ended') this.connection = { state: 'ended', reason: detail.ended_reason ?? '' };
      else await this.#follow();
      await Promise.all([this.#readPast(detail), this.watches.read()]);
      this.isRead = true;
      if (!this.#isClosed && !this.isEnded && (detail.hearing.is_on || detail.voice.is_on)) this.speech.open();
    } catch (error) {
      if (!this.#isClosed) this.problem = asProblem(error);
    }
  }

  /** Follows the live events; done once they come or cannot come: what is read after that leaves no gap before them. */
  #follow(): Promise<void> {
    const address = `/v1/sessions/${encodeURIComponent(this.session)}/events`;
    return new Promise((resolve) => {
      this.#following = follow(address, {
        event: (event) => this.#event(event),
        connection: (connection) => {
          this.#connected(connection);
          if (connection.state !== 'connecting') resolve();
        },
      });
    });
  }

  #connected(connection: Connection): void {
    this.connection = connection;
    // A stream that had told nothing yet has no place to go on from.
    if (connection.state === 'live' && this.isRead && this.detail !== null)
      void this.#readPast(this.detail).catch((error: unknown) => (this.problem = asProblem(error)));
    if (connection.state !== 'lost' || connection.problem?.kind !== 'session_ended') return;
    this.#following?.close();
    this.connection = { state: 'ended', reason: connection.problem.detail };
    this.speech.close();
  }

  #event(event: SentEvent): void {
    const data = parsed(event.data);
    if (event.event === 'decision') this.#turn(data as Turn);
    else if (event.event === 'alert') this.alerts = withMark(this.alerts, alertMark(data));
    else if (event.event === 'delegation') this.#task(data);
    else if (event.event === 'approval') approvals.take(data);
    else if (event.event === 'memory') this.memory.changed();
    else if (event.event === 'speech') this.speech.tell({ kind: 'speech', event: data });
    else if (event.event === 'transcript') this.#transcript(data);
    else if (event.event === 'session') this.#happening(happening(data));
    else if (event.event === 'status') this.said = roles((data as { roles?: unknown } | null)?.roles);
  }

  #turn(turn: Turn | null): void {
    if (typeof turn?.sequence !== 'number') return;
    this.timeline = withLive(this.timeline, [turn]);
    if (this.watches.isPending) void this.watches.read();
    const mayBeAnswered = turn.action !== 'silent' || this.typed.length > 0;
    if ((mayBeAnswered && isWaiting(this.typed, this.dialogue)) || this.#hasHeardNews(turn)) void this.#readDialogue();
  }

  /** Whether a question that was just said may be in the dialogue with this turn. */
  #hasHeardNews(turn: Turn): boolean {
    const now = Date.parse(turn.capture_time);
    return this.entries.some(
      (entry) =>
        entry.kind === 'question' && entry.isSpoken && entry.state === 'waiting' && now - entry.atMs < HEARD_NEWS_MS,
    );
  }

  #transcript(event: unknown): void {
    this.speech.tell({ kind: 'transcript', event });
    if (heard(event)?.became === 'watch') void this.watches.read();
  }

  #task(event: unknown): void {
    if (this.tasks.take(event)) void this.#readDialogue();
  }

  #happening(told: Happening | null): void {
    if (told === null || QUIET.has(told.event) || this.happenings.some((held) => held.id === told.id)) return;
    this.happenings = [...this.happenings, told].slice(-MOST_HAPPENINGS);
    if (told.event !== 'ended') return;
    this.take({ state: 'ended', ended_reason: told.reason });
    this.speech.close();
  }

  async #readPast(detail: Detail): Promise<void> {
    await Promise.all([
      this.#readTurns(),
      this.#readDialogue(),
      this.#readAlerts(detail.created_at),
      this.tasks.read(),
    ]);
  }

  async #readTurns(before?: number): Promise<void> {
    const query = before === undefined ? { limit: PAGE } : { limit: PAGE, before };
    const page = await api.get('/v1/sessions/{session}/turns', { path: { session: this.session }, query });
    const isWhole = before === undefined && this.timeline.isWhole;
    this.timeline = withOlder(this.timeline, page.turns, isWhole || page.next === null);
  }

  async #readDialogue(): Promise<void> {
    const history = await api.get('/v1/sessions/{session}/history', {
      path: { session: this.session },
      query: { limit: 1 },
    });
    this.dialogue = history.dialogue;
  }

  async #readAlerts(since: string): Promise<void> {
    const { alerts } = await api.get('/v1/alerts', { query: { session: this.session, since, limit: 200 } });
    for (const { alert_id: id, watch, severity, text, opened_at: openedAt } of alerts) {
      const mark = {
        id,
        state: 'opened' as const,
        watch,
        severity,
        text,
        sequence: UNKNOWN,
        atMs: Date.parse(openedAt),
      };
      this.alerts = withMark(this.alerts, mark);
    }
  }

  #answered(id: string, change: Partial<Typed>): void {
    this.typed = this.typed.map((question) => (question.id === id ? { ...question, ...change } : question));
  }
}

function parsed(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    return null;
  }
}
