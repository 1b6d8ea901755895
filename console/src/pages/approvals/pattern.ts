/** The pattern with which somebody grants later requests, too: a glob of the arguments, and for how long. */

import type { Pattern } from '../../lib/live/approvals.svelte';

export type Lasting = 'hour' | 'day' | 'month' | 'always';

export const LASTING: readonly Lasting[] = ['hour', 'day', 'month', 'always'];
/** As many as the API takes. */
export const MOST_CHARS = 200;

const MINUTES: Readonly<Record<Lasting, number | null>> = { hour: 60, day: 1_440, month: 43_200, always: null };

/** The arguments as a glob; empty where they are longer than the API takes: whoever grants then writes one. */
export function globOf(given: string): string {
  return given.length <= MOST_CHARS ? given : '';
}

export function patternOf(glob: string, lasting: Lasting): Pattern {
  return { arguments: glob, minutes: MINUTES[lasting] };
}
