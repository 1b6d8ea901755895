/** Figures and times as people read them. Pure. */

/** Seconds of model time as `m:ss` or `h:mm:ss`. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const parts = [Math.floor(whole / 60) % 60, whole % 60].map((part) => String(part).padStart(2, '0'));
  const hours = Math.floor(whole / 3600);
  return hours ? `${hours}:${parts.join(':')}` : `${Number(parts[0])}:${parts[1]}`;
}

/** Milliseconds as `84 ms`, `1.4 s`. */
export function milliseconds(value: number): string {
  if (value < 1_000) return `${Math.round(value)} ms`;
  return value < 60_000 ? `${(value / 1_000).toFixed(1)} s` : clock(value / 1_000);
}

/** A share from 0 to 1 as `0.93`; `<0.01` and `>0.99` where two digits would say never or always. */
export function probability(value: number): string {
  if (value > 0 && value < 0.01) return '<0.01';
  if (value < 1 && value > 0.99) return '>0.99';
  return value.toFixed(2);
}

/** Bytes as `812 B`, `3.4 KB`, `8 MB`. */
export function bytes(count: number): string {
  const units = ['B', 'KB', 'MB', 'GB'];
  let [value, unit] = [count, 0];
  while (value >= 999.5 && unit < units.length - 1) [value, unit] = [value / 1_024, unit + 1];
  return `${unit > 0 && value < 10 ? value.toFixed(1).replace('.0', '') : Math.round(value)} ${units[unit]}`;
}

export interface Ago {
  unit: 'now' | 'seconds' | 'minutes' | 'hours' | 'days';
  count: number;
}

/** How long ago it was, in the unit that people would say. A time to come is `now`. */
export function ago(then: number, now: number): Ago {
  const seconds = Math.floor((now - then) / 1_000);
  if (seconds < 2) return { unit: 'now', count: 0 };
  if (seconds < 60) return { unit: 'seconds', count: seconds };
  if (seconds < 3_600) return { unit: 'minutes', count: Math.floor(seconds / 60) };
  if (seconds < 86_400) return { unit: 'hours', count: Math.floor(seconds / 3_600) };
  return { unit: 'days', count: Math.floor(seconds / 86_400) };
}
