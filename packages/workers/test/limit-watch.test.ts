import type { HsuEvent, LimitPolicy, LimitsSpec } from '@hsu-master/core';
import {
  FakeClock,
  FakeCollector,
  FakeHost,
  FakeJournal,
  type FakeProgram,
  FakeSystem,
  fakeProgram,
  limitResponse,
  limitsSpec,
  programsByName,
  restartRule,
  workerSpec,
} from '@hsu-master/testkit';
import { describe, expect, test } from 'vitest';
import { watchLimits } from '../src/limits/limit-watch.ts';
import { Supervisor } from '../src/supervisor.ts';

const MEBI = 2 ** 20;

/** A supervisor of one worker `web` with these limits, which the host watches and does not enforce. */
async function stage(
  limits: LimitsSpec | null,
  program: Partial<FakeProgram> = {},
  programs: Record<string, FakeProgram> = {},
) {
  const clock = new FakeClock();
  const system = new FakeSystem(clock);
  const all = programsByName({ web: fakeProgram(program), ...programs });
  const host = new FakeHost(system, all, () => 0, { enforces: false });
  const defects: unknown[] = [];
  const watch = watchLimits({ host, clock, logFiles: () => [], defect: (error) => defects.push(error) });
  const supervisor = new Supervisor({
    host,
    clock,
    hooks: [watch.hook],
    collector: new FakeCollector(),
    journal: new FakeJournal(),
    instance: 'i',
    masterId: 'm',
  });
  const events: HsuEvent[] = [];
  supervisor.events.subscribe((event) => events.push(event));
  const { restart } = workerSpec('web');
  const resource = restartRule({ delay: 1000, factor: 1, maxRetries: 50 });
  supervisor.add([workerSpec('web', { limits, restart: { ...restart, resource } })]);
  const started = supervisor.startAll();
  clock.advance(0);
  await started;
  return {
    clock,
    system,
    supervisor,
    watch,
    events,
    defects,
    types: () => events.map(({ type }) => type).filter((type) => !type.startsWith('supervisor.')),
    payloads: (type: HsuEvent['type']) => events.filter((event) => event.type === type).map((e) => e.payload),
    at: (type: HsuEvent['type']) => events.filter((event) => event.type === type).map((e) => e.at - EPOCH),
    phase: () => supervisor.snapshot('web').phase,
  };
}

const EPOCH = new FakeClock().wallNow();

/** 100 MiB, judged each second, answered so. */
function limited(...policies: readonly LimitPolicy[]): LimitsSpec {
  const steps = policies.map((policy, index) => ({ policy, after: index === 0 ? 0 : 5000 }));
  return limitsSpec({ values: { 'memory.max_rss': 100 * MEBI } }, limitResponse({ steps }));
}

/** Reaches 100 MiB after ten seconds. */
const grows: Partial<FakeProgram> = { memory: { start: 0, perSecond: 10 * MEBI } };
const REASON = 'memory 110MiB of 100MiB';

describe('a worker', () => {
  test('without limits costs no timer and no sample', async () => {
    const scene = await stage(null, grows);
    const before = scene.clock.pending;
    scene.clock.advance(60_000);
    expect(scene.clock.pending).toBe(before);
    expect(scene.watch.history('web')).toEqual([]);
  });

  test('whose monitoring is off is not watched', async () => {
    const limits = limited('restart');
    const scene = await stage({ ...limits, monitoring: { ...limits.monitoring, enabled: false } }, grows);
    scene.clock.advance(60_000);
    expect([scene.payloads('limit.exceeded'), scene.watch.history('web')]).toEqual([[], []]);
  });

  test('that is silent about its limit is sampled and not judged', async () => {
    const scene = await stage(limited('none'), grows);
    scene.clock.advance(60_000);
    expect(scene.payloads('limit.exceeded')).toEqual([]);
    expect(scene.watch.history('web')).toHaveLength(60);
  });
});

