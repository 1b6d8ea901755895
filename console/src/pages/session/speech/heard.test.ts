import { expect, test } from 'vitest';
import { heard, isOf, MOST_HEARD, partialAfter, speechMark, turnOf, withHeard, type Heard } from './heard';
import { speechEvent, transcriptEvent } from './testing';

const FINAL = heard(transcriptEvent('t-1', 'How many?', 'query')) as Heard;
const PARTIAL = heard(transcriptEvent('t-1', 'How')) as Heard;

test('a transcript says what was said, when, and what became of it', () => {
  expect(FINAL).toEqual({ id: 't-1', text: 'How many?', became: 'query', atMs: Date.parse('2026-01-31T12:00:05Z') });
  expect(PARTIAL.became).toBeNull();
});

test('what is no transcript and no speech event is passed over', () => {
  for (const event of [null, {}, { type: 'vigil.transcript.final' }, { type: 'vigil.alert.opened', data: {} }]) {
    expect([heard(event), speechMark(event)]).toEqual([null, null]);
  }
  expect(speechMark({ type: 'vigil.speech.sung', data: {} })).toBeNull();
  expect(heard(transcriptEvent('t-1', 'x', 'something newer'))?.became).toBe('noise');
});

test('final ones are kept once, with words, and not for ever', () => {
  const held = withHeard([], FINAL);
  expect(withHeard(held, FINAL)).toBe(held);
  expect(withHeard(held, PARTIAL)).toBe(held);
  expect(withHeard(held, { ...FINAL, id: 't-2', text: '' })).toBe(held);
  const many = Array.from({ length: MOST_HEARD + 5 }, (_, index) => ({ ...FINAL, id: `t-${index}` }));
  expect(many.reduce<readonly Heard[]>(withHeard, [])).toHaveLength(MOST_HEARD);
});

test('the partial one is shown until its final one is there, and not after', () => {
  expect(partialAfter(null, PARTIAL, [])).toBe(PARTIAL);
  expect(partialAfter(PARTIAL, FINAL, [])).toBeNull();
  expect(partialAfter(PARTIAL, { ...FINAL, id: 't-0' }, [])).toBe(PARTIAL);
  expect(partialAfter(null, PARTIAL, [FINAL])).toBeNull();
});

test('a question of the dialogue is what was said, or what followed the wake phrase', () => {
  expect(isOf(FINAL, 'How many?')).toBe(true);
  expect(isOf({ ...FINAL, text: 'Hey Vigil, How many?' }, 'How many?')).toBe(true);
  expect(isOf(FINAL, '')).toBe(false);
  expect(isOf({ ...FINAL, became: 'echo' }, 'How many?')).toBe(false);
});

test('what became of spoken words, and of which turn they are', () => {
  expect(speechMark(speechEvent('interrupted', 's-1.utterance.9.4', { heard: 'A fire', cause: 'user_spoke' }))).toEqual(
    {
      utterance: 's-1.utterance.9.4',
      state: 'interrupted',
      text: 'A fire has started.',
      heard: 'A fire',
      cause: 'user_spoke',
    },
  );
  expect([turnOf('s-1.utterance.9.4'), turnOf('a-1.1'), turnOf('s.utterance.x.4')]).toEqual([4, null, null]);
});
