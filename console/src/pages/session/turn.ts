import type { components } from '../../lib/api/schema';

/** One turn as the API tells of it: a `decision` event, or a row of `/turns`. */
export type Turn = components['schemas']['DecisionOut'];

export type Action = Turn['action'];

export const ACTIONS: readonly Action[] = ['silent', 'speak', 'delegate'];