describe('each policy', () => {
  test('log: said once, and nothing is done', async () => {
    const scene = await stage(limited('log'), grows);
    scene.clock.advance(60_000);
    expect(scene.payloads('limit.exceeded')).toEqual([
      { limit: 'memory.max_rss', value: 110 * MEBI, allowed: 100 * MEBI, quota: null, reason: REASON },
    ]);
    expect([scene.at('limit.exceeded'), scene.phase()]).toEqual([[11_000], 'running']);
  });

  test('throttle: what presses against its share is held back, let go to be seen, and held for longer', async () => {
    const values = { 'cpu.max_percent': 50 };
    const response = limitResponse({ steps: [{ policy: 'throttle', after: 0 }], sustained: 2000 });
    const scene = await stage(limitsSpec({ values }, response), { cpu: 90 });
    scene.clock.advance(4000);
    expect(scene.payloads('worker.throttled')).toEqual([{ limit: 'cpu.max_percent', percent: 20 }]);
    expect(scene.system.held()).toHaveLength(1);
    scene.clock.advance(9000);
    expect([scene.payloads('limit.cleared'), scene.system.held()]).toEqual([[], [expect.anything()]]);
    scene.clock.advance(1000);
    expect(scene.payloads('limit.cleared')).toEqual([
      { limit: 'cpu.max_percent', value: 20, allowed: 50, quota: null },
    ]);
    expect(scene.system.held()).toEqual([]);
    scene.clock.advance(60_000);
    expect(scene.at('worker.throttled')).toEqual([4000, 17_000, 40_000]);
    expect(scene.at('worker.unthrottled')).toEqual([14_000, 37_000]);
  });

  test('restart: ended with the reason, and started again', async () => {
    const scene = await stage(limited('restart'), grows);
    scene.clock.advance(11_000);
    expect(scene.payloads('worker.stopping')).toEqual([{ cause: 'limit', detail: REASON }]);
    scene.clock.advance(30_000);
    expect(scene.at('limit.exceeded')).toEqual([11_000, 23_000, 35_000]);
    expect(scene.phase()).toBe('running');
  });

  test('restart_adjusted: the raised limit is the one that is judged', async () => {
    const scene = await stage(limited('restart_adjusted'), grows);
    scene.clock.advance(60_000);
    const allowed = scene
      .payloads('limit.exceeded')
      .map((payload) => (payload as { allowed: number }).allowed / MEBI);
    expect(allowed.slice(0, 3)).toEqual([100, 150, 225]);
  });

  test.each(['graceful_shutdown', 'immediate_kill'] as const)('%s: ended for good', async (policy) => {
    const scene = await stage(limited(policy), grows);
    scene.clock.advance(60_000);
    expect(scene.phase()).toBe('failed');
    expect(scene.supervisor.snapshot('web').failure).toMatchObject({ code: 'E_LIMIT' });
    expect(scene.payloads('worker.killed')).toHaveLength(policy === 'immediate_kill' ? 1 : 0);
    expect(scene.clock.pending).toBe(0);
  });
});

describe('an escalation', () => {
  test('gets past the throttling that lowers what is measured', async () => {
    const steps = (['log', 'throttle', 'restart', 'immediate_kill'] as const).map((policy) => ({
      policy,
      after: 5000,
    }));
    const limits = limitsSpec({ values: { 'cpu.max_percent': 50 } }, limitResponse({ steps }));
    const scene = await stage(limits, { cpu: 90 });
    scene.clock.advance(60_000);
    expect(scene.at('worker.throttled')).toHaveLength(1);
    expect(scene.payloads('worker.stopping')[0]).toMatchObject({
      cause: 'limit',
      detail: expect.stringMatching(/^CPU 20% of 50%, held back for /),
    });
    expect(scene.phase()).toBe('failed');
  });

  test('goes from step to step in its time, and on over the restart', async () => {
    const start: Partial<FakeProgram> = { memory: { start: 200 * MEBI, perSecond: 0 } };
    const scene = await stage(limited('log', 'throttle', 'restart', 'immediate_kill'), start);
    scene.clock.advance(60_000);
    expect(scene.at('limit.exceeded')).toEqual([1000, 13_000]);
    expect(scene.at('worker.throttled')).toEqual([6000]);
    expect(scene.at('worker.stopping')).toEqual([11_000, 16_000]);
    expect(scene.phase()).toBe('failed');
  });

  test('begins anew after a run that ended otherwise', async () => {
    const scene = await stage(limited('log', 'restart'), { memory: { start: 200 * MEBI, perSecond: 0 } });
    scene.clock.advance(3000);
    const restarted = scene.supervisor.restart('web');
    scene.clock.advance(0);
    await restarted;
    scene.clock.advance(3999);
    expect([scene.phase(), scene.at('limit.exceeded')]).toEqual(['running', [1000, 4000]]);
    expect(scene.payloads('worker.stopping')).toEqual([
      { cause: 'restart', detail: 'restart was asked for' },
    ]);
  });
});

