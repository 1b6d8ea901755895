import { expect, test } from 'vitest';
import { NO_SPEECH, speechFaults, speechIn } from './options';

test('what is off is not sent, and cannot be wrong', () => {
  expect(speechIn({ ...NO_SPEECH, fromSource: true }, true)).toEqual({});
  expect(speechFaults({ ...NO_SPEECH, turnTaking: 'wake', voiceSpeed: '9', language: '?' })).toEqual({});
});

test('what is on is sent as it was chosen', () => {
  const draft = {
    ...NO_SPEECH,
    isHearing: true,
    fromSource: true,
    turnTaking: 'wake' as const,
    wakePhrase: ' hey ',
    isSpeaking: true,
    voiceName: 'anna',
    voiceSpeed: '1.25',
    language: 'en',
  };
  const hearing = { is_on: true, from_source: true, turn_taking: 'wake', wake_phrase: 'hey', language: 'en' };
  expect(speechIn(draft, true)).toEqual({ hearing, voice: { is_on: true, name: 'anna', speed: 1.25, language: 'en' } });
  // The own camera sends no sound, and a phrase goes with its way of asking alone.
  expect(speechIn({ ...draft, turnTaking: 'push' }, false).hearing).toEqual({
    ...hearing,
    from_source: false,
    turn_taking: 'push',
    wake_phrase: '',
  });
});

test.each([
  [{ turnTaking: 'wake' as const, wakePhrase: ' ' }, { wakePhrase: 'wake_phrase_missing' }],
  [{ voiceName: 'a"b' }, { voiceName: 'voice_name_wrong' }],
  [{ voiceSpeed: '' }, { voiceSpeed: 'voice_speed_wrong' }],
  [{ voiceSpeed: '2.1' }, { voiceSpeed: 'voice_speed_wrong' }],
  [{ language: 'english please' }, { language: 'language_wrong' }],
  [{ voiceSpeed: '0.5', language: 'pt-BR', voiceName: '小云/2' }, {}],
])('%o has the faults %o', (change, faults) => {
  expect(speechFaults({ ...NO_SPEECH, isHearing: true, isSpeaking: true, ...change })).toEqual(faults);
});
