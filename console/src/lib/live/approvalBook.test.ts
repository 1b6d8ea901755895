import { afterEach, describe, expect, test } from 'vitest';
import { ApiProblem } from '../api/problem';
import { json, problem, scriptedFetch } from '../../testing/scripted_fetch';
import { Approvals } from './approvals.svelte';

const ROW = {
  id: 'p/1',
  session: 's-1',
  task: 's-1-4',
  tool: 'open_ticket',
  arguments: '{}',
  summary: 'Opens a ticket.',
  state: 'requested',
  requested_at: '2026-01-31T12:00:00.000Z',
  expires_at: '2026-01-31T12:05:00.000Z',
  decided_at: null,
  by: '',
  pattern: '',
};
const GRANTED = { ...ROW, state: 'granted', by: 'Ann' };

let restore: () => void = () => undefined;

afterEach(() => restore());

function book(...answers: Parameters<typeof scriptedFetch>) {
  const scripted = scriptedFetch(...answers);
  restore = scripted.restore;
  return { approvals: new Approvals(), asked: scripted.asked };
}

describe('the approvals of the tenant', () => {
  test('are read, and those of one session found', async () => {
    const { approvals, asked } = book(() => json({ approvals: [ROW, { ...ROW, id: 'p-2', session: 's-2' }, 'odd'] }));
    await approvals.read();
    expect(approvals.waiting).toHaveLength(2);
    expect(approvals.of('s-2').map(({ id }) => id)).toEqual(['p-2']);
    expect(asked[0]?.address).toBe('/v1/approvals');
  });

  test('stay as they are when they cannot be read', async () => {
    const { approvals } = book(
      () => json({ approvals: [ROW] }),
      () => problem(503, 'store_unavailable'),
    );
    await approvals.read();
    await approvals.read();
    expect(approvals.all).toHaveLength(1);
  });

  test('are granted once, or with a pattern for later ones', async () => {
    const { approvals, asked } = book(
      () => json({ approvals: [ROW] }),
      () => json(GRANTED),
    );
    await approvals.read();
    await approvals.decide('p/1', true);
    await approvals.decide('p/1', true, { arguments: '*', minutes: 60 });
    expect(asked.slice(1).map(({ method, address, body }) => [method, address, body])).toEqual([
      ['POST', '/v1/approvals/p%2F1', { grant: true }],
      ['POST', '/v1/approvals/p%2F1', { grant: true, pattern: { arguments: '*', minutes: 60 } }],
    ]);
    expect([approvals.waiting, approvals.all[0]?.by]).toEqual([[], 'Ann']);
  });

  test('are left waiting when the decision is refused', async () => {
    const { approvals } = book(
      () => json({ approvals: [ROW] }),
      () => problem(409, 'approval_decided'),
    );
    await approvals.read();
    await expect(approvals.decide('p/1', false)).rejects.toThrow(ApiProblem);
    expect(approvals.waiting).toHaveLength(1);
  });
});
