import {
  FakeClock,
  FakeCollector,
  FakeHost,
  FakeJournal,
  FakeSystem,
  fakeProgram,
  programsByName,
  workerSpec,
} from '@hsu-master/testkit';
import { Supervisor } from '@hsu-master/workers';
import { expect, it } from 'vitest';
import { WorkerHistory } from '../src/control-history.ts';
import { Views } from '../src/control-views.ts';

it('a view that was kept says what a new one would, and is the same while its worker is', async () => {
  const clock = new FakeClock();
  const host = new FakeHost(new FakeSystem(clock), programsByName({ web: fakeProgram() }));
  const parts = { host, clock, hooks: [], collector: new FakeCollector(), journal: new FakeJournal() };
  const supervisor = new Supervisor({ ...parts, instance: 'i', masterId: 'm' });
  supervisor.add([workerSpec('web')]);
  const history = new WorkerHistory(supervisor.events);
  const views = new Views(clock, history);
  const read = (kept: Views) => {
    const spec = supervisor.spec('web') ?? expect.unreachable('there is no web');
    return kept.of(spec, supervisor.snapshot('web'), null);
  };
  const compare = () => expect(read(views)).toEqual(read(new Views(clock, history)));
  // Also in the middle of a turn, when the history has heard less than the worker knows.
  let [heard, compared] = [0, 0];
  supervisor.events.subscribe(() => {
    heard += 1;
    compare();
    compared += 1;
  });
  const steps = [
    () => supervisor.startAll(),
    () => supervisor.restart('web'),
    () => supervisor.stop('web'),
    () => supervisor.start('web'),
    () => supervisor.apply([{ ...workerSpec('web'), name: 'Web', enabled: true }]),
    () => supervisor.kill('web'),
  ];
  for (const step of steps) {
    void step();
    clock.advance(1000);
    compare();
    expect(read(views)).toBe(read(views));
    expect(views.of(workerSpec('web'), supervisor.snapshot('web'), null)).toMatchObject({ name: 'web' });
    const usage = { cpuPercent: 1, memory: 2, processes: 3 };
    expect(views.of(workerSpec('web'), supervisor.snapshot('web'), usage).usage).toEqual(usage);
    expect(read(views).usage).toBeNull();
  }
  expect(read(views)).toMatchObject({ name: 'Web', phase: 'stopped', run: 3 });
  expect(heard).toBeGreaterThan(10);
  expect(compared).toBe(heard);
});
