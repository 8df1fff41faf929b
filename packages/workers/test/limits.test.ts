import type { HsuEvent, LimitPolicy, LimitsSpec, RunContext, RunHook } from '@hsu-master/core';
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
  workerSpec,
} from '@hsu-master/testkit';
import { describe, expect, test } from 'vitest';
import { Supervisor } from '../src/supervisor.ts';

/** A supervisor of one worker `web` with these limits; `context` is that of its present run. */
async function stage(limits: LimitsSpec, program: Partial<FakeProgram> = {}, enforces = true) {
  const clock = new FakeClock();
  const system = new FakeSystem(clock);
  const host = new FakeHost(system, programsByName({ web: fakeProgram(program) }), () => 0, { enforces });
  const contexts: RunContext[] = [];
  const hook: RunHook = {
    name: 'ear',
    begin(context) {
      contexts.push(context);
      return () => {};
    },
  };
  const parts = {
    host,
    clock,
    hooks: [hook],
    collector: new FakeCollector(),
    journal: new FakeJournal(),
    instance: 'i',
    masterId: 'm',
  };
  const supervisor = new Supervisor(parts);
  const events: HsuEvent[] = [];
  supervisor.events.subscribe((event) => events.push(event));
  supervisor.add([workerSpec('web', { limits })]);
  const started = supervisor.startAll();
  clock.advance(0);
  await started;
  return {
    clock,
    system,
    host,
    supervisor,
    get context(): RunContext {
      return contexts.at(-1) as RunContext;
    },
    payloads: (type: HsuEvent['type']) =>
      events.filter((event) => event.type === type).map(({ payload }) => payload),
    snapshot: () => supervisor.snapshot('web'),
  };
}

function answering(...policies: readonly LimitPolicy[]): LimitsSpec {
  const response = limitResponse({ steps: policies.map((policy) => ({ policy, after: 0 })) });
  return limitsSpec({ values: { 'memory.max_rss': 1000 } }, response);
}

describe('throttling', () => {
  test('is performed, seen by the hooks and the snapshot, and ends with the excess', async () => {
    const scene = await stage(answering('throttle'));
    scene.context.tell({ kind: 'limit-exceeded', limit: 'memory.max_rss', policy: 'throttle', reason: 'x' });
    expect(scene.system.held()).toMatchObject([{ mark: 'i/m.web.1' }]);
    expect(scene.context.isHeldBack()).toBe(true);
    expect(scene.snapshot()).toMatchObject({
      throttled: ['memory.max_rss'],
      doing: 'ready; throttled for memory.max_rss',
    });
    scene.context.tell({ kind: 'limit-cleared', limit: 'memory.max_rss' });
    expect(scene.system.held()).toEqual([]);
    expect(scene.context.isHeldBack()).toBe(false);
    expect(scene.snapshot().throttled).toEqual([]);
  });

  test('ends before a stop, and a context of an earlier run is never held back', async () => {
    const scene = await stage(answering('throttle'));
    const { context } = scene;
    context.tell({ kind: 'limit-exceeded', limit: 'memory.max_rss', policy: 'throttle', reason: 'x' });
    const restarted = scene.supervisor.restart('web');
    scene.clock.advance(0);
    await restarted;
    expect(scene.system.held()).toEqual([]);
    scene.context.tell({ kind: 'limit-exceeded', limit: 'memory.max_rss', policy: 'throttle', reason: 'x' });
    expect([context.isHeldBack(), scene.context.isHeldBack()]).toEqual([false, true]);
  });

  test('that a killed master left behind is ended by the next', async () => {
    const scene = await stage(answering('throttle'), { endsOnSignal: null });
    scene.context.tell({ kind: 'limit-exceeded', limit: 'memory.max_rss', policy: 'throttle', reason: 'x' });
    const journal = new FakeJournal();
    journal.recordRun({
      workerId: 'web',
      run: 1,
      process: scene.context.process,
      mark: 'i/m.web.1',
      at: 0,
      command: null,
      limits: null,
    });
    scene.host.close();
    const host = new FakeHost(scene.system, programsByName({}));
    const next = new Supervisor({
      host,
      clock: scene.clock,
      hooks: [],
      collector: new FakeCollector(),
      journal: new FakeJournal(journal),
      instance: 'i',
      masterId: 'n',
    });
    expect(scene.system.held()).toHaveLength(1);
    await next.startAll();
    expect(scene.system.held()).toEqual([]);
  });
});

