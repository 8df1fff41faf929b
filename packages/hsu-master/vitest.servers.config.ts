import { defineConfig } from 'vitest/config';

// With real servers from the system's packages; only when asked: `npm run test:servers`.
export default defineConfig({
  test: {
    name: 'servers',
    include: ['test-servers/**/*.test.ts'],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 60_000,
  },
});