test('to pass memory.high is told and restarts nothing', async () => {
  const { responses } = limited('restart');
  const values = { 'memory.high': 50 * MEBI, 'memory.max_rss': 1000 * MEBI };
  const scene = await stage(limitsSpec({ values, responses }), grows);
  scene.clock.advance(60_000);
  expect(scene.payloads('limit.exceeded')).toMatchObject([
    { limit: 'memory.high', reason: 'memory 60MiB of 50MiB' },
  ]);
  expect(scene.payloads('worker.stopping')).toEqual([]);
});

test('a warning comes before the excess, and the time of an excess is named', async () => {
  const limits = limited('log');
  const response = limitResponse({ warning: 0.8, spikeTolerance: 3000, sustained: 3000 });
  const scene = await stage({ ...limits, responses: { ...limits.responses, memory: response } }, grows);
  scene.clock.advance(60_000);
  expect(scene.at('limit.warned')).toEqual([11_000]);
  expect(scene.at('limit.exceeded')).toEqual([14_000]);
  expect(scene.payloads('limit.exceeded')).toMatchObject([{ reason: 'memory 140MiB of 100MiB for 3s' }]);
});

describe('limits that are changed while it runs', () => {
  test('hold from the next sample, in the new rhythm', async () => {
    const scene = await stage(limited('log'), grows);
    scene.clock.advance(5000);
    const other = limitsSpec({ values: { 'memory.max_rss': 20 * MEBI } });
    scene.supervisor.setLimits('web', { ...other, monitoring: { ...other.monitoring, interval: 4000 } });
    scene.clock.advance(1000);
    expect(scene.at('limit.exceeded')).toEqual([6000]);
    const points = scene.watch.history('web').length;
    scene.clock.advance(8000);
    expect(scene.watch.history('web')).toHaveLength(points + 2);
  });

  test('hold at once for a worker that had none, when the watch is told', async () => {
    const scene = await stage(null, grows);
    scene.supervisor.setLimits('web', limited('log'));
    scene.watch.renew('web');
    scene.clock.advance(60_000);
    expect(scene.at('limit.exceeded')).toEqual([11_000]);
  });

  test('end the throttling for one that is no limit any more', async () => {
    const scene = await stage(limited('throttle'), grows);
    scene.clock.advance(15_000);
    expect(scene.system.held()).toHaveLength(1);
    scene.supervisor.setLimits('web', limitsSpec({ values: { 'cpu.max_percent': 50 } }));
    scene.clock.advance(1000);
    expect(scene.system.held()).toEqual([]);
  });
});

describe('the use of a worker', () => {
  test('without limits is looked at when it is asked for', async () => {
    const scene = await stage(null, { memory: { start: 5 * MEBI, perSecond: 0 }, cpu: 30 });
    scene.clock.advance(10_000);
    expect(scene.watch.usage('web')).toMatchObject({
      run: 1,
      cpuPercent: null,
      usage: { rss: 5 * MEBI, pss: null },
    });
    scene.clock.advance(1000);
    expect(scene.watch.usage('web', { pss: true })).toMatchObject({
      cpuPercent: 30,
      usage: { pss: 5 * MEBI },
    });
  });

  test('that does not run any more is the last that was sampled', async () => {
    const scene = await stage(limited('log'), { memory: { start: 5 * MEBI, perSecond: 0 } });
    scene.clock.advance(1500);
    const stopped = scene.supervisor.stop('web');
    scene.clock.advance(1000);
    await stopped;
    expect(scene.watch.usage('web')).toMatchObject({ run: 1, at: EPOCH + 1000 });
    expect(scene.watch.usage('nobody')).toBeNull();
  });
});

describe('alerts', () => {
  const alerts = { exec: ['/bin/page', '-u'], webhook: null, timeout: 1000, every: 60_000 } as const;

  test('go to the program when the policy says so', async () => {
    const scene = await stage({ ...limited('alert'), alerts }, grows, { '/bin/page': fakeProgram({}) });
    scene.clock.advance(11_000);
    expect(scene.payloads('limit.exceeded')).toHaveLength(1);
    expect(scene.system.living().map(({ tree }) => tree.mark)).toContain('web.2-1.alert.1');
    scene.watch.close();
  });

  test('go nowhere for another policy', async () => {
    const scene = await stage({ ...limited('log'), alerts }, grows, { '/bin/page': fakeProgram({}) });
    scene.clock.advance(60_000);
    expect(scene.system.living()).toHaveLength(1);
  });
});
