import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { approvals } from '../../lib/live/approvals.svelte';
import { json, LiveStream, problem, scriptedFetch, type Asked } from '../../testing/scripted_fetch';
import type { Exchange } from './conversation';
import { Room } from './room.svelte';
import { ScriptedBrowser } from './speech/scripted_browser';
import { speechEvent, transcriptEvent } from './speech/testing';
import { BEGIN_MS, spoken, turn, turns } from './testing';
import type { Turn } from './turn';

const DETAIL = {
  id: 's-1',
  state: 'open',
  ended_reason: null,
  created_at: new Date(BEGIN_MS).toISOString(),
  status: { interaction: { state: 'deciding' } },
  hearing: { is_on: false },
  modules: { is_on: true, names: [] },
  voice: { is_on: false },
};
const OF = '/v1/sessions/s-1';

/** A gateway with one session, of which a test says what it holds. */
class Gateway {
  detail: object = DETAIL;
  /** Every turn that is kept; a page holds the newest 300 before what is asked for. */
  turns: readonly Turn[] = [turn(0), spoken(1, 'A fire has started.'), turn(2)];
  dialogue: readonly Exchange[] = [];
  alerts: readonly object[] = [];
  tasks: readonly object[] = [];
  watches: readonly object[] = [];
  /** Answers by address, in the place of the usual one. */
  refusals = new Map<string, () => Response>();
  readonly stream = new LiveStream();
  readonly asked: Asked[];
  readonly restore: () => void;

  constructor() {
    ({ asked: this.asked, restore: this.restore } = scriptedFetch((asked, signal) => this.answer(asked, signal)));
  }

  /** The requests for this address, `METHOD address`. */
  of(part: string): string[] {
    return this.asked.map(({ method, address }) => `${method} ${address}`).filter((line) => line.includes(part));
  }

  private answer({ address }: Asked, signal: AbortSignal | null): Response {
    const [path = '', query = ''] = address.split('?');
    const refusal = this.refusals.get(path);
    if (refusal !== undefined) return refusal();
    switch (path) {
      case OF:
        return json(this.detail);
      case `${OF}/events`:
        return this.stream.answer(signal);
      case `${OF}/turns`:
        return json(this.page(new URLSearchParams(query).get('before')));
      case `${OF}/history`:
        return json({ session: 's-1', turns: [], dialogue: this.dialogue });
      case `${OF}/watches`:
        return json({ watches: this.watches });
      case `${OF}/tasks`:
        return json({ tasks: this.tasks });
      case `${OF}/queries`:
        return json({ id: 'q-1', session: 's-1' }, 202);
      case '/v1/alerts':
        return json({ alerts: this.alerts, next: null });
      default:
        return problem(404, 'no_such_path');
    }
  }

  private page(before: string | null): object {
    const kept = this.turns.filter((kept) => before === null || kept.sequence < Number(before));
    const page = kept.slice(-300).toReversed();
    return { turns: page, next: page.length < kept.length ? (page.at(-1)?.sequence ?? null) : null };
  }
}

let gateway: Gateway;
let close: () => void = () => undefined;

beforeEach(() => {
  vi.useFakeTimers({ now: BEGIN_MS + 60_000 });
  gateway = new Gateway();
});

afterEach(() => {
  close();
  gateway.restore();
  approvals.forget();
  vi.useRealTimers();
});

const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

/** The session's page, opened and read. */
async function opened(browser = new ScriptedBrowser()): Promise<Room> {
  const room = new Room('s-1', browser.ports);
  close = room.open();
  await settle();
  return room;
}

function cloudEvent(type: string, data: object, second = 5): object {
  const time = new Date(BEGIN_MS + second * 1_000).toISOString();
  return { specversion: '1.0', id: `${type}-${second}`, type, time, data };
}

const fire = (state: string, sequence: number): object =>
  cloudEvent(
    `vigil.alert.${state}`,
    {
      alert_id: 'a-1',
      watch: 'fire',
      severity: 'critical',
      text: 'A fire has started.',
      decision_sequence: sequence,
      capture_time: new Date(BEGIN_MS + sequence * 1_000).toISOString(),
    },
    sequence,
  );

