import type { Worker, WorkerId } from '@hsu-master/core';
import {
  FakeClock,
  FakeCollector,
  FakeHost,
  FakeJournal,
  FakeSystem,
  fakeProgram,
  programsByName,
  type SimulatedParts,
  simulate,
  workerSpec,
} from '@hsu-master/testkit';
import { expect, it } from 'vitest';
import { snapshotOf } from '../src/snapshot.ts';
import { Supervisor } from '../src/supervisor.ts';
import { simulation } from './simulation.ts';

/** How many fleets are lived through, each with its commands, accidents and masters. */
const SEEDS = 60;

/** A supervisor that is read after each turn and each event, and what a new snapshot of the same worker would say. */
function compared(parts: SimulatedParts, tally: { reads: number; stale: string | null }): Supervisor {
  const states = new Map<WorkerId, Worker>();
  const supervisor = new Supervisor({
    ...parts,
    decide(worker, message, circumstances) {
      const decision = parts.decide(worker, message, circumstances);
      states.set(worker.id, worker);
      compare();
      states.set(worker.id, decision.worker);
      return decision;
    },
  });
  const compare = (): void => {
    for (const { id } of supervisor.present()) {
      const worker = states.get(id);
      if (worker === undefined) continue;
      const read = supervisor.snapshot(id);
      // What it waits for is asked of others each time.
      const fresh = snapshotOf(worker, read.port, read.waiting, parts.clock);
      tally.reads += 1;
      if (JSON.stringify(read) !== JSON.stringify(fresh))
        tally.stale ??= `${JSON.stringify(read)} instead of ${JSON.stringify(fresh)}`;
    }
  };
  supervisor.events.subscribe(({ type, workerId }) => {
    if (type === 'worker.removed' && workerId !== null) states.delete(workerId);
    else compare();
  });
  return supervisor;
}

it(`a worker reads as a new snapshot of it would, after each turn and each event of ${SEEDS} fleets`, async () => {
  const tally = { reads: 0, stale: null };
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    await simulate(simulation(seed, { make: (parts) => compared(parts, tally) }));
    expect(tally.stale, `seed ${seed}`).toBeNull();
  }
  expect(tally.reads).toBeGreaterThan(SEEDS * 10);
});

it('a worker that has not changed is told by the same snapshot, and what was read stays as it was', async () => {
  const clock = new FakeClock();
  const host = new FakeHost(new FakeSystem(clock), programsByName({ web: fakeProgram() }));
  const journal = new FakeJournal();
  const names = { instance: 'i', masterId: 'm' };
  const supervisor = new Supervisor({
    host,
    clock,
    hooks: [],
    collector: new FakeCollector(),
    journal,
    ...names,
  });
  supervisor.add([workerSpec('web')]);
  const started = supervisor.startAll();
  clock.advance(1000);
  await started;
  const first = supervisor.snapshot('web');
  clock.advance(5000);
  expect(supervisor.snapshot('web')).toBe(first);
  expect(Object.isFrozen(first)).toBe(true);
  void supervisor.stop('web');
  clock.advance(0);
  expect(supervisor.snapshot('web')).not.toBe(first);
  expect(first.phase).toBe('running');
});
