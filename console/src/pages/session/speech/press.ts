/**
 * The microphone's button. Held it is on until it is let go; pressed shortly it stays on until it is pressed again. Pure.
 */

export type Press =
  { readonly state: 'off' } | { readonly state: 'held'; readonly sinceMs: number } | { readonly state: 'on' };

export const OFF: Press = { state: 'off' };
/** A press that is shorter leaves the microphone on. */
export const SHORT_MS = 350;

export function down(press: Press, nowMs: number): Press {
  return press.state === 'off' ? { state: 'held', sinceMs: nowMs } : press.state === 'on' ? OFF : press;
}

export function up(press: Press, nowMs: number): Press {
  if (press.state !== 'held') return press;
  return nowMs - press.sinceMs < SHORT_MS ? { state: 'on' } : OFF;
}

/** A press without a length, such as that of a screen reader. */
export function toggled(press: Press): Press {
  return press.state === 'off' ? { state: 'on' } : OFF;
}
