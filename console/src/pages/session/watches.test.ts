// @vitest-environment node
import { describe, expect, test } from 'vitest';
import { draftOf, faults, isChanged, NEW_WATCH, watchIn, type WatchOut } from './watches';

const FIRE: WatchOut = {
  id: 'w-1',
  name: 'fire',
  text: 'Alert me when a fire starts.',
  severity: 'critical',
  hold_s: 5,
  cooldown_s: 30,
  update_interval_s: 10,
  confirm_s: 1.5,
  brain: 'big',
  pending: false,
  given_at: 0,
};

describe('a draft', () => {
  test('of a watch is sent as it stands', () => {
    const { id: _id, pending: _pending, given_at: _given, ...sent } = FIRE;
    expect(watchIn(draftOf(FIRE))).toEqual(sent);
    expect(faults(draftOf(FIRE))).toEqual({});
    expect(isChanged(draftOf(FIRE), FIRE)).toBe(false);
  });

  test('is changed by any of its fields', () => {
    expect(isChanged({ ...draftOf(FIRE), severity: 'info' }, FIRE)).toBe(true);
    expect(isChanged({ ...draftOf(FIRE), hold: '6' }, FIRE)).toBe(true);
    expect(isChanged({ ...draftOf(FIRE), text: 'Alert me when a fire starts.  ' }, FIRE)).toBe(false);
  });

  test('without a name lets the server make one', () => {
    expect(watchIn({ ...NEW_WATCH, text: 'Say when the door opens.' }).name).toBeNull();
  });

  test('may name a brain, and then one that can be called so', () => {
    expect(watchIn({ ...NEW_WATCH, text: 'x', brain: ' big ' }).brain).toBe('big');
    expect(faults({ ...NEW_WATCH, text: 'x', brain: 'big one' })).toEqual({ brain: 'brain_wrong' });
    expect(isChanged({ ...draftOf(FIRE), brain: '' }, FIRE)).toBe(true);
  });

  test('without a text is not sent', () => {
    expect(faults(NEW_WATCH)).toEqual({ text: 'text_missing' });
    expect(faults({ ...NEW_WATCH, text: '  ' })).toEqual({ text: 'text_missing' });
    expect(faults({ ...NEW_WATCH, text: 'x'.repeat(2_001) })).toEqual({ text: 'text_long' });
  });

  test('keeps markup as it was typed', () => {
    const text = '<img src=x onerror=alert(1)>';
    expect(watchIn({ ...NEW_WATCH, text }).text).toBe(text);
    expect(faults({ ...NEW_WATCH, text, name: text })).toEqual({ name: 'name_wrong' });
  });

  test.each(['', 'x', '-1', '86401', 'Infinity', 'NaN'])('%j is no time', (given) => {
    expect(faults({ ...NEW_WATCH, text: 'x', hold: given })).toEqual({ hold: 'seconds_wrong' });
    expect(faults({ ...NEW_WATCH, text: 'x', update: given })).toEqual({ update: 'update_wrong' });
  });

  test('may hold for no time, but not update each instant', () => {
    expect(faults({ ...NEW_WATCH, text: 'x', hold: '0', cooldown: '0', confirm: '0' })).toEqual({});
    expect(faults({ ...NEW_WATCH, text: 'x', update: '0' })).toEqual({ update: 'update_wrong' });
  });
});