describe('the page of a session', () => {
  test('reads it once and follows it', async () => {
    gateway.alerts = [
      {
        alert_id: 'a-1',
        watch: 'fire',
        severity: 'critical',
        text: 'A fire has started.',
        opened_at: new Date(BEGIN_MS + 1_000).toISOString(),
      },
    ];
    const room = await opened();
    expect(room.isRead).toBe(true);
    expect(room.turns.map(({ sequence }) => sequence)).toEqual([0, 1, 2]);
    expect([room.connection.state, room.state, room.isEnded]).toEqual(['live', 'live', false]);
    expect(room.entries.map(({ kind }) => kind)).toEqual(['utterance']);
    expect([...room.alerted]).toEqual([1]);
    expect(gateway.of('')).toHaveLength(7);
  });

  test('says why it cannot be read, and reads nothing more of it', async () => {
    gateway.refusals.set(OF, () => problem(404, 'unknown_session'));
    const room = await opened();
    expect([room.problem?.kind, room.detail, room.isRead]).toEqual(['unknown_session', null, false]);
    expect(gateway.of('')).toHaveLength(1);
  });

  test('does not follow a session that has ended', async () => {
    gateway.detail = { ...DETAIL, state: 'ended', ended_reason: 'the client ended it' };
    const room = await opened();
    expect([room.isEnded, room.isRead, room.connection]).toEqual([
      true,
      true,
      { state: 'ended', reason: 'the client ended it' },
    ]);
    expect(gateway.of('/events')).toEqual([]);
  });

  test('closes its stream when it is left, and keeps nothing that is read later', async () => {
    const room = new Room('s-1');
    room.open()();
    await settle();
    expect([room.detail, room.problem]).toEqual([null, null]);
    await opened();
    expect(gateway.stream.isAborted).toBe(false);
    close();
    expect(gateway.stream.isAborted).toBe(true);
  });
});

describe('live events', () => {
  test('bring turns, alerts, happenings and what the roles say', async () => {
    const room = await opened();
    gateway.stream.send('decision', spoken(3, 'Two people.'));
    gateway.stream.send('alert', fire('opened', 1));
    gateway.stream.send('alert', fire('opened', 1));
    gateway.stream.send('alert', fire('closed', 4));
    gateway.stream.send('session', cloudEvent('vigil.session.source_lost', { reason: 'it does not answer' }));
    gateway.stream.send('status', { roles: { ingestion: { state: 'reconnecting', detail: 'it does not answer' } } });
    await settle();
    expect(room.newest?.text).toBe('Two people.');
    expect(room.alerts.map(({ state }) => state)).toEqual(['opened', 'closed']);
    expect(room.happenings.map(({ event, reason }) => [event, reason])).toEqual([
      ['source_lost', 'it does not answer'],
    ]);
    expect([room.state, room.remarks]).toEqual(['reconnecting', ['it does not answer']]);
  });

  test('that cannot be read, or that tell nothing new, change nothing', async () => {
    const room = await opened();
    const before = room.entries;
    gateway.stream.send('decision', '{"sequence":');
    gateway.stream.send('decision', { text: 'a turn without its number' });
    gateway.stream.send('alert', cloudEvent('vigil.alert.acknowledged', { alert_id: 'a-1' }));
    gateway.stream.send('session', cloudEvent('vigil.session.changed', { reason: 'the client changed it' }));
    gateway.stream.send('weather', { sun: true });
    await settle();
    expect(room.entries).toEqual(before);
    expect(room.problem).toBeNull();
  });

  test('tell a happening once, also when it comes again', async () => {
    const room = await opened();
    const moved = cloudEvent('vigil.session.moved', { reason: 'interaction-2 took it' });
    gateway.stream.send('session', moved);
    gateway.stream.send('session', moved);
    await settle();
    expect(room.happenings).toHaveLength(1);
  });

  test('bring a delegated question, its brain’s words and its result', async () => {
    const room = await opened();
    const read = gateway.of('/history').length;
    const asked = { task: 's-1-3', question: 'Which flower is it?', note: 'Let me see.', decision_sequence: 3 };
    gateway.stream.send('delegation', cloudEvent('vigil.delegation.opened', asked, 3));
    gateway.stream.send('delegation', cloudEvent('vigil.delegation.progress', { task: 's-1-3', text: 'Reading.' }, 4));
    await settle();
    expect(room.tasks.all.map(({ state, text }) => [state, text])).toEqual([['running', 'Reading.']]);
    expect(gateway.of('/history')).toHaveLength(read + 1);
    const end = { ...asked, outcome: 'answered', result: 'An iris.' };
    gateway.stream.send('delegation', cloudEvent('vigil.delegation.closed', end, 6));
    await settle();
    expect(room.entries.at(-1)).toMatchObject({ kind: 'task', task: { outcome: 'answered', result: 'An iris.' } });
    expect(gateway.of('/history')).toHaveLength(read + 2);
  });

  test('bring an approval that a brain asks for, of this session alone', async () => {
    const room = await opened();
    const asked = { approval: 'p-1', session: 's-1', tool: 'open_ticket', arguments: '{}', summary: '' };
    gateway.stream.send('approval', cloudEvent('vigil.approval.requested', asked));
    await settle();
    approvals.take(cloudEvent('vigil.approval.requested', { ...asked, approval: 'p-2', session: 's-2' }));
    expect(room.entries.filter(({ kind }) => kind === 'approval')).toHaveLength(1);
  });

  test('end with the session', async () => {
    const room = await opened();
    gateway.stream.send('session', cloudEvent('vigil.session.ended', { reason: 'its file has ended' }));
    gateway.stream.end('the session ended');
    await settle();
    expect(room.detail?.ended_reason).toBe('its file has ended');
    expect([room.isEnded, room.connection.state]).toEqual([true, 'ended']);
  });

  test('are given up when the gateway says that the session has ended meanwhile', async () => {
    gateway.refusals.set(`${OF}/events`, () => problem(409, 'session_ended'));
    const room = await opened();
    expect(room.connection).toEqual({ state: 'ended', reason: 'detail of session_ended' });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(gateway.of('/events')).toHaveLength(1);
  });
});

