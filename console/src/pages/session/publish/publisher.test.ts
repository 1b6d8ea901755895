import { beforeEach, describe, expect, test } from 'vitest';
import { ApiProblem } from '../../../lib/api/problem';
import { CaptureFailed, captureFailed, type CaptureKind } from './capture';
import type { Peer } from './peer';
import { pauseMs, Publisher, type Publishing } from './publisher';
import { Whip } from './whip';

/** A video track as far as the publisher looks at it. */
class FakeTrack extends EventTarget {
  readyState: 'live' | 'ended' = 'live';
  end(): void {
    this.readyState = 'ended';
    this.dispatchEvent(new Event('ended'));
  }
  stop(): void {
    this.readyState = 'ended';
  }
}

class FakePeer implements Peer {
  closed = 0;
  lose: () => void = () => undefined;
  readonly lost = new Promise<void>((resolve) => (this.lose = resolve));
  close(): Promise<void> {
    this.closed += 1;
    return Promise.resolve();
  }
}

/** A browser whose camera and network do what a test says. */
class Browser {
  tracks: FakeTrack[] = [];
  peers: FakePeer[] = [];
  states: Publishing[] = [];
  pauses: number[] = [];
  replaced: boolean[] = [];
  faults: (Error | null)[] = [];
  refusals: (Error | null)[] = [];
  private waiting: (() => void)[] = [];

  publisher(kind: CaptureKind = 'camera'): Publisher {
    const whip = new Whip(() => Promise.reject(new Error('not asked')), 's-1');
    return new Publisher(
      {
        capture: () => {
          const fault = this.faults.shift();
          return fault ? Promise.reject(fault) : Promise.resolve(this.stream());
        },
        connect: (_whip, _track, replaces) => {
          this.replaced.push(replaces);
          const refusal = this.refusals.shift();
          return refusal ? Promise.reject(refusal) : Promise.resolve(this.peer());
        },
        pause: (ms) => {
          this.pauses.push(ms);
          return Promise.resolve();
        },
      },
      whip,
      kind,
      '',
      (state) => this.tell(state),
    );
  }

  get phases(): string[] {
    return this.states.map((state) => state.phase).filter((phase, index, all) => phase !== all[index - 1]);
  }

  /** Waits until a state is told that `holds`. */
  async until(holds: (state: Publishing) => boolean): Promise<Publishing> {
    for (;;) {
      const last = this.states.at(-1);
      if (last !== undefined && holds(last)) return last;
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }

  private tell(state: Publishing): void {
    this.states.push(state);
    this.waiting.splice(0).forEach((wake) => wake());
  }

  private peer(): FakePeer {
    const peer = new FakePeer();
    this.peers.push(peer);
    return peer;
  }

  private stream(): MediaStream {
    const track = new FakeTrack();
    this.tracks.push(track);
    return { getVideoTracks: () => [track], getTracks: () => [track] } as unknown as MediaStream;
  }
}

const isLive = (state: Publishing): boolean => state.phase === 'live';
const refusal = (status: number, kind = 'x'): ApiProblem =>
  new ApiProblem(status, kind, '', `refused with ${status}`, '');

let browser: Browser;

beforeEach(() => {
  browser = new Browser();
});

describe('a publisher', () => {
  test('asks for the camera, connects, and is live until it is stopped', async () => {
    const publisher = browser.publisher();
    const run = publisher.run();
    const live = await browser.until(isLive);
    expect(live.stream).not.toBeNull();
    publisher.stop();
    await run;
    expect(browser.phases).toEqual(['asking', 'connecting', 'live', 'stopped']);
    expect(browser.states.at(-1)?.stream).toBeNull();
    expect(browser.tracks.map((track) => track.readyState)).toEqual(['ended']);
    expect(browser.peers.map((peer) => peer.closed)).toEqual([1]);
  });

  test('connects again with the same camera when the connection is lost', async () => {
    const publisher = browser.publisher();
    const run = publisher.run();
    await browser.until(isLive);
    browser.peers[0]?.lose();
    await browser.until((state) => isLive(state) && browser.peers.length === 2);
    expect(browser.tracks).toHaveLength(1);
    expect(browser.peers[0]?.closed).toBe(1);
    expect(browser.phases).toEqual(['asking', 'connecting', 'live', 'reconnecting', 'live']);
    expect(browser.replaced).toEqual([true, false]);
    publisher.stop();
    await run;
  });

  test('opens the camera again when it was unplugged, for as long as that takes', async () => {
    const publisher = browser.publisher();
    const run = publisher.run();
    await browser.until(isLive);
    browser.faults = [new CaptureFailed('missing', 'no camera'), new CaptureFailed('missing', 'no camera')];
    browser.tracks[0]?.end();
    await browser.until((state) => isLive(state) && browser.peers.length === 2);
    expect(browser.tracks).toHaveLength(2);
    expect(browser.pauses).toEqual([500, 1_000, 2_000]);
    publisher.stop();
    await run;
  });

  test('does not ask for a screen again by itself', async () => {
    const run = browser.publisher('screen').run();
    await browser.until(isLive);
    browser.tracks[0]?.end();
    await run;
    expect(browser.states.at(-1)).toMatchObject({ phase: 'stopped', fault: 'share_ended', stream: null });
    expect(browser.peers).toHaveLength(1);
  });

  test('stops at once when the camera may not be used', async () => {
    browser.faults = [new CaptureFailed('refused', 'denied')];
    await browser.publisher().run();
    expect(browser.states.at(-1)).toMatchObject({ phase: 'stopped', fault: 'refused', problem: 'denied' });
    expect(browser.pauses).toEqual([]);
  });

  test('tries again when the gateway is away or full', async () => {
    browser.refusals = [refusal(0), refusal(503), null];
    const publisher = browser.publisher();
    const run = publisher.run();
    const live = await browser.until(isLive);
    expect(browser.pauses).toEqual([500, 1_000]);
    expect(live).toMatchObject({ attempt: 0, problem: '' });
    publisher.stop();
    await run;
  });

  test('is over when the session has ended meanwhile', async () => {
    const run = browser.publisher().run();
    await browser.until(isLive);
    browser.refusals = [refusal(409, 'session_ended')];
    browser.peers[0]?.lose();
    await run;
    expect(browser.states.at(-1)).toMatchObject({ phase: 'over', stream: null });
    expect(browser.tracks.map((track) => track.readyState)).toEqual(['ended']);
  });

  test('tells what the gateway refuses for good', async () => {
    browser.refusals = [refusal(422)];
    await browser.publisher().run();
    expect(browser.states.at(-1)).toMatchObject({ phase: 'refused', problem: 'refused with 422' });
  });

  test('that is stopped while it waits does not try again', async () => {
    browser.refusals = [refusal(503)];
    const publisher = browser.publisher();
    const run = publisher.run();
    await browser.until((state) => state.attempt === 1);
    publisher.stop();
    await run;
    expect(browser.peers).toHaveLength(0);
    expect(browser.states.at(-1)?.phase).toBe('stopped');
  });
});

test('pauses grow to five seconds', () => {
  expect([0, 1, 2, 3, 4, 5, 50].map(pauseMs)).toEqual([500, 500, 1_000, 2_000, 4_000, 5_000, 5_000]);
});

test.each([
  ['NotAllowedError', 'refused'],
  ['NotFoundError', 'missing'],
  ['NotReadableError', 'busy'],
  ['TypeError', 'failed'],
])('the browser’s %s is the fault %s', (name, fault) => {
  expect(captureFailed(Object.assign(new Error('x'), { name })).fault).toBe(fault);
});
