import { defineProject } from 'vitest/config';

const patience = 20_000 * Number(process.env.HSU_TIME_FACTOR ?? 1);

export default defineProject({
  test: {
    name: 'hsu-master',
    include: ['test/**/*.test.ts'],
    testTimeout: 3 * patience,
    hookTimeout: 3 * patience,
    expect: { poll: { timeout: patience } },
  },
});
