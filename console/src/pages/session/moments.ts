/** Times of day as people read them in a control room: 24 hours, with seconds. */

const TIME = { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' } as const;
const DAY = { year: 'numeric', month: 'short', day: 'numeric' } as const;

export function timeOfDay(moment: number | string, language: string): string {
  return new Date(moment).toLocaleTimeString(language, TIME);
}

export function dayAndTime(moment: number | string, language: string): string {
  return new Date(moment).toLocaleString(language, { ...DAY, ...TIME });
}
