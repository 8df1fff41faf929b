import { defineConfig } from 'vitest/config';

const patience = 20_000 * Number(process.env.HSU_TIME_FACTOR ?? 1);

// Inside the virtual machine that `npm run test:vm` boots, once for each folder.
export default defineConfig({
  test: {
    name: 'vm',
    include: ['test-vm/**/*.test.ts'],
    pool: 'threads',
    fileParallelism: false,
    isolate: false,
    // Compiled already: to transform it again takes longer than all tests.
    server: { deps: { external: [/\/dist\//] } },
    testTimeout: 3 * patience,
    hookTimeout: 3 * patience,
    expect: { poll: { timeout: patience } },
  },
});
