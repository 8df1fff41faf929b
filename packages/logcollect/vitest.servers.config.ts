import { defineConfig } from 'vitest/config';

// With real servers from the system's packages; only when asked: `npm run test:servers`.
export default defineConfig({
  test: {
    name: 'servers',
    include: ['test-servers/**/*.test.ts'],
    fileParallelism: false,
    testTimeout: 60_000 * Number(process.env.HSU_TIME_FACTOR ?? 1),
    expect: { poll: { timeout: 20_000 * Number(process.env.HSU_TIME_FACTOR ?? 1) } },
  },
});
