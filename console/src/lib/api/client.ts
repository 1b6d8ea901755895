/**
 * The API, typed by its OpenAPI document: `api.get('/v1/sessions/{session}', { path: { session } })`.
 *
 * The browser sends the login as a cookie that no script can read. What changes something also carries the CSRF token,
 * which is kept in memory alone. Every refusal is thrown as an `ApiProblem`.
 */
import { problemOf, unreachable } from './problem';
import type { paths } from './schema';

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';
type Operation<P extends keyof paths, M extends Method> = NonNullable<paths[P][M]>;
export type PathOf<M extends Method> = {
  [P in keyof paths]-?: [Operation<P, M>] extends [never] ? never : P;
}[keyof paths];

type PathInput<O> = O extends { parameters: { path: infer T extends object } } ? { path: T } : { path?: never };
type QueryInput<O> = O extends { parameters: { query?: infer T extends object } } ? { query?: T } : { query?: never };
type BodyInput<O> = O extends { requestBody: { content: { 'application/json': infer T } } }
  ? { body: T }
  : { body?: never };
type Inputs<O> = PathInput<O> & QueryInput<O> & BodyInput<O> & { signal?: AbortSignal };
// Where nothing must be given, the argument may be left out.
type Rest<O> = object extends Inputs<O> ? [inputs?: Inputs<O>] : [inputs: Inputs<O>];

type Content<R> = R extends { content: { 'application/json': infer T } } ? T : undefined;
type Answer<O> = O extends { responses: infer R } ? Content<R[keyof R & (200 | 201 | 202 | 204)]> : never;

interface Given {
  path?: object;
  query?: object;
  body?: unknown;
  /** A body that is no JSON. */
  raw?: { type: string; text: string };
  /** Whether the request outlives the page. */
  keepalive?: boolean;
  signal?: AbortSignal;
}

const PATIENCE_MS = 30_000;

let csrf = '';
let whenLoggedOut: () => void = () => undefined;

/** The token that goes with every request that changes something. Empty: nobody is logged in. */
export function setCsrf(token: string): void {
  csrf = token;
}

/** Called when the gateway says that nobody is logged in. */
export function onLoggedOut(act: () => void): void {
  whenLoggedOut = act;
}

/** The gateway said that the login is over: whoever asked. */
export function loggedOut(): void {
  whenLoggedOut();
}

/** The address of a path of the API: `{name}` filled in, and the query. */
export function addressOf(path: string, parts: object = {}, query: object = {}): string {
  const values = parts as Record<string, unknown>;
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(values[name])));
  const asked = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== '') asked.append(name, String(value));
  }
  return asked.size ? `${filled}?${asked}` : filled;
}

/** One request for which the document has no types, or whose answer is no JSON. Throws `ApiProblem`. */
export async function request(method: Method | 'options', address: string, given: Given = {}): Promise<Response> {
  const headers = new Headers({ Accept: 'application/json' });
  const body = given.raw?.text ?? (given.body === undefined ? undefined : JSON.stringify(given.body));
  if (body !== undefined) headers.set('Content-Type', given.raw?.type ?? 'application/json');
  if (method !== 'get' && csrf) headers.set('X-CSRF-Token', csrf);
  const patience = AbortSignal.timeout(PATIENCE_MS);
  const answer = await fetch(address, {
    method: method.toUpperCase(),
    headers,
    credentials: 'same-origin',
    cache: 'no-store',
    signal: given.signal ? AbortSignal.any([given.signal, patience]) : patience,
    keepalive: given.keepalive ?? false,
    ...(body === undefined ? {} : { body }),
  }).catch((error: unknown) => {
    if (given.signal?.aborted) throw error;
    throw unreachable(error);
  });
  if (answer.ok) return answer;
  const problem = await problemOf(answer);
  if (problem.isLoggedOut) whenLoggedOut();
  throw problem;
}

async function call(method: Method, path: string, given: Given = {}): Promise<unknown> {
  const answer = await request(method, addressOf(path, given.path, given.query), given);
  return answer.status === 204 ? undefined : answer.json();
}

type Caller<M extends Method> = <P extends PathOf<M>>(
  path: P,
  ...rest: Rest<Operation<P, M>>
) => Promise<Answer<Operation<P, M>>>;

function caller<M extends Method>(method: M): Caller<M> {
  return ((path: string, given?: Given) => call(method, path, given)) as Caller<M>;
}

export const api = {
  get: caller('get'),
  post: caller('post'),
  put: caller('put'),
  patch: caller('patch'),
  delete: caller('delete'),
};
