import { defineConfig } from 'vitest/config';

const patience = 20_000 * Number(process.env.HSU_TIME_FACTOR ?? 1);

// With the cgroups of this machine, in groups of its own; only when asked: `npm run test:cgroup1`.
export default defineConfig({
  test: {
    name: 'cgroup1',
    include: ['test-cgroup1/**/*.test.ts'],
    fileParallelism: false,
    testTimeout: 3 * patience,
    hookTimeout: 3 * patience,
    expect: { poll: { timeout: patience } },
  },
});
