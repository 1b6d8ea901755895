/** Who is logged in. The key itself is forgotten as soon as it was sent. */
import { onLoggedOut, request, setCsrf } from './client';
import { asProblem } from './problem';

export type Role = 'viewer' | 'operator' | 'admin';

export interface Who {
  tenant: string;
  role: Role;
  name: string;
  csrf: string;
  expires: string | null;
}

const RANKS: readonly Role[] = ['viewer', 'operator', 'admin'];

class Login {
  who = $state.raw<Who | null>(null);
  /** Whether it is known by now if somebody is logged in. */
  known = $state(false);
  /** A login that was there has ended by itself. */
  expired = $state(false);
  /** People may also log in at an identity provider. */
  offersOidc = $state(false);

  constructor() {
    onLoggedOut(() => {
      this.expired = this.who !== null;
      this.#set(null);
    });
  }

  /** Whether whoever is logged in may do what takes this role. */
  may(role: Role): boolean {
    return this.who !== null && RANKS.indexOf(this.who.role) >= RANKS.indexOf(role);
  }

  /** Ask the gateway who is logged in. Throws `ApiProblem` when it cannot say. */
  async ask(): Promise<void> {
    try {
      await this.#take(await request('get', '/v1/login'));
    } catch (error) {
      const problem = asProblem(error);
      if (!problem.isLoggedOut) throw problem;
      this.offersOidc = problem.extra.oidc === true;
    } finally {
      this.known = true;
    }
  }

  /** Exchange an API key for a login. Throws `ApiProblem`. */
  async enter(key: string): Promise<void> {
    await this.#take(await request('post', '/v1/login', { body: { key } }));
    this.expired = false;
  }

  /** End the login. Throws `ApiProblem`. */
  async leave(): Promise<void> {
    await request('delete', '/v1/login');
    this.expired = false;
    this.#set(null);
  }

  async #take(answer: Response): Promise<void> {
    this.#set((await answer.json()) as Who);
  }

  #set(who: Who | null): void {
    this.who = who;
    setCsrf(who?.csrf ?? '');
  }
}

export const login = new Login();
