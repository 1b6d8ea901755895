/** The address bar: what it says, and how to change it without loading the page anew. */

class Router {
  path = $state(location.pathname);
  query = $state.raw(new URLSearchParams(location.search));

  constructor() {
    addEventListener('popstate', () => this.#read());
    document.addEventListener('click', (click) => this.#follow(click));
  }

  /** Show `address`; with `replace` the one that is shown leaves the history. */
  go(address: string, options: { replace?: boolean } = {}): void {
    if (options.replace) history.replaceState(null, '', address);
    else history.pushState(null, '', address);
    this.#read();
    if (!options.replace) scrollTo(0, 0);
  }

  #read(): void {
    this.path = location.pathname;
    this.query = new URLSearchParams(location.search);
  }

  /** Links inside of the console are followed here; all others, and those with a key held, by the browser. */
  #follow(click: MouseEvent): void {
    if (
      click.defaultPrevented ||
      click.button !== 0 ||
      click.metaKey ||
      click.ctrlKey ||
      click.shiftKey ||
      click.altKey
    )
      return;
    const link = (click.target as Element | null)?.closest?.('a');
    if (!link?.href || link.target || link.hasAttribute('download')) return;
    const url = new URL(link.href);
    if (url.origin !== location.origin || !isOfConsole(url.pathname)) return;
    click.preventDefault();
    this.go(url.pathname + url.search + url.hash);
  }
}

const PAGES = /^\/(login|wall|sessions|alerts|trust|system)?(\/|$)/;

/** Whether this path is a page of the console, and not of the API. */
export function isOfConsole(path: string): boolean {
  return PAGES.test(path);
}

export const router = new Router();
