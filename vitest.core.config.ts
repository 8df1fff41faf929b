import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = (name: string) => fileURLToPath(new URL(`packages/${name}/src/index.ts`, import.meta.url));

const patience = 10_000 * Number(process.env.HSU_TIME_FACTOR ?? 1);

// Every test that exercises core, its own and those of the supervisor on the fake host, against core's sources
// instead of its build: for coverage and for mutation tests.
export default defineConfig({
  resolve: { alias: { '@hsu-master/core': source('core'), '@hsu-master/testkit': source('testkit') } },
  test: {
    include: ['packages/{core,testkit,workers}/test/**/*.test.ts'],
    // Planted faults are about the simulation; they cost much and find nothing in core.
    exclude: [
      'packages/workers/test/host-*.test.ts',
      'packages/workers/test/simulation-faults.test.ts',
      'packages/testkit/test/zoo.test.ts',
    ],
    // `npm test` tries them all. A mutant is found by few seeds or not at all, and few reach every line.
    env: { HSU_SEEDS: process.env.STRYKER_MUTATOR_WORKER ? '100' : '300' },
    testTimeout: 2 * patience,
    expect: { poll: { timeout: patience } },
    coverage: {
      provider: 'v8',
      include: ['packages/core/src/**/*.ts'],
      reporter: ['text', 'json-summary'],
      reportsDirectory: '.tools/reports/coverage',
      thresholds: { lines: 95, branches: 95 },
    },
  },
});
