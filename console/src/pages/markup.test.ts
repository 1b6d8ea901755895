// @vitest-environment node
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const SOURCES = join(import.meta.dirname, '..');
const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter(
  (name) => /\.(svelte|ts)$/.test(name) && !name.endsWith('.test.ts'),
);

// What comes from cameras, clients and the model is text: nothing in the console reads a text as markup.
const MARKUP =
  /\{@html|\.innerHTML|\.outerHTML|insertAdjacentHTML|document\.write|DOMParser|createContextualFragment|srcdoc/;

test('no text is read as markup anywhere', () => {
  expect(files.length).toBeGreaterThan(20);
  expect(files.filter((name) => MARKUP.test(readFileSync(join(SOURCES, name), 'utf8')))).toEqual([]);
});

test('nothing but the choice of colours, language and density is kept in the browser', () => {
  const keeping = files.filter((name) =>
    /localStorage|sessionStorage|indexedDB|document\.cookie/.test(readFileSync(join(SOURCES, name), 'utf8')),
  );
  expect(keeping.sort()).toEqual(['app/theme.svelte.ts', 'lib/i18n/index.svelte.ts', 'pages/wall/density.svelte.ts']);
});
