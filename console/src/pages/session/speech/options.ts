/** The part of the form of a new session that says how it is spoken to, and how it speaks. Pure. */

export type TurnTaking = 'open' | 'wake' | 'push';

export const TURN_TAKING: readonly TurnTaking[] = ['open', 'wake', 'push'];
export const SPEED = { low: 0.5, high: 2 } as const;

export interface SpeechDraft {
  isHearing: boolean;
  fromSource: boolean;
  turnTaking: TurnTaking;
  wakePhrase: string;
  isSpeaking: boolean;
  voiceName: string;
  voiceSpeed: string;
  /** Of those who speak to it, and of the voice. */
  language: string;
}

export const NO_SPEECH: SpeechDraft = {
  isHearing: false,
  fromSource: false,
  turnTaking: 'open',
  wakePhrase: '',
  isSpeaking: false,
  voiceName: '',
  voiceSpeed: '1',
  language: '',
};

export type SpeechFault = 'wake_phrase_missing' | 'voice_name_wrong' | 'voice_speed_wrong' | 'language_wrong';
export type SpeechFaults = Partial<Record<'wakePhrase' | 'voiceName' | 'voiceSpeed' | 'language', SpeechFault>>;

export interface SpeechIn {
  hearing?: { is_on: true; from_source: boolean; turn_taking: TurnTaking; wake_phrase: string; language: string };
  voice?: { is_on: true; name: string; speed: number; language: string };
}

/** What is wrong, field by field. What is off cannot be wrong. */
export function speechFaults(draft: SpeechDraft): SpeechFaults {
  const found: SpeechFaults = {};
  if (draft.isHearing && draft.turnTaking === 'wake' && draft.wakePhrase.trim() === '')
    found.wakePhrase = 'wake_phrase_missing';
  if (draft.isSpeaking && !/^[\p{L}\p{N}_ .:/+-]{0,100}$/u.test(draft.voiceName.trim()))
    found.voiceName = 'voice_name_wrong';
  const speed = draft.voiceSpeed.trim() === '' ? Number.NaN : Number(draft.voiceSpeed);
  if (draft.isSpeaking && !(speed >= SPEED.low && speed <= SPEED.high)) found.voiceSpeed = 'voice_speed_wrong';
  const isUsed = draft.isHearing || draft.isSpeaking;
  if (isUsed && !/^([A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4})?$/.test(draft.language.trim()))
    found.language = 'language_wrong';
  return found;
}

/** The groups of options; those that are off are left out. `hasSound`: the source may have sound of its own. */
export function speechIn(draft: SpeechDraft, hasSound: boolean): SpeechIn {
  const language = draft.language.trim();
  const isWake = draft.turnTaking === 'wake';
  const hearing = {
    is_on: true as const,
    from_source: hasSound && draft.fromSource,
    turn_taking: draft.turnTaking,
    wake_phrase: isWake ? draft.wakePhrase.trim() : '',
    language,
  };
  const voice = { is_on: true as const, name: draft.voiceName.trim(), speed: Number(draft.voiceSpeed), language };
  return { ...(draft.isHearing ? { hearing } : {}), ...(draft.isSpeaking ? { voice } : {}) };
}
