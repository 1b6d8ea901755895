import { describe, expect, test } from 'vitest';
import { en, type Message } from './en';
import { filled, language, t, tOr } from './index.svelte';
import { zh } from './zh';

const texts = (message: Message): string[] => (typeof message === 'string' ? [message] : Object.values(message));
const values = (message: Message): string[] =>
  [...new Set(texts(message).flatMap((text) => text.match(/\{\w+\}/g) ?? []))].sort();

describe('the languages', () => {
  test('have the same keys', () => {
    expect(Object.keys(zh).sort()).toEqual(Object.keys(en).sort());
  });

  test('use the same values in every text', () => {
    const used = (texts: Record<string, Message>) =>
      Object.entries(texts).map(([key, message]) => [key, values(message)]);
    expect(used(zh).sort()).toEqual(used(en).sort());
  });

  test('say something everywhere', () => {
    const empty = [...Object.values(en), ...Object.values(zh)].flatMap(texts).filter((text) => text.trim() === '');
    expect(empty).toEqual([]);
  });
});

describe('a message', () => {
  test('counts as its language does', () => {
    const message = { one: '{count} source', other: '{count} sources' };
    expect(filled(message, { count: 1 }, 'en')).toBe('1 source');
    expect(filled(message, { count: 0 }, 'en')).toBe('0 sources');
    expect(filled(message, { count: 1 }, 'zh')).toBe('1 sources');
  });

  test('keeps a name that it got no value for', () => {
    expect(filled('{a} and {b}', { a: 0 }, 'en')).toBe('0 and {b}');
  });

  test('follows the language that is chosen, which is told to screen readers', () => {
    language.choose('zh');
    expect(t('wall.title')).toBe(zh['wall.title']);
    expect(document.documentElement.lang).toBe('zh-Hans');
    language.choose('en');
    expect(t('wall.title')).toBe(en['wall.title']);
  });

  test('of a word that the API made falls back to that word', () => {
    expect(tOr('system.role.codec', 'codec')).toBe('Codec');
    expect(tOr('system.role.memory', 'memory')).toBe('memory');
  });
});
