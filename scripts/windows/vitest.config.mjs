import { defineConfig } from 'vitest/config';

const patience = 20_000 * Number(process.env.HSU_TIME_FACTOR ?? 1);

/** Of all systems: the rows of scenarios in them are run on Windows, too. */
const shared = [
  'trees',
  'starting',
  'commands',
  'restarts',
  'masters',
  'control',
  'adopt-loop',
  'command',
  'validate',
];

// Under Wine, in the folder that scripts/windows/stage.mjs makes.
export default defineConfig({
  test: {
    name: 'wine',
    include: ['packages/*/test-wine/**/*.test.ts', `packages/hsu-master/test/{${shared.join(',')}}.test.ts`],
    pool: 'threads',
    fileParallelism: false,
    isolate: false,
    server: { deps: { external: [/[\\/]dist[\\/]/] } },
    testTimeout: 3 * patience,
    hookTimeout: 3 * patience,
    expect: { poll: { timeout: patience } },
  },
});
