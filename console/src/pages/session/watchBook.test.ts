import { afterEach, describe, expect, test } from 'vitest';
import { ApiProblem } from '../../lib/api/problem';
import { json, problem, scriptedFetch } from '../../testing/scripted_fetch';
import { WatchBook } from './watchBook.svelte';
import { draftOf, watchIn, type WatchOut } from './watches';

const ADDRESS = '/v1/sessions/s-1/watches';
const FIRE: WatchOut = {
  id: 'w-1',
  name: 'fire',
  text: 'Alert me when a fire starts.',
  severity: 'critical',
  hold_s: 5,
  cooldown_s: 30,
  update_interval_s: 10,
  confirm_s: 0,
  brain: '',
  pending: false,
  given_at: 0,
};
const DOOR: WatchOut = { ...FIRE, id: 'w-2', name: 'door', text: 'Say when the door opens.', pending: true };
const listed = (...watches: WatchOut[]): Response => json({ watches });
const accepted = (): Response => json({ id: 'w-2', session: 's-1' }, 202);

let restore: () => void = () => undefined;

afterEach(() => restore());

function book(...answers: Parameters<typeof scriptedFetch>) {
  const scripted = scriptedFetch(...answers);
  restore = scripted.restore;
  const asked = (): string[] => scripted.asked.map(({ method, address }) => `${method} ${address}`);
  return { watches: new WatchBook('s-1'), asked, bodies: () => scripted.asked.map(({ body }) => body) };
}

describe('the watches of a session', () => {
  test('are read, and pending while one of them has not reached the model', async () => {
    const { watches } = book(
      () => listed(FIRE, DOOR),
      () => listed(FIRE),
    );
    expect(watches.isPending).toBe(false);
    await watches.read();
    expect(watches.all.map(({ name }) => name)).toEqual(['fire', 'door']);
    expect(watches.isPending).toBe(true);
    await watches.read();
    expect(watches.isPending).toBe(false);
  });

  test('are read once more, and only once, when they are asked for meanwhile', async () => {
    const { watches, asked } = book(
      () => listed(FIRE),
      () => listed(FIRE, DOOR),
    );
    await Promise.all([watches.read(), watches.read(), watches.read()]);
    expect(asked()).toEqual([`GET ${ADDRESS}`, `GET ${ADDRESS}`]);
    expect(watches.all).toHaveLength(2);
  });

  test('can be read again after they could not be read', async () => {
    const { watches } = book(
      () => problem(503, 'store_away'),
      () => listed(FIRE),
    );
    await expect(watches.read()).rejects.toThrow(ApiProblem);
    expect(watches.all).toEqual([]);
    await watches.read();
    expect(watches.all).toEqual([FIRE]);
  });

  test('are read anew after one was added or changed', async () => {
    const { watches, asked, bodies } = book(
      accepted,
      () => listed(FIRE, DOOR),
      accepted,
      () => listed(FIRE, { ...DOOR, severity: 'info' }),
    );
    await watches.add(watchIn(draftOf(DOOR)));
    expect(watches.all).toEqual([FIRE, DOOR]);
    await watches.change('w-2', { ...watchIn(draftOf(DOOR)), severity: 'info' });
    expect(watches.all[1]?.severity).toBe('info');
    expect(asked()).toEqual([`POST ${ADDRESS}`, `GET ${ADDRESS}`, `PUT ${ADDRESS}/w-2`, `GET ${ADDRESS}`]);
    expect(bodies()[0]).toEqual(watchIn(draftOf(DOOR)));
  });

  test('lose one that was removed without being read anew', async () => {
    const { watches, asked } = book(() => listed(FIRE, DOOR), accepted);
    await watches.read();
    await watches.remove('w-1');
    expect(watches.all).toEqual([DOOR]);
    expect(asked()).toEqual([`GET ${ADDRESS}`, `DELETE ${ADDRESS}/w-1`]);
  });

  test('stay as they are when a change is refused', async () => {
    const { watches } = book(
      () => listed(FIRE),
      () => problem(409, 'session_ended'),
      () => problem(404, 'unknown_instruction'),
    );
    await watches.read();
    await expect(watches.add(watchIn(draftOf(DOOR)))).rejects.toThrow('detail of session_ended');
    await expect(watches.remove('w-1')).rejects.toThrow('detail of unknown_instruction');
    expect(watches.all).toEqual([FIRE]);
  });
});