describe('a program that needs more memory each second', () => {
  const grows = { memory: { start: 0, perSecond: 100 }, cpu: 50 };

  test('G5: is killed by the kernel at its limit, and begins again with a raised one', async () => {
    const scene = await stage(answering('restart_adjusted'), grows);
    scene.clock.advance(9999);
    expect(scene.snapshot().phase).toBe('running');
    scene.clock.advance(1);
    expect(scene.payloads('limit.exceeded')).toEqual([
      { limit: 'memory.max_rss', value: null, allowed: 1000, quota: null, reason: 'oom-killed' },
    ]);
    expect(scene.payloads('limit.adjusted')).toEqual([{ limit: 'memory.max_rss', from: 1000, to: 1500 }]);
    scene.clock.advance(1000 + 14_999);
    expect(scene.snapshot()).toMatchObject({ phase: 'running', run: 2 });
    scene.clock.advance(1);
    expect(scene.snapshot().phase).toBe('backoff');
  });

  test('is sampled', async () => {
    const scene = await stage(answering('log'), grows);
    scene.clock.advance(4000);
    const detail = { pss: true, connections: true, pressure: false, descriptors: true, peak: true };
    expect(scene.host.sample([scene.context.tree], detail)).toMatchObject([
      {
        at: 4000,
        processes: 1,
        rss: 400,
        memory: 400,
        pss: 400,
        cpuTime: 2000,
        descriptors: 3,
        connections: 0,
        oomKills: 0,
      },
    ]);
    scene.context.tree.throttle(10);
    scene.clock.advance(1000);
    expect(scene.context.tree.freeze(true)).toBe(true);
    scene.clock.advance(1000);
    const [usage] = scene.host.sample([scene.context.tree], { ...detail, pss: false });
    expect(usage).toMatchObject({ cpuTime: 2100, pss: null, memoryPeak: 600 });
    scene.context.tree.signalTree('SIGTERM');
    scene.clock.advance(0);
    expect(scene.host.sample([scene.context.tree], detail)).toEqual([null]);
  });
});

describe('limits that are changed', () => {
  test('hold for the tree that lives, for its hooks and for the runs to come', async () => {
    const scene = await stage(answering('restart_adjusted'), { memory: { start: 500, perSecond: 100 } });
    const less = limitsSpec({ values: { 'memory.max_rss': 700, 'network.max_bandwidth': 1 } });
    expect(scene.supervisor.setLimits('web', less)).toMatchObject([
      { limit: 'memory.max_rss', status: 'enforced' },
      { limit: 'network.max_bandwidth', status: 'impossible' },
    ]);
    expect([scene.context.spec.limits, scene.context.limits]).toEqual([less, less]);
    expect(scene.payloads('limit.unenforceable')).toMatchObject([{ limit: 'network.max_bandwidth' }]);
    scene.clock.advance(2000);
    expect(scene.payloads('limit.exceeded')).toMatchObject([{ allowed: 700 }]);
    scene.clock.advance(1000 + 2000);
    expect(scene.payloads('limit.exceeded')).toMatchObject([{ allowed: 700 }, { allowed: 700 }]);
  });
});

describe('G9: a host that can only watch', () => {
  test('says so once, and the snapshot says what is lost', async () => {
    const scene = await stage(answering('log'), { ends: { after: 10, exit: { code: 1 } } }, false);
    const degraded = ['memory.max_rss is watched, not enforced: it is data'];
    expect(scene.snapshot()).toMatchObject({
      degraded,
      limits: [{ limit: 'memory.max_rss', status: 'watched' }],
    });
    scene.clock.advance(1500);
    expect(scene.snapshot().run).toBe(2);
    expect(scene.payloads('limit.unenforceable')).toEqual([
      { limit: 'memory.max_rss', status: 'watched', quota: null, reason: 'it is data' },
    ]);
  });

  test('does not start what requires more', async () => {
    const scene = await stage({ ...answering('log'), required: true }, {}, false);
    expect(scene.snapshot()).toMatchObject({ phase: 'failed', failure: { code: 'E_LIMIT_REQUIRED' } });
  });

  test('a host that enforces loses nothing', async () => {
    const scene = await stage(answering('log'));
    expect(scene.snapshot()).toMatchObject({ degraded: [], limits: [{ status: 'enforced' }] });
    expect(scene.payloads('limit.unenforceable')).toEqual([]);
  });
});
