import { defineProject } from 'vitest/config';

/** Longer than a test waits for what the system does without telling anybody (`until` in test/harness.ts). */
const patience = 10_000 * Number(process.env['HSU_TIME_FACTOR'] ?? 1);

export default defineProject({
  test: { name: 'native', include: ['test/**/*.test.ts'], testTimeout: 2 * patience },
});