describe('a question', () => {
  const exchange = (state: Exchange['state']): Exchange => ({
    query: 'How many?',
    asked_s: 3,
    state,
    answer: state === 'answered' ? 'Two.' : '',
    answered_s: state === 'answered' ? 4 : null,
    task: '',
    note: '',
    recalled: [],
  });
  const states = (room: Room): string[] =>
    room.entries.flatMap((entry) => (entry.kind === 'question' ? [entry.state] : []));

  test('is shown at once, and the dialogue is read anew while it waits for its answer', async () => {
    const room = await opened();
    const read = gateway.of('/history').length;
    const asking = room.ask('How many?');
    expect(states(room)).toEqual(['sending']);
    await asking;
    expect(states(room)).toEqual(['waiting']);
    gateway.dialogue = [exchange('open')];
    gateway.stream.send('decision', turn(3));
    await settle();
    expect(states(room)).toEqual(['open']);
    gateway.dialogue = [exchange('answered')];
    gateway.stream.send('decision', spoken(4, 'Two.'));
    await settle();
    expect(states(room)).toEqual(['answered']);
    expect(gateway.of('/history')).toHaveLength(read + 2);
    gateway.stream.send('decision', spoken(5, 'A fire.'));
    await settle();
    expect(gateway.of('/history')).toHaveLength(read + 2);
  });

  test('that is refused says so in the gateway’s words', async () => {
    const room = await opened();
    gateway.refusals.set(`${OF}/queries`, () => problem(429, 'inbox_full'));
    await room.ask('How many?');
    expect(room.typed.map(({ state, problem: why }) => [state, why])).toEqual([['refused', 'detail of inbox_full']]);
  });
});

