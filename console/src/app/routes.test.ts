import { describe, expect, test } from 'vitest';
import { match } from './routes';
import { isOfConsole } from './router.svelte';

describe('an address', () => {
  test.each([
    ['/wall', 'wall', {}],
    ['/wall/', 'wall', {}],
    ['/sessions/new', 'session', { session: 'new' }],
    ['/sessions/cam%2F1', 'session', { session: 'cam/1' }],
    ['/alerts', 'alerts', {}],
    ['/alerts/a-1', 'alerts', { alert: 'a-1' }],
    ['/approvals', 'approvals', {}],
    ['/trust', 'trust', {}],
    ['/trust/s-1/12', 'trust', { session: 's-1', sequence: '12' }],
    ['/system', 'system', {}],
  ])('%s shows the page %s', (path, name, params) => {
    expect(match(path)?.route.name).toBe(name);
    expect(match(path)?.params).toEqual(params);
  });

  test.each(['/', '/nowhere', '/sessions', '/wall/more', '/approvals/more', '/sessions/%E0%A4%A', '/trust/a/b/c'])(
    '%s shows no page',
    (path) => {
      expect(match(path)).toBeNull();
    },
  );

  test.each(['/v1/health', '/docs', '/assets/icon.svg', '/wallpaper'])('%s is none of the console', (path) => {
    expect(isOfConsole(path)).toBe(false);
  });

  test.each(['/', '/login', '/wall', '/trust/a'])('%s is one of the console', (path) => {
    expect(isOfConsole(path)).toBe(true);
  });
});
