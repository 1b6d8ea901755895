/** What the API refuses, as people read it: what was wrong, and what to do next. */
import { t } from '../i18n/index.svelte';

/** A request that was not served. `kind` is the last part of the problem's type (`capacity_full`), or `unreachable`. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';

  constructor(
    readonly status: number,
    readonly kind: string,
    readonly title: string,
    readonly detail: string,
    readonly nextStep: string,
    readonly retryAfterS: number = 0,
    /** What else the answer tells. */
    readonly extra: Readonly<Record<string, unknown>> = {},
  ) {
    super(detail || title);
  }

  /** Whether the login is over or was never there. */
  get isLoggedOut(): boolean {
    return this.status === 401;
  }
}

/** The problem of an answer that is no success. Whatever the answer holds, there is a problem to show. */
export async function problemOf(answer: Response): Promise<ApiProblem> {
  const retryAfterS = Number(answer.headers.get('Retry-After')) || 0;
  const body = await jsonOf(answer);
  if (body === null) {
    return new ApiProblem(
      answer.status,
      'unreadable',
      t('problem.unreadable'),
      `HTTP ${answer.status}`,
      t('problem.unreadable_next'),
      retryAfterS,
    );
  }
  const text = (name: string): string => (typeof body[name] === 'string' ? body[name] : '');
  const kind = text('type').split(':').at(-1) ?? '';
  return new ApiProblem(answer.status, kind, text('title'), text('detail'), text('next_step'), retryAfterS, body);
}

/** The problem of a request that got no answer. */
export function unreachable(cause: unknown): ApiProblem {
  const detail = cause instanceof Error ? cause.message : String(cause);
  return new ApiProblem(0, 'unreachable', t('problem.unreachable'), detail, t('problem.unreachable_next'));
}

/** Anything that was thrown, as a problem. */
export function asProblem(error: unknown): ApiProblem {
  return error instanceof ApiProblem ? error : unreachable(error);
}

async function jsonOf(answer: Response): Promise<Record<string, unknown> | null> {
  try {
    const body: unknown = await answer.json();
    return typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
