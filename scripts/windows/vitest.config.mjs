import { defineConfig } from 'vitest/config';

const patience = 20_000 * Number(process.env.HSU_TIME_FACTOR ?? 1);

// Under Wine, in the folder that scripts/windows/stage.mjs makes.
export default defineConfig({
  test: {
    name: 'wine',
    include: ['packages/*/test-wine/**/*.test.ts'],
    pool: 'threads',
    fileParallelism: false,
    isolate: false,
    server: { deps: { external: [/[\\/]dist[\\/]/] } },
    testTimeout: 3 * patience,
    hookTimeout: 3 * patience,
    expect: { poll: { timeout: patience } },
  },
});
