import { defineProject } from 'vitest/config';

const patience = 10_000 * Number(process.env.HSU_TIME_FACTOR ?? 1);

export default defineProject({
  test: {
    name: 'testkit',
    include: ['test/**/*.test.ts'],
    testTimeout: 2 * patience,
    expect: { poll: { timeout: patience } },
  },
});
