import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { json, scriptedFetch, type Asked } from '../../testing/scripted_fetch';
import { OwnCamera } from './ownCamera.svelte';
import { CaptureFailed, type CaptureKind } from './publish/capture';
import type { Phase } from './publish/publisher';

/** A stream with one picture track, as far as the publisher looks at it. */
function stream(): MediaStream {
  const track = Object.assign(new EventTarget(), { readyState: 'live', stop: () => (track.readyState = 'ended') });
  return { getVideoTracks: () => [track], getTracks: () => [track] } as unknown as MediaStream;
}

function states(of: MediaStream | null): string[] {
  return of?.getTracks().map((track) => track.readyState) ?? [];
}

/** A browser that opens any camera and connects at once; `opened` are the cameras that were asked for. */
class Browser {
  readonly opened: [CaptureKind, string][] = [];
  readonly streams: MediaStream[] = [];
  fault: CaptureFailed | null = null;

  camera(): OwnCamera {
    return new OwnCamera({
      capture: (kind, deviceId) => {
        this.opened.push([kind, deviceId]);
        if (this.fault !== null) return Promise.reject(this.fault);
        const opened = stream();
        this.streams.push(opened);
        return Promise.resolve(opened);
      },
      connect: (whip, _track, replaces) =>
        whip.offer('v=0 offer', replaces).then(({ resource }) => ({
          lost: new Promise<void>(() => undefined),
          close: () => whip.close(resource),
        })),
      pause: () => Promise.resolve(),
    });
  }
}

let browser: Browser;
let asked: Asked[] = [];
let restore: () => void = () => undefined;

beforeEach(() => {
  browser = new Browser();
  ({ asked, restore } = scriptedFetch(({ method }) =>
    method === 'POST' ? new Response('v=0 answer', { status: 201, headers: { Location: '/v1/r-1' } }) : json({}),
  ));
});

afterEach(() => restore());

/** Lets what the camera has begun go on until it is in this phase. */
async function until(camera: OwnCamera, phase: Phase): Promise<void> {
  for (let turn = 0; turn < 1_000 && camera.state.phase !== phase; turn += 1) await Promise.resolve();
  expect(camera.state.phase).toBe(phase);
}

async function untilAsked(count: number): Promise<string[]> {
  for (let turn = 0; turn < 1_000 && asked.length < count; turn += 1) await Promise.resolve();
  return asked.map(({ method, address }) => `${method} ${address}`);
}

describe('the camera of this browser', () => {
  test('sends nothing until it is told to', () => {
    const camera = browser.camera();
    expect([camera.session, camera.state.phase, camera.endsWithPage]).toEqual([null, 'stopped', false]);
    expect(browser.opened).toEqual([]);
  });

  test('is opened before there is a session, and is then sent without being opened again', async () => {
    const camera = browser.camera();
    const opened = await camera.open('camera', 'front');
    camera.send('s-1', 'camera', 'front', opened);
    await until(camera, 'live');
    expect(camera.state.stream).toBe(opened);
    expect(browser.opened).toEqual([['camera', 'front']]);
    expect(await untilAsked(1)).toEqual(['POST /v1/sessions/s-1/whip?replace=true']);
    expect(asked[0]?.body).toBe('v=0 offer');
    expect(asked[0]?.headers.get('Content-Type')).toBe('application/sdp');
  });

  test('is not closed by the page that opened it once it is sent', async () => {
    const camera = browser.camera();
    const opened = await camera.open('screen', '');
    camera.send('s-1', 'screen', '', opened);
    camera.close();
    await until(camera, 'live');
    expect(states(opened)).toEqual(['live']);
    expect(browser.opened).toEqual([['screen', '']]);
  });

  test('is closed where it was opened and not sent', async () => {
    const camera = browser.camera();
    const first = await camera.open('camera', 'front');
    const second = await camera.open('camera', 'back');
    expect([states(first), states(second)]).toEqual([['ended'], ['live']]);
    camera.close();
    expect(states(second)).toEqual(['ended']);
  });

  test('is closed at once where the page was left while the browser still asked for permission', async () => {
    const camera = browser.camera();
    const opening = camera.open('camera', '');
    camera.close();
    expect(await opening).toBeNull();
    expect(browser.streams.map(states)).toEqual([['ended']]);
  });

  test('is opened by itself where nobody has opened it', async () => {
    const camera = browser.camera();
    camera.send('s-1', 'screen');
    await until(camera, 'live');
    expect(camera.kind).toBe('screen');
    expect(browser.opened).toEqual([['screen', '']]);
  });

  test('says why it cannot be opened', async () => {
    browser.fault = new CaptureFailed('busy', 'another program has it');
    const camera = browser.camera();
    await expect(camera.open('camera', '')).rejects.toThrow(CaptureFailed);
    camera.send('s-1', 'camera');
    await until(camera, 'stopped');
    expect(camera.state.fault).toBe('busy');
  });

  test('closes its connection when it is stopped, with a request that outlives the page', async () => {
    const camera = browser.camera();
    camera.send('s-1', 'camera');
    await until(camera, 'live');
    camera.stop();
    await until(camera, 'stopped');
    expect(await untilAsked(2)).toEqual(['POST /v1/sessions/s-1/whip?replace=true', 'DELETE /v1/r-1']);
    expect(asked[1]?.keepalive).toBe(true);
    expect(camera.state.stream).toBeNull();
  });

  test('leaves its session for another one, and hears no more of the first', async () => {
    const camera = browser.camera();
    camera.send('s-1', 'camera');
    await until(camera, 'live');
    camera.send('s-2', 'screen');
    await until(camera, 'live');
    await untilAsked(3);
    expect([camera.session, camera.kind, camera.state.phase]).toEqual(['s-2', 'screen', 'live']);
  });
});

describe('a page that is left', () => {
  const leave = (): boolean => dispatchEvent(new Event('pagehide'));

  test('ends the session where that was asked for', async () => {
    const camera = browser.camera();
    camera.send('s/1', 'camera');
    camera.endsWithPage = true;
    await until(camera, 'live');
    leave();
    expect((await untilAsked(2)).at(-1)).toBe('DELETE /v1/sessions/s%2F1');
    expect(asked.at(-1)?.keepalive).toBe(true);
    camera.endsWithPage = false;
  });

  test('leaves a session that waits for its camera, and one that is sent nothing', async () => {
    const camera = browser.camera();
    leave();
    camera.send('s-1', 'camera');
    await until(camera, 'live');
    leave();
    camera.endsWithPage = true;
    camera.stop();
    await until(camera, 'stopped');
    leave();
    expect(await untilAsked(2)).toEqual(['POST /v1/sessions/s-1/whip?replace=true', 'DELETE /v1/r-1']);
  });
});
