/**
 * What brains ask to be allowed, kept by its events. Pure.
 *
 * An approval is requested once and decided once; a decision that came first stays, whatever is read later.
 */

export type ApprovalState = 'requested' | 'granted' | 'refused' | 'expired';

export interface Approval {
  readonly id: string;
  readonly session: string;
  readonly task: string;
  readonly tool: string;
  /** The tool's arguments as the brain gave them: JSON, or any other text. */
  readonly arguments: string;
  /** What the brain says that it would do. */
  readonly summary: string;
  readonly state: ApprovalState;
  /** Who granted or refused it; empty where nobody did. */
  readonly by: string;
  /** The tool of the pattern that granted it by itself; empty where none did. */
  readonly pattern: string;
  readonly requestedMs: number;
  /** When it is refused by itself. */
  readonly expiresMs: number;
}

const STATES: readonly ApprovalState[] = ['requested', 'granted', 'refused', 'expired'];
/** Decided ones are kept so long that a page can show what became of them. */
const MOST = 200;

type Fields = Record<string, unknown>;

/** The approval of one event (`vigil.approval.…`), or null. */
export function ofEvent(event: unknown): Approval | null {
  if (!isFields(event) || !isFields(event.data) || typeof event.type !== 'string') return null;
  const state = STATES.find((known) => event.type === `vigil.approval.${known}`);
  const { approval: id, expires } = event.data;
  return state === undefined ? null : approval(id, event.data, state, [event.time, expires]);
}

/** The approval of a row of `GET /v1/approvals`, or null. */
export function ofRow(row: unknown): Approval | null {
  if (!isFields(row)) return null;
  const state = STATES.find((known) => row.state === known);
  return state === undefined ? null : approval(row.id, row, state, [row.requested_at, row.expires_at]);
}

/** The approvals with one that was told; oldest first, at most the newest `MOST`. */
export function withApproval(held: readonly Approval[], told: Approval | null): readonly Approval[] {
  if (told === null) return held;
  const before = held.find((approval) => approval.id === told.id);
  if (before === undefined) {
    return [...held, told].sort((left, right) => left.requestedMs - right.requestedMs).slice(-MOST);
  }
  if (before.state !== 'requested') return held;
  const after = { ...told, requestedMs: before.requestedMs };
  return held.map((approval) => (approval === before ? after : approval));
}

/** Those that wait for somebody. */
export function waiting(approvals: readonly Approval[]): readonly Approval[] {
  return approvals.filter((approval) => approval.state === 'requested');
}

/**
 * The arguments for people: JSON with a line for each value, any other text as it is. Characters that show nothing, or
 * turn the direction of the text, are written out: nobody shall grant something else than what is read.
 */
export function readable(given: string): string {
  return visible(indented(given));
}

/** The text with its invisible characters written out as `\\u202e`. Line ends and tabs stay. */
export function visible(given: string): string {
  return given.replace(
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g,
    (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function indented(given: string): string {
  try {
    return JSON.stringify(JSON.parse(given), null, 2);
  } catch {
    return given;
  }
}

type Times = readonly [requested: unknown, expires: unknown];

/** An event of a decision has its own time: where the request was not heard, it stands for that. */
function approval(id: unknown, fields: Fields, state: ApprovalState, [requested, expires]: Times): Approval | null {
  const found = text(id);
  if (found === '') return null;
  return {
    id: found,
    session: text(fields.session),
    task: text(fields.task),
    tool: text(fields.tool),
    arguments: text(fields.arguments),
    summary: text(fields.summary),
    state,
    by: text(fields.by),
    pattern: text(fields.pattern),
    requestedMs: Date.parse(text(requested)) || 0,
    expiresMs: Date.parse(text(expires)) || 0,
  };
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
