import { decide, type MessageKind, type PhaseName } from '@hsu-master/core';
import { PROPERTIES, simulate } from '@hsu-master/testkit';
import { describe, expect, test } from 'vitest';
import { simulation } from './simulation.ts';
import { FAULTS } from './simulation-faults.ts';

/** Within so many seeds a planted fault must be caught. */
const PATIENCE = 1500;

const EVERYWHERE = ['start', 'stop', 'restart', 'reset', 'kill', 'dependencies', 'limits-changed'] as const;
const HOOK_FACTS = [
  'became-ready',
  'became-unready',
  'became-unhealthy',
  'main-process-found',
  'main-process-missing',
  'limit-exceeded',
  'limit-cleared',
  'limits-set',
] as const;

describe('the simulation catches planted faults', () => {
  test.each(FAULTS)('$property: $name', { timeout: 60_000 }, async ({ property, planted }) => {
    for (let seed = 1; seed <= PATIENCE; seed += 1) {
      const broken = await simulate(simulation(seed, planted));
      if (broken.some((violation) => violation.property === property)) return;
    }
    expect.unreachable(`${PATIENCE} seeds did not show it`);
  });

  test('no property is without a fault that breaks it', () => {
    const broken = new Set<string>(FAULTS.map(({ property }) => property));
    expect(Object.keys(PROPERTIES).filter((property) => !broken.has(property))).toEqual([]);
  });
});

/** What can arrive in each phase, besides the commands and news that can arrive in all of them. */
const FACTS = {
  stopped: ['recalled'],
  blocked: [],
  failed: [],
  backoff: ['timer'],
  starting: ['spawned', 'spawn-failed'],
  running: ['exited', 'tree-empty', 'timer', ...HOOK_FACTS],
  stopping: ['exited', 'tree-empty', 'timer', 'surveyed', ...HOOK_FACTS],
} as const satisfies Record<PhaseName, readonly MessageKind[]>;

test('the simulation brings every message into every phase where it can arrive', {
  timeout: 300_000,
}, async () => {
  const met = new Set<string>();
  const watching: typeof decide = (worker, message, circumstances) => {
    if (!('run' in message) || message.run === worker.run) met.add(`${message.kind} in ${worker.phase.name}`);
    return decide(worker, message, circumstances);
  };
  const expected = Object.entries(FACTS).flatMap(([phase, facts]) =>
    [...EVERYWHERE, ...facts].map((kind) => `${kind} in ${phase}`),
  );
  const missing = () => expected.filter((pair) => !met.has(pair));
  for (let seed = 1; seed <= 3 * PATIENCE && missing().length > 0; seed += 1)
    await simulate(simulation(seed, { decide: watching }));
  expect(missing()).toEqual([]);
});
