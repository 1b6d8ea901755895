/** Which colours are shown: those of the system until somebody chooses. The choice is remembered in this browser. */

export const THEMES = ['system', 'dark', 'light'] as const;
export type Theme = (typeof THEMES)[number];

const PLACE = 'vigil.theme';

class Themes {
  chosen = $state<Theme>(remembered());
  #systemIsDark = $state(matchMedia('(prefers-color-scheme: dark)').matches);

  constructor() {
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', (change) => {
      this.#systemIsDark = change.matches;
      this.#show();
    });
    this.#show();
  }

  /** The colours that are on the screen now. */
  get shown(): 'dark' | 'light' {
    if (this.chosen !== 'system') return this.chosen;
    return this.#systemIsDark ? 'dark' : 'light';
  }

  choose(theme: Theme): void {
    this.chosen = theme;
    localStorage.setItem(PLACE, theme);
    this.#show();
  }

  #show(): void {
    document.documentElement.dataset.theme = this.shown;
  }
}

function remembered(): Theme {
  const kept = localStorage.getItem(PLACE);
  return THEMES.find((theme) => theme === kept) ?? 'system';
}

export const themes = new Themes();
