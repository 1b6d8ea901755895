import { describe, expect, test } from 'vitest';
import { ApiProblem } from '../../../lib/api/problem';
import { iceServers, isFinal, isOver, Whip } from './whip';

interface Asked {
  method: string;
  address: string;
  sdp: string | undefined;
}

function scripted(answer: Response | ApiProblem): { whip: Whip; asked: Asked[] } {
  const asked: Asked[] = [];
  const whip = new Whip((method, address, sdp) => {
    asked.push({ method, address, sdp });
    return answer instanceof ApiProblem ? Promise.reject(answer) : Promise.resolve(answer);
  }, 's-1');
  return { whip, asked };
}

const problem = (status: number, kind = 'x'): ApiProblem => new ApiProblem(status, kind, 'title', 'detail', '');

describe('an offer', () => {
  test('is posted to the session, and its answer names the resource', async () => {
    const headers = { Location: '/v1/sessions/s-1/whip/r-9' };
    const { whip, asked } = scripted(new Response('v=0 answer', { status: 201, headers }));
    expect(await whip.offer('v=0 offer', false)).toEqual({ sdp: 'v=0 answer', resource: '/v1/sessions/s-1/whip/r-9' });
    expect(asked).toEqual([{ method: 'post', address: '/v1/sessions/s-1/whip', sdp: 'v=0 offer' }]);
  });

  test('may take the place of another client', async () => {
    const { whip, asked } = scripted(new Response('v=0', { status: 201, headers: { Location: '/r' } }));
    await whip.offer('v=0', true);
    expect(asked[0]?.address).toBe('/v1/sessions/s-1/whip?replace=true');
  });

  test('without a resource in its answer is a problem', async () => {
    await expect(scripted(new Response('v=0', { status: 201 })).whip.offer('v=0', false)).rejects.toThrow(
      'no resource',
    );
  });

  test('that is refused tells the refusal', async () => {
    await expect(scripted(problem(422)).whip.offer('v=0', false)).rejects.toThrow('detail');
  });
});

test('closing is tried once and never fails', async () => {
  const { whip, asked } = scripted(problem(503));
  await whip.close('/v1/sessions/s-1/whip/r-9');
  expect(asked.map((request) => request.method)).toEqual(['delete']);
});

describe('ice servers', () => {
  test('come from the Link header', async () => {
    const link =
      '<stun:stun.example:3478>; rel="ice-server", ' +
      '<turn:turn.example?transport=udp>; rel="ice-server"; username="user"; credential="a, b; c"; credential-type="password"';
    const { whip } = scripted(new Response(null, { status: 204, headers: { Link: link } }));
    expect(await whip.iceServers()).toEqual([
      { urls: 'stun:stun.example:3478' },
      { urls: 'turn:turn.example?transport=udp', username: 'user', credential: 'a, b; c' },
    ]);
  });

  test('are none when the gateway cannot be asked', async () => {
    expect(await scripted(problem(404)).whip.iceServers()).toEqual([]);
  });

  test.each(['', 'nonsense', '<https://x>; rel="ice-server"', '<stun:x>; rel="next"'])('are none in %j', (link) => {
    expect(iceServers(link)).toEqual([]);
  });
});

describe('a refusal', () => {
  test.each([404, 410])('of status %d says that the session is over', (status) => {
    expect(isOver(problem(status))).toBe(true);
  });

  test('of a session that has ended is its end, whatever the status', () => {
    expect(isOver(problem(409, 'session_ended'))).toBe(true);
    expect(isOver(problem(409, 'busy'))).toBe(false);
  });

  test.each([400, 403, 413, 415, 422])('of status %d stays', (status) => {
    expect(isFinal(problem(status))).toBe(true);
  });

  test.each([0, 408, 409, 429, 500, 502, 503])('of status %d may pass', (status) => {
    expect(isFinal(problem(status))).toBe(false);
  });
});
