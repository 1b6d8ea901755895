import { afterEach, describe, expect, test } from 'vitest';
import { json, problem, scriptedFetch } from '../../testing/scripted_fetch';
import { addressOf, api, onLoggedOut, setCsrf } from './client';
import { ApiProblem, asProblem } from './problem';

let restore: () => void = () => undefined;

function script(...answers: Parameters<typeof scriptedFetch>) {
  const scripted = scriptedFetch(...answers);
  restore = scripted.restore;
  return scripted.asked;
}

afterEach(() => {
  restore();
  setCsrf('');
  onLoggedOut(() => undefined);
});

describe('an address', () => {
  test('has its parts and its query, each encoded', () => {
    expect(addressOf('/v1/sessions/{session}/watches/{watch_id}', { session: 'cam 1/2', watch_id: 'i-1' })).toBe(
      '/v1/sessions/cam%201%2F2/watches/i-1',
    );
    expect(addressOf('/v1/alerts', {}, { open: true, since: null, session: undefined, before: '', limit: 5 })).toBe(
      '/v1/alerts?open=true&limit=5',
    );
  });
});

describe('a request', () => {
  test('that reads carries no token', async () => {
    setCsrf('token');
    const asked = script(() => json({ sessions: [] }));
    expect(await api.get('/v1/sessions')).toEqual({ sessions: [] });
    expect(asked[0]?.headers.get('X-CSRF-Token')).toBeNull();
  });

  test('that changes something carries the token, and its body as JSON', async () => {
    setCsrf('token');
    const asked = script(() => json({ id: 'q-1', session: 's-1' }));
    const body = { text: 'Who is there?', brain: '' };
    await api.post('/v1/sessions/{session}/queries', { path: { session: 's-1' }, body });
    expect(asked[0]).toMatchObject({
      method: 'POST',
      address: '/v1/sessions/s-1/queries',
      body,
    });
    expect(asked[0]?.headers.get('X-CSRF-Token')).toBe('token');
    expect(asked[0]?.headers.get('Content-Type')).toBe('application/json');
  });

  test('without an answer to read gives nothing', async () => {
    script(() => new Response(null, { status: 204 }));
    expect(await api.delete('/v1/sessions/{session}', { path: { session: 's-1' } })).toBeUndefined();
  });
});

describe('a refusal', () => {
  async function refusal(): Promise<ApiProblem> {
    return asProblem(await api.get('/v1/sessions').catch((error: unknown) => error));
  }

  test('says what was wrong and what to do', async () => {
    script(() => problem(503, 'capacity_full', {}, { 'Retry-After': '2' }));
    expect(await refusal()).toMatchObject({
      status: 503,
      kind: 'capacity_full',
      title: 'title of capacity_full',
      detail: 'detail of capacity_full',
      nextStep: 'next of capacity_full',
      retryAfterS: 2,
    });
  });

  test('for want of a login is told to the console', async () => {
    let told = 0;
    onLoggedOut(() => (told += 1));
    script(() => problem(401, 'login_ended', { oidc: true }));
    expect(await refusal()).toMatchObject({ isLoggedOut: true, extra: { oidc: true } });
    expect(told).toBe(1);
  });

  test('that is no problem of the gateway is shown all the same', async () => {
    script(() => new Response('<h1>Bad gateway</h1>', { status: 502 }));
    expect(await refusal()).toMatchObject({ status: 502, kind: 'unreadable', detail: 'HTTP 502' });
  });

  test('is also what did not answer', async () => {
    script(() => Promise.reject(new TypeError('Failed to fetch')));
    expect(await refusal()).toMatchObject({ status: 0, kind: 'unreachable', detail: 'Failed to fetch' });
  });
});
