/** The form of a new session: where its pictures come from, how often the model looks, what it watches for. */

import { NO_SPEECH, speechFaults, speechIn, type SpeechDraft, type SpeechIn } from './speech/options';
import { ALL_MODULES, modulesFault, modulesIn, type ModulesDraft, type ModulesIn } from './modules';
import { faults as watchFaults, isBrainName, isEmpty, watchIn, type WatchDraft, type WatchIn } from './watches';

export type SourceChoice = 'camera' | 'screen' | 'rtsp' | 'file';
export type ResponseMode = 'reserved' | 'balanced' | 'talkative';

export const SOURCES: readonly SourceChoice[] = ['camera', 'screen', 'rtsp', 'file'];
export const MODES: readonly ResponseMode[] = ['reserved', 'balanced', 'talkative'];

export const INTERVAL_MS = { low: 200, high: 60_000 } as const;
export const FRAMES = { low: 1, high: 8 } as const;

export interface OpeningDraft {
  source: SourceChoice;
  name: string;
  url: string;
  loop: boolean;
  intervalMs: string;
  frames: string;
  mode: ResponseMode;
  model: string;
  profile: string;
  brain: string;
  voice: SpeechDraft;
  modules: ModulesDraft;
  watches: WatchDraft[];
}

export type OpeningFault =
  'url_missing' | 'url_scheme' | 'path_missing' | 'interval_wrong' | 'frames_wrong' | 'brain_wrong';
export type OpeningFaults = Partial<Record<'url' | 'intervalMs' | 'frames' | 'brain', OpeningFault>>;

/** The body of `POST /v1/sessions`. */
export interface SessionIn extends SpeechIn {
  source: { kind?: 'webrtc'; url?: string; name: string; loop?: boolean };
  cadence: { interval_ms: number; frames_per_turn: number };
  speech: { response_mode: ResponseMode };
  model?: string;
  profile?: string;
  brain?: string;
  modules: ModulesIn;
  watches: WatchIn[];
}

export const NEW_SESSION: OpeningDraft = {
  source: 'camera',
  name: '',
  url: '',
  loop: false,
  intervalMs: '1000',
  frames: '1',
  mode: 'balanced',
  model: '',
  profile: '',
  brain: '',
  voice: NO_SPEECH,
  modules: ALL_MODULES,
  watches: [],
};

/** Whether this browser sends the pictures. */
export function isOwn(source: SourceChoice): boolean {
  return source === 'camera' || source === 'screen';
}

/** What is wrong with the form, field by field; empty when it can be sent. The watches have their own faults. */
export function openingFaults(draft: OpeningDraft): OpeningFaults {
  const found: OpeningFaults = { ...cadenceFaults(draft.intervalMs, draft.frames) };
  if (!isBrainName(draft.brain)) found.brain = 'brain_wrong';
  const url = draft.url.trim();
  if (draft.source === 'rtsp' && url === '') found.url = 'url_missing';
  else if (draft.source === 'rtsp' && !/^(rtsps?|https?):\/\/\S+$/i.test(url)) found.url = 'url_scheme';
  else if (draft.source === 'file' && url === '') found.url = 'path_missing';
  return found;
}

export function cadenceFaults(intervalMs: string, frames: string): OpeningFaults {
  const found: OpeningFaults = {};
  if (!isWhole(intervalMs, INTERVAL_MS)) found.intervalMs = 'interval_wrong';
  if (!isWhole(frames, FRAMES)) found.frames = 'frames_wrong';
  return found;
}

export function canOpen(draft: OpeningDraft): boolean {
  const clean = (found: object): boolean => Object.keys(found).length === 0;
  const isClean =
    clean(openingFaults(draft)) && clean(speechFaults(draft.voice)) && modulesFault(draft.modules) === null;
  return isClean && draft.watches.every((watch) => isEmpty(watch) || clean(watchFaults(watch)));
}

export function sessionIn(draft: OpeningDraft): SessionIn {
  return {
    source: sourceIn(draft),
    cadence: { interval_ms: Number(draft.intervalMs), frames_per_turn: Number(draft.frames) },
    speech: { response_mode: draft.mode },
    ...(draft.model === '' ? {} : { model: draft.model }),
    ...(draft.profile === '' ? {} : { profile: draft.profile }),
    ...(draft.brain.trim() === '' ? {} : { brain: draft.brain.trim() }),
    ...speechIn(draft.voice, !isOwn(draft.source)),
    modules: modulesIn(draft.modules),
    watches: draft.watches.filter((watch) => !isEmpty(watch)).map(watchIn),
  };
}

function sourceIn(draft: OpeningDraft): SessionIn['source'] {
  const name = draft.name.trim();
  if (isOwn(draft.source)) return { kind: 'webrtc', name };
  if (draft.source === 'rtsp') return { url: draft.url.trim(), name };
  return { url: fileUrl(draft.url.trim()), name, loop: draft.loop };
}

/** A path of the server becomes a file URL; what is a URL already stays. */
export function fileUrl(path: string): string {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(path)) return path;
  return `file://${path.startsWith('/') ? '' : '/'}${path.split('/').map(encodeURIComponent).join('/')}`;
}

function isWhole(text: string, { low, high }: { low: number; high: number }): boolean {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  return Number.isInteger(value) && value >= low && value <= high;
}
