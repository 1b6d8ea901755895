// @vitest-environment node
import { describe, expect, test } from 'vitest';
import { ofEvent, ofRow, readable, visible, waiting, withApproval, type Approval } from './approvals';

const ROW = {
  id: 'p-1',
  session: 's-1',
  task: 't-1',
  tool: 'open_ticket',
  arguments: '{"queue":"lobby"}',
  summary: 'Opens a ticket.',
  state: 'requested',
  requested_at: '2026-01-31T12:00:00.000Z',
  expires_at: '2026-01-31T12:05:00.000Z',
  decided_at: null,
  by: '',
  pattern: '',
};

function row(change: object = {}): Approval {
  const read = ofRow({ ...ROW, ...change });
  if (read === null) throw new Error('the row cannot be read');
  return read;
}

describe('an approval', () => {
  test('is the same from the list and from its event', () => {
    const { id, session, task, tool, arguments: given, summary, by, pattern } = ROW;
    const data = { approval: id, session, task, tool, arguments: given, summary, by, pattern, expires: ROW.expires_at };
    expect(ofEvent({ type: 'vigil.approval.requested', time: ROW.requested_at, data })).toEqual(row());
    expect(row()).toMatchObject({ tool: 'open_ticket', state: 'requested', expiresMs: Date.parse(ROW.expires_at) });
  });

  test.each([
    null,
    7,
    'text',
    {},
    { type: 'vigil.approval.requested' },
    { type: 'vigil.approval.requested', data: {} },
  ])('that cannot be read is none: %j', (event) => {
    expect([ofEvent(event), ofRow(event)]).toEqual([null, null]);
  });

  test('of a state that is newer than the page is none', () => {
    expect(ofRow({ ...ROW, state: 'delayed' })).toBeNull();
    expect(ofEvent({ type: 'vigil.approval.delayed', data: ROW })).toBeNull();
  });
});

describe('the approvals', () => {
  test('are held once, oldest first', () => {
    const later = row({ id: 'p-2', requested_at: '2026-01-31T12:01:00.000Z' });
    const held = [later, row(), row(), null].reduce(withApproval, []);
    expect(held.map(({ id }) => id)).toEqual(['p-1', 'p-2']);
    expect(waiting(held)).toHaveLength(2);
  });

  test('are decided once: what is read later changes nothing', () => {
    const granted = row({ state: 'granted', by: 'Ann' });
    const held = [row(), granted, row(), row({ state: 'refused', by: 'Bo' })].reduce(withApproval, []);
    expect(held).toEqual([granted]);
    expect(waiting(held)).toEqual([]);
  });

  test('keep the time of their request when a decision is told', () => {
    const decided = row({ state: 'granted', requested_at: '2026-01-31T12:03:00.000Z' });
    expect([row(), decided].reduce(withApproval, [])[0]?.requestedMs).toBe(row().requestedMs);
  });

  test('are bounded: the oldest is forgotten', () => {
    const many = Array.from({ length: 201 }, (_, index) =>
      row({ id: `p-${index}`, requested_at: new Date(Date.parse(ROW.requested_at) + index).toISOString() }),
    );
    const held = many.reduce(withApproval, []);
    expect(held).toHaveLength(200);
    expect(held[0]?.id).toBe('p-1');
  });
});

describe('what a brain says of an action', () => {
  test('is laid out where it is JSON, and stays as it is where it is not', () => {
    expect(readable('{"a":[1]}')).toBe('{\n  "a": [\n    1\n  ]\n}');
    expect(readable('rm -rf /')).toBe('rm -rf /');
  });

  test('has no character that shows nothing or turns the text around', () => {
    expect(visible('pay \u202e001\u202c\u200b\u0007')).toBe('pay \\u202e001\\u202c\\u200b\\u0007');
    expect(readable('{"to":"\u202emoc.live"}')).toContain('\\u202emoc.live');
    expect(visible('two\nlines\tand 火灾 é')).toBe('two\nlines\tand 火灾 é');
  });
});