describe('older turns', () => {
  beforeEach(() => {
    gateway.turns = turns(0, 700);
  });

  test('are read page by page, up to the first', async () => {
    const room = await opened();
    expect(room.turns[0]?.sequence).toBe(400);
    await Promise.all([room.loadOlder(), room.loadOlder()]);
    expect([room.turns[0]?.sequence, room.isLoadingOlder]).toEqual([100, false]);
    await room.loadOlder();
    await room.loadOlder();
    expect(room.turns).toHaveLength(700);
    expect(gateway.of('before=').map((line) => line.split('before=')[1])).toEqual(['400', '100']);
  });

  test('are read back to a turn that somebody wants to see', async () => {
    const room = await opened();
    expect(await room.loadBackTo(650)).toBe(true);
    expect(gateway.of('before=')).toEqual([]);
    expect(await room.loadBackTo(30)).toBe(true);
    expect(await room.loadBackTo(7_000)).toBe(false);
  });

  test('that are not kept any more are looked for once', async () => {
    gateway.turns = turns(350, 700);
    const room = await opened();
    expect(await room.loadBackTo(10)).toBe(false);
    expect(gateway.of('before=')).toHaveLength(1);
  });

  test('that cannot be read are told, and the search for one ends', async () => {
    const room = await opened();
    gateway.refusals.set(`${OF}/turns`, () => problem(503, 'bus_unavailable'));
    expect(await room.loadBackTo(30)).toBe(false);
    expect([room.problem?.kind, room.isLoadingOlder]).toEqual(['bus_unavailable', false]);
  });
});

test('a change that the page made is shown at once', async () => {
  const room = new Room('s-1');
  room.take({ state: 'ended' });
  expect(room.detail).toBeNull();
  close = room.open();
  await settle();
  room.take({ ended_reason: 'so' });
  expect(room.detail).toMatchObject({ id: 's-1', ended_reason: 'so' });
});

describe('a session that is spoken to', () => {
  const SPOKEN_TO = { ...DETAIL, hearing: { is_on: true }, voice: { is_on: true } };

  test('has a connection for sound until it ends or its page is left; any other has none', async () => {
    const quiet = new ScriptedBrowser();
    await opened(quiet);
    expect(quiet.sockets).toEqual([]);
    close();

    gateway.detail = SPOKEN_TO;
    const browser = new ScriptedBrowser();
    await opened(browser);
    expect([browser.sockets.length, browser.socket?.isClosed]).toEqual([1, false]);
    close();
    expect(browser.socket?.isClosed).toBe(true);

    const ending = new ScriptedBrowser();
    const room = await opened(ending);
    gateway.stream.send('session', cloudEvent('vigil.session.ended', { reason: 'over' }));
    await settle();
    expect([room.isEnded, ending.socket?.isClosed]).toEqual([true, true]);
  });

  test('shows a spoken question once: until its turn, and then as the dialogue has it', async () => {
    gateway.detail = SPOKEN_TO;
    const room = await opened();
    const questions = (): unknown[] =>
      room.entries.flatMap((entry) => (entry.kind === 'question' ? [[entry.state, entry.isSpoken]] : []));
    gateway.stream.send('transcript', transcriptEvent('t-1', 'Hey Vigil, how many?', 'query'));
    gateway.stream.send('transcript', transcriptEvent('t-2', 'Thanks.', 'not_addressed'));
    await settle();
    expect(questions()).toEqual([['waiting', true]]);
    expect(room.entries.filter(({ kind }) => kind === 'heard')).toHaveLength(1);
    gateway.dialogue = [
      {
        query: 'how many?',
        asked_s: 5,
        state: 'open',
        answer: '',
        answered_s: null,
        task: '',
        note: '',
        recalled: [],
      },
    ];
    gateway.stream.send('decision', turn(5));
    await settle();
    expect(questions()).toEqual([['open', true]]);
  });

  test('lists a watch that was said at once, and shows the words as what they became', async () => {
    gateway.detail = SPOKEN_TO;
    const room = await opened();
    const watch = { id: 't-1', name: 'fire-starts', text: 'Alert me when a fire starts.', pending: true };
    gateway.watches = [watch];
    gateway.stream.send('transcript', transcriptEvent('t-1', watch.text));
    await settle();
    expect(room.watches.all).toEqual([]);
    gateway.stream.send('transcript', transcriptEvent('t-1', watch.text, 'watch'));
    await settle();
    expect(room.watches.all).toEqual([watch]);
    expect(room.entries.flatMap((entry) => (entry.kind === 'heard' ? [entry.said.became] : []))).toEqual(['watch']);
  });

  test('says with its words how much of them was heard', async () => {
    gateway.detail = SPOKEN_TO;
    const room = await opened();
    gateway.stream.send('speech', speechEvent('interrupted', 's-1.utterance.9.1', { heard: 'A fire' }));
    await settle();
    const said = room.entries.find(({ kind }) => kind === 'utterance');
    expect(said?.kind === 'utterance' && said.speech?.heard).toBe('A fire');
  });
});
