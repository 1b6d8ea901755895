// @vitest-environment node
import { describe, expect, test } from 'vitest';
import { globOf, MOST_CHARS, patternOf } from './pattern';

describe('a pattern', () => {
  test('begins with the arguments that somebody is asked about', () => {
    expect(globOf('{"to":["lobby"]}')).toBe('{"to":["lobby"]}');
  });

  test('of arguments that are too long is left to whoever grants', () => {
    expect(globOf('x'.repeat(MOST_CHARS))).toHaveLength(MOST_CHARS);
    expect(globOf('x'.repeat(MOST_CHARS + 1))).toBe('');
  });

  test('holds for a time, or until somebody takes it back', () => {
    expect(patternOf('{*}', 'hour')).toEqual({ arguments: '{*}', minutes: 60 });
    expect(patternOf('{*}', 'always')).toEqual({ arguments: '{*}', minutes: null });
  });
});
