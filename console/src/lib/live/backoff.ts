/** How long to wait before the next try: longer each time, never the same for everybody. Pure. */

const FIRST_MS = 500;
const LONGEST_MS = 15_000;

/** Milliseconds before try number `failures` (1, 2, …). `random` is from 0 to 1. At least what the gateway asked for. */
export function waitMs(failures: number, random: number, askedS = 0): number {
  const most = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 10));
  return Math.max(Math.round(most / 2 + (most / 2) * random), askedS * 1_000);
}
