/** Which page an address shows. Pure. */
import type { Component } from 'svelte';
import type { Key } from '../lib/i18n/en';

export interface PageProps {
  /** The parts of the path that the route names. */
  params: Readonly<Record<string, string>>;
  query: URLSearchParams;
}

export interface Route {
  name: string;
  /** Segments; one that begins with `:` takes any text, one that ends with `?` may be missing. */
  path: string;
  title: Key;
  load: () => Promise<{ default: Component<PageProps> }>;
}

export const ROUTES: readonly Route[] = [
  { name: 'wall', path: '/wall', title: 'wall.title', load: () => import('../pages/wall/Wall.svelte') },
  {
    name: 'session',
    path: '/sessions/:session',
    title: 'session.title',
    load: () => import('../pages/session/Session.svelte'),
  },
  {
    name: 'alerts',
    path: '/alerts/:alert?',
    title: 'alerts.title',
    load: () => import('../pages/alerts/Alerts.svelte'),
  },
  {
    name: 'approvals',
    path: '/approvals',
    title: 'approvals.title',
    load: () => import('../pages/approvals/Approvals.svelte'),
  },
  {
    name: 'trust',
    path: '/trust/:session?/:sequence?',
    title: 'trust.title',
    load: () => import('../pages/trust/Trust.svelte'),
  },
  { name: 'system', path: '/system', title: 'system.title', load: () => import('../pages/system/System.svelte') },
];

export const HOME = '/wall';
export const LOGIN = '/login';

export interface Match {
  route: Route;
  params: Readonly<Record<string, string>>;
}

/** The route of a path, or null. Parts come decoded; a part that cannot be decoded matches nothing. */
export function match(path: string, routes: readonly Route[] = ROUTES): Match | null {
  for (const route of routes) {
    const params = paramsOf(path, route.path);
    if (params !== null) return { route, params };
  }
  return null;
}

function paramsOf(path: string, pattern: string): Record<string, string> | null {
  const given = path.split('/').filter(Boolean);
  const wanted = pattern.split('/').filter(Boolean);
  if (given.length > wanted.length) return null;
  const params: Record<string, string> = {};
  for (const [place, segment] of wanted.entries()) {
    const part = given[place];
    if (part === undefined) {
      if (segment.endsWith('?')) continue;
      return null;
    }
    if (segment.startsWith(':')) {
      const text = decoded(part);
      if (text === null) return null;
      params[segment.slice(1).replace('?', '')] = text;
    } else if (segment !== part) return null;
  }
  return params;
}

function decoded(part: string): string | null {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}
