/** The language of the console: that of the browser until somebody chooses. The choice is remembered in this browser. */
import { en, type Key, type Message } from './en';
import { zh } from './zh';

export const LANGUAGES = { en: 'English', zh: '中文' } as const;
export type LanguageCode = keyof typeof LANGUAGES;
export type Values = Readonly<Record<string, string | number>>;
export type { Key };

const PLACE = 'vigil.language';
const TEXTS: Record<LanguageCode, Record<Key, Message>> = { en, zh };
const PLURALS: Record<LanguageCode, Intl.PluralRules> = {
  en: new Intl.PluralRules('en'),
  zh: new Intl.PluralRules('zh'),
};

class Language {
  code = $state<LanguageCode>(remembered());

  constructor() {
    this.#show();
  }

  choose(code: LanguageCode): void {
    this.code = code;
    localStorage.setItem(PLACE, code);
    this.#show();
  }

  #show(): void {
    document.documentElement.lang = this.code === 'zh' ? 'zh-Hans' : 'en';
  }
}

function remembered(): LanguageCode {
  const kept = localStorage.getItem(PLACE) ?? navigator.language.slice(0, 2);
  return kept === 'zh' ? 'zh' : 'en';
}

export const language = new Language();

/** The text of a key in the language that is shown, with `{name}` replaced by the value of that name. */
export function t(key: Key, values: Values = {}): string {
  return filled(TEXTS[language.code][key], values, language.code);
}

/** The text of a key that is made of what the API says; `otherwise` where there is no such key. */
export function tOr(key: string, otherwise: string): string {
  return key in en ? t(key as Key) : otherwise;
}

/** A message with its values. Pure. */
export function filled(message: Message, values: Values, code: LanguageCode): string {
  const text =
    typeof message === 'string'
      ? message
      : message[PLURALS[code].select(Number(values.count)) === 'one' ? 'one' : 'other'];
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}
