import { afterEach, beforeEach, expect, test } from 'vitest';
import { router } from './router.svelte';
import { listen } from './shortcuts';

let stop: () => void = () => undefined;
let may = true;

beforeEach(() => {
  may = true;
  router.go('/system');
  document.body.innerHTML = '<main><input type="search" id="find"><textarea id="text"></textarea></main>';
  stop = listen(() => may);
});

afterEach(() => stop());

function press(keys: string, target: Element = document.body, more: KeyboardEventInit = {}): void {
  for (const key of keys)
    target.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...more }));
}

test('g and a letter go to a page', () => {
  press('gw');
  expect(router.path).toBe('/wall');
  press('xa');
  expect(router.path).toBe('/wall');
  press('ga');
  expect(router.path).toBe('/alerts');
});

test('n is for those who may watch a source', () => {
  may = false;
  press('n');
  expect(router.path).toBe('/system');
  may = true;
  press('n');
  expect(router.path).toBe('/sessions/new');
});

test('a slash goes to the field that finds', () => {
  press('/');
  expect(document.activeElement?.id).toBe('find');
});

test('what is typed, or held with another key, is no shortcut', () => {
  press('gw', document.getElementById('text') ?? undefined);
  press('gw', document.body, { ctrlKey: true });
  expect(router.path).toBe('/system');
});
