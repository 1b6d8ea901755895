/** Addresses of one session's pictures and turns, on this gateway. A login's cookie opens them; no key is in them. */

const of = (session: string): string => `/v1/sessions/${encodeURIComponent(session)}`;

/** The JPEG of one frame that a turn showed to the model. */
export function framePath(session: string, sequence: number, index = 0): string {
  return `${of(session)}/turns/${sequence}/frames/${index}`;
}

/** A smooth picture of a pulled source: an endless answer of JPEGs, for as long as somebody looks. */
export function previewPath(session: string): string {
  return `${of(session)}/preview`;
}

/** The console's page of a session, with the turn that it is to show. */
export function sessionPage(session: string, sequence: number | null = null): string {
  return `/sessions/${encodeURIComponent(session)}${sequence === null ? '' : `?turn=${sequence}`}`;
}

/** The console's page of one turn's prompt. */
export function trustPage(session: string, sequence: number | null = null): string {
  return `/trust/${encodeURIComponent(session)}${sequence === null ? '' : `/${sequence}`}`;
}

/** The turn that an address asks for; null for none, and for what is no number of a turn. */
export function askedTurn(text: string | null | undefined): number | null {
  return /^\d{1,15}$/.test(text ?? '') ? Number(text) : null;
}
