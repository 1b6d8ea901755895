import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

const DIST = 'dist';
const GATEWAY = process.env.VIGIL_GATEWAY_URL ?? 'http://127.0.0.1:8080';

/** Lays a `.gz` beside every file that gets smaller by it: the gateway compresses nothing itself. */
function precompressed(): Plugin {
  return {
    name: 'precompressed',
    apply: 'build',
    closeBundle() {
      for (const name of readdirSync(DIST, { recursive: true, encoding: 'utf8' })) {
        const path = join(DIST, name);
        if (!statSync(path).isFile() || name.endsWith('.gz')) continue;
        const plain = readFileSync(path);
        const small = gzipSync(plain, { level: 9 });
        if (small.length < plain.length * 0.9) writeFileSync(`${path}.gz`, small);
      }
    },
  };
}

export default defineConfig(({ mode }) => ({
  plugins: [svelte(), precompressed()],
  // Tests mount components in a DOM: they need Svelte's browser build.
  ...(mode === 'test' ? { resolve: { conditions: ['browser'] } } : {}),
  build: {
    outDir: DIST,
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: { proxy: { '/v1': { target: GATEWAY, changeOrigin: true } } },
  // One worker for all: its start takes longer than the tests.
  test: {
    environment: 'happy-dom',
    include: ['src/**/*.test.ts'],
    pool: 'threads',
    isolate: false,
    fileParallelism: false,
    // They end a test that hangs: one that passes is done long before, even on a busy machine.
    testTimeout: 60_000,
    expect: { poll: { timeout: 30_000 } },
  },
}));
