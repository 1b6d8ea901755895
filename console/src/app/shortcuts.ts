/** Keys that work on every page, while nothing is being typed. */
import { router } from './router.svelte';

const PAGES: Readonly<Record<string, string>> = {
  w: '/wall',
  a: '/alerts',
  p: '/approvals',
  t: '/trust',
  s: '/system',
};
/** The second key of a pair comes within this time. */
const PAIR_MS = 1_200;
const TYPED = 'input, textarea, select, [contenteditable]';

/** Listen until the returned function is called. `mayWatch`: whether whoever is logged in may watch a source. */
export function listen(mayWatch: () => boolean): () => void {
  let goAt = 0;
  const pressed = (press: KeyboardEvent): void => {
    if (press.metaKey || press.ctrlKey || press.altKey || press.defaultPrevented) return;
    if (press.target instanceof Element && press.target.matches(TYPED)) return;
    const page = press.timeStamp - goAt < PAIR_MS ? PAGES[press.key] : undefined;
    goAt = press.key === 'g' ? press.timeStamp : 0;
    if (page !== undefined) router.go(page);
    else if (press.key === 'n' && mayWatch()) router.go('/sessions/new');
    else if (press.key === '/') find(press);
  };
  document.addEventListener('keydown', pressed);
  return () => document.removeEventListener('keydown', pressed);
}

function find(press: KeyboardEvent): void {
  const field = document.querySelector<HTMLInputElement>('main input[type="search"]');
  if (field === null) return;
  press.preventDefault();
  field.focus();
}
