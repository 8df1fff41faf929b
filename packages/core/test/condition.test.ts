import { expect, test } from 'vitest';
import { CONDITIONS, meets } from '../src/control/condition.ts';
import type { PhaseName } from '../src/worker/state.ts';

type Meets = ReturnType<typeof meets>;

/** In the order of CONDITIONS: running, ready, stopped, completed. */
test.each<[PhaseName, { ready?: true; completed?: true }, readonly Meets[]]>([
  ['running', {}, ['yes', 'not-yet', 'not-yet', 'not-yet']],
  ['running', { ready: true }, ['yes', 'yes', 'not-yet', 'not-yet']],
  ['starting', {}, ['not-yet', 'not-yet', 'not-yet', 'not-yet']],
  ['blocked', {}, ['not-yet', 'not-yet', 'not-yet', 'not-yet']],
  ['backoff', {}, ['not-yet', 'not-yet', 'not-yet', 'not-yet']],
  ['stopping', {}, ['not-yet', 'not-yet', 'not-yet', 'not-yet']],
  ['stopped', {}, ['never', 'never', 'yes', 'never']],
  ['stopped', { completed: true }, ['never', 'never', 'yes', 'yes']],
  ['failed', {}, ['never', 'never', 'yes', 'never']],
])('what a worker that is %s %j meets: %j', (phase, { ready = false, completed = false }, expected) => {
  const worker = { phase, ready, completed, desired: 'up' } as const;
  expect(CONDITIONS.map((condition) => meets(worker, condition))).toEqual(expected);
});
