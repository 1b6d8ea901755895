/**
 * WHIP (RFC 9725) as its client speaks it: offer, answer, close.
 *
 * The offer goes out with all its candidates, so no trickling is needed.
 */

import { ApiProblem } from '../../../lib/api/problem';

/** One request with the login; `sdp` is its body. Throws `ApiProblem`. */
export type Ask = (method: 'options' | 'post' | 'delete', address: string, sdp?: string) => Promise<Response>;

export interface Answer {
  readonly sdp: string;
  /** Where the connection is closed, on this gateway. */
  readonly resource: string;
}

export class Whip {
  constructor(
    private readonly ask: Ask,
    readonly session: string,
  ) {}

  private get endpoint(): string {
    return `/v1/sessions/${encodeURIComponent(this.session)}/whip`;
  }

  /** The STUN and TURN servers that the gateway names; none when it cannot be asked: the offer then says why. */
  async iceServers(): Promise<RTCIceServer[]> {
    try {
      const answer = await this.ask('options', this.endpoint);
      return iceServers(answer.headers.get('Link') ?? '');
    } catch {
      return [];
    }
  }

  /** Sends the offer; with `replaces` it takes the place of whoever sends to the session now. Throws `ApiProblem`. */
  async offer(sdp: string, replaces: boolean): Promise<Answer> {
    const answer = await this.ask('post', replaces ? `${this.endpoint}?replace=true` : this.endpoint, sdp);
    const resource = answer.headers.get('Location');
    if (resource === null) throw new ApiProblem(answer.status, 'unreadable', '', 'the answer names no resource', '');
    return { sdp: await answer.text(), resource };
  }

  /** Ends the connection; a gateway that is away hears it from the connection itself. */
  async close(resource: string): Promise<void> {
    try {
      await this.ask('delete', resource);
    } catch {
      return;
    }
  }
}

/** Whether there is no session any more to come back to. */
export function isOver(problem: ApiProblem): boolean {
  return problem.status === 404 || problem.status === 410 || problem.kind === 'session_ended';
}

/** Whether trying again changes nothing: the offer is wrong, or the key may not do this. */
export function isFinal(problem: ApiProblem): boolean {
  return problem.status >= 400 && problem.status < 500 && ![408, 409, 425, 429].includes(problem.status);
}

/** The servers of a `Link` header: `<turn:host?transport=udp>; rel="ice-server"; username="u"; credential="c"`. */
export function iceServers(link: string): RTCIceServer[] {
  const links = [...link.matchAll(/<([^>]*)>((?:\s*;\s*[\w-]+\s*=\s*(?:"[^"]*"|[^\s;,]+))*)/g)];
  return links.flatMap(([, urls = '', rest = '']) => {
    const parameters = new Map(
      [...rest.matchAll(/([\w-]+)\s*=\s*(?:"([^"]*)"|([^\s;,]+))/g)].map(([, name = '', quoted, plain]) => [
        name.toLowerCase(),
        quoted ?? plain ?? '',
      ]),
    );
    if (parameters.get('rel') !== 'ice-server' || !/^(stun|turn)s?:/.test(urls)) return [];
    const [username, credential] = [parameters.get('username'), parameters.get('credential')];
    return [username !== undefined && credential !== undefined ? { urls, username, credential } : { urls }];
  });
}
