/** The time, once a second, for everything that says how long ago something was. It stands still while nobody looks. */
import { createSubscriber } from 'svelte/reactivity';
import { ago } from './format';
import { t } from './i18n/index.svelte';

const subscribe = createSubscriber((update) => {
  const timer = setInterval(update, 1_000);
  return () => clearInterval(timer);
});

/** Milliseconds since 1970; read in a template it follows the clock. */
export function now(): number {
  subscribe();
  return Date.now();
}

/** How long ago a time was, in words that follow the clock. */
export function agoText(then: string | number): string {
  const { unit, count } = ago(typeof then === 'number' ? then : Date.parse(then), now());
  return t(`time.${unit}`, { count });
}
