import { type Dependency, type HsuEvent, planOf, type WorkerSpec } from '@hsu-master/core';
import {
  FakeClock,
  FakeCollector,
  FakeHost,
  FakeJournal,
  type FakeProgram,
  FakeSystem,
  fakeProgram,
  limitsSpec,
  workerSpec,
} from '@hsu-master/testkit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Supervisor } from '../src/supervisor.ts';

/** A supervisor of programs that take their time to end. */
function stage(program: FakeProgram = fakeProgram({ endsOnSignal: 100 })) {
  const clock = new FakeClock();
  const system = new FakeSystem(clock);
  const versions = new Map<string, string>();
  const host = new FakeHost(system, ({ argv }, { mark }) => {
    versions.set(mark, argv[1] ?? '');
    return program;
  });
  const journal = new FakeJournal();
  const supervisor = new Supervisor({
    host,
    clock,
    hooks: [],
    collector: new FakeCollector(),
    journal,
    instance: 'i',
    masterId: 'm',
  });
  const events: HsuEvent[] = [];
  supervisor.events.subscribe((event) => events.push(event));
  return { clock, system, host, supervisor, events, journal, versions };
}

type Scene = ReturnType<typeof stage>;

async function begin(scene: Scene, specs: readonly WorkerSpec[]): Promise<void> {
  scene.supervisor.add(specs);
  const started = scene.supervisor.startAll();
  scene.clock.advance(1000);
  await started;
  scene.events.length = 0;
}

/** What happened, of these types, as `type id`. */
function told({ events }: Scene, ...types: readonly HsuEvent['type'][]): readonly string[] {
  return events.filter(({ type }) => types.includes(type)).map(({ type, workerId }) => `${type} ${workerId}`);
}

function needs(...ids: readonly string[]): { readonly dependsOn: readonly Dependency[] } {
  return { dependsOn: ids.map((id) => ({ id, condition: 'started', restart: false })) };
}

function other(spec: WorkerSpec): WorkerSpec {
  return { ...spec, command: { ...spec.command, argv: [spec.id, '--other'] } };
}

async function settled<T>(scene: Scene, result: Promise<T>, span = 60_000): Promise<T> {
  scene.clock.advance(span);
  return result;
}

const [a, b, c] = [workerSpec('a'), workerSpec('b', needs('a')), workerSpec('c', needs('b'))];

describe('apply', () => {
  test('leaves alone what is as before, adds, and removes', async () => {
    const scene = stage();
    await begin(scene, [a, b, c]);
    const { process, run } = scene.supervisor.snapshot('a');
    const result = await settled(scene, scene.supervisor.apply([workerSpec('d'), structuredClone(a)]));
    expect(result).toEqual({ state: 'done', failures: [] });
    expect(scene.supervisor.snapshot('a')).toMatchObject({ process, run, phase: 'running' });
    expect(scene.supervisor.snapshots().map(({ id }) => id)).toEqual(['d', 'a']);
    expect(told(scene, 'worker.started', 'worker.removed')).toEqual([
      'worker.started d',
      'worker.removed c',
      'worker.removed b',
    ]);
    expect([...scene.journal.memos().keys()].filter((id) => id === 'b' || id === 'c')).toEqual([]);
  });

  test('ends dependents before what they depend on, and begins nothing on what is about to go', async () => {
    const scene = stage();
    await begin(scene, [a, b, c]);
    await settled(scene, scene.supervisor.apply([other(a), other(b), other(c)]));
    expect(told(scene, 'worker.stopping', 'worker.started')).toEqual([
      'worker.stopping c',
      'worker.stopping b',
      'worker.stopping a',
      'worker.started a',
      'worker.started b',
      'worker.started c',
    ]);
    expect(scene.supervisor.snapshots().map(({ run }) => run)).toEqual([2, 2, 2]);
  });

  test('I3: replaces only what has to be', async () => {
    const scene = stage();
    await begin(scene, [a, b, c]);
    await settled(
      scene,
      scene.supervisor.apply([a, other(b), { ...c, description: 'more', restart: a.restart }]),
    );
    expect(told(scene, 'worker.stopping', 'worker.started')).toEqual([
      'worker.stopping b',
      'worker.started b',
    ]);
    expect(scene.supervisor.specs()).toEqual([
      a,
      other(b),
      { ...c, description: 'more', restart: a.restart },
    ]);
  });

  test('a process is ended as it was described when it began', async () => {
    const scene = stage();
    await begin(scene, [workerSpec('a', { stop: { signal: 'SIGINT', grace: 1000 } })]);
    const signals: string[] = [];
    scene.system.watch((news) => {
      if (news.kind === 'signalled') signals.push(news.signal);
    });
    await settled(scene, scene.supervisor.apply([{ ...other(a), stop: { signal: 'SIGQUIT', grace: 1000 } }]));
    expect(signals[0]).toBe('SIGINT');
    await settled(scene, scene.supervisor.apply([{ ...other(a), stop: { signal: 'SIGHUP', grace: 1000 } }]));
    void scene.supervisor.stop('a');
    expect(signals.at(-1)).toBe('SIGHUP');
  });

  test('limits and budgets change while it runs', async () => {
    const scene = stage();
    const quota = (bytes: number) =>
      ({ kind: 'group', id: 'g', limits: limitsSpec({ values: { 'memory.max_rss': bytes } }) }) as const;
    const with_ = (bytes: number) =>
      workerSpec('a', {
        limits: limitsSpec({ values: { 'memory.max_rss': bytes } }),
        quotas: [quota(bytes)],
      });
    await begin(scene, [with_(1000)]);
    await settled(scene, scene.supervisor.apply([with_(2000)]));
    expect(scene.supervisor.snapshot('a').run).toBe(1);
    await settled(scene, scene.supervisor.apply([workerSpec('a', { quotas: [quota(2000)] })]));
    expect(scene.supervisor.snapshot('a')).toMatchObject({ run: 1, limits: [] });
  });

  test('what is not enabled any more is stopped, and started when it is again; what an operator stopped is not', async () => {
    const scene = stage();
    await begin(scene, [a, workerSpec('x')]);
    await settled(scene, scene.supervisor.stop('x'));
    await settled(scene, scene.supervisor.apply([{ ...a, enabled: false }, workerSpec('x')]));
    expect(scene.supervisor.snapshot('a')).toMatchObject({ phase: 'stopped', desired: 'down' });
    await settled(scene, scene.supervisor.apply([a, other(workerSpec('x'))]));
    expect(scene.supervisor.snapshot('a').phase).toBe('running');
    expect(scene.supervisor.snapshot('x')).toMatchObject({ phase: 'stopped', run: 1 });
    await settled(scene, scene.supervisor.start('x'));
    expect(scene.supervisor.snapshot('x').run).toBe(2);
  });

  test('takes back a removal that is under way, and the name of what was removed', async () => {
    const scene = stage();
    await begin(scene, [a]);
    const first = scene.supervisor.apply([]);
    expect(scene.supervisor.snapshot('a').phase).toBe('stopping');
    const start = await scene.supervisor.start('a');
    expect(start).toMatchObject({ kind: 'failed', failure: { code: 'E_UNKNOWN_WORKER' } });
    const second = scene.supervisor.apply([a]);
    expect((await first).state).toBe('superseded');
    expect((await settled(scene, second)).state).toBe('done');
    expect(scene.supervisor.snapshot('a')).toMatchObject({ phase: 'running', run: 2 });
    await settled(scene, scene.supervisor.apply([]));
    await settled(scene, scene.supervisor.apply([a]));
    expect(scene.supervisor.snapshot('a')).toMatchObject({ phase: 'running', run: 3 });
  });

  test.each(['blocked', 'backoff', 'starting', 'stopping', 'failed'] as const)(
    'removes a worker that is %s',
    async (phase) => {
      const failing = phase === 'backoff' || phase === 'failed';
      const scene = stage(
        failing
          ? fakeProgram({ ends: { after: 10, exit: { code: 1 } } })
          : fakeProgram({ endsOnSignal: 100 }),
      );
      const off = workerSpec('off', { enabled: false });
      const spec = workerSpec('a', {
        ...(phase === 'blocked' ? needs('off') : {}),
        restart: { ...a.restart, mode: phase === 'failed' ? 'never' : 'always' },
      });
      scene.supervisor.add([off, spec]);
      const started = scene.supervisor.startAll();
      if (phase !== 'starting') scene.clock.advance(100);
      await started;
      if (phase === 'stopping') void scene.supervisor.stop('a');
      expect(scene.supervisor.snapshot('a').phase).toBe(phase);
      const result = await settled(scene, scene.supervisor.apply([off]));
      expect(result.state).toBe('done');
      expect(scene.supervisor.snapshots().map(({ id }) => id)).toEqual(['off']);
      expect(scene.system.living()).toEqual([]);
      scene.clock.advance(3_600_000);
      expect(scene.system.living()).toEqual([]);
    },
  );

  test('the end of the master breaks it off', async () => {
    const scene = stage();
    await begin(scene, [a, b]);
    const result = scene.supervisor.apply([other(a), other(b)]);
    const end = scene.supervisor.shutdown('the end', 10_000);
    expect(await result).toMatchObject({ state: 'failed', failures: [{ code: 'E_SHUTTING_DOWN' }] });
    scene.clock.advance(60_000);
    expect((await end).survivors).toEqual([]);
    expect(() => scene.supervisor.apply([a])).toThrow('the master is stopping');
  });

  test('refuses what does not hold together, and changes nothing', async () => {
    const scene = stage();
    await begin(scene, [a, b]);
    expect(() => scene.supervisor.apply([b])).toThrow('worker "b" depends on "a", which is not defined');
    expect(() => scene.supervisor.apply([a, a])).toThrow('is there already');
    expect(scene.supervisor.specs()).toEqual([a, b]);
    expect(scene.events).toEqual([]);
  });

  test('before anything has begun nothing is started', async () => {
    const scene = stage();
    scene.supervisor.add([a, b]);
    expect(await scene.supervisor.apply([workerSpec('z')])).toEqual({ state: 'done', failures: [] });
    expect(scene.supervisor.snapshots().map(({ id, phase }) => [id, phase])).toEqual([['z', 'stopped']]);
    const started = scene.supervisor.startAll();
    scene.clock.advance(100);
    await started;
    expect(scene.supervisor.snapshot('z').phase).toBe('running');
  });

  test('a completed worker runs again when it is to run something else, and only then', async () => {
    const scene = stage(fakeProgram({ ends: { after: 10, exit: { code: 0 } } }));
    await begin(scene, [a]);
    expect(scene.supervisor.snapshot('a')).toMatchObject({ completed: true, run: 1 });
    await settled(scene, scene.supervisor.apply([{ ...a, description: 'x' }]));
    expect(scene.supervisor.snapshot('a').run).toBe(1);
    await settled(scene, scene.supervisor.apply([other(a)]));
    expect(scene.supervisor.snapshot('a')).toMatchObject({ completed: true, run: 2 });
  });
});

describe('C2: from any workers to any others', () => {
  const ids = ['a', 'b', 'c', 'd', 'e'];
  /** Each depends on earlier ones of a shuffled order, so that edges may turn round between two drawings. */
  const drawn = fc
    .tuple(
      fc.shuffledSubarray(ids),
      fc.array(fc.record({ version: fc.nat(2), enabled: fc.nat(5), text: fc.nat(1), edges: fc.nat(31) }), {
        minLength: 5,
        maxLength: 5,
      }),
    )
    .map(([order, parts]) =>
      order.map((id, at) => {
        const { version, enabled, text, edges } = parts[at] as (typeof parts)[number];
        return workerSpec(id, {
          ...needs(...order.slice(0, at).filter((_other, bit) => ((edges >> bit) & 1) === 1)),
          enabled: enabled > 0,
          description: String(text),
          command: { ...a.command, argv: [id, String(version)] },
        });
      }),
    );

  test('a plan carried out comes to exactly these, touches no other, and keeps the order', {
    timeout: 600_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(
        drawn,
        fc.array(fc.tuple(drawn, fc.nat(300)), { minLength: 1, maxLength: 3 }),
        async (first, next) => {
          const scene = stage();
          await begin(scene, first);
          let before: readonly WorkerSpec[] = first;
          for (const [specs, span] of next.slice(0, -1)) {
            void scene.supervisor.apply(specs);
            scene.clock.advance(span);
            before = specs;
          }
          const last = next.at(-1)?.[0] ?? [];
          const isQuiet = next.length === 1;
          const runs = new Map(scene.supervisor.snapshots().map(({ id, run }) => [id, run]));
          const plan = planOf(before, last);
          scene.events.length = 0;
          const watch = isQuiet ? watchOrder(scene, before) : () => {};
          const result = await settled(scene, scene.supervisor.apply(last));
          watch();
          expect(result.state).toBe('done');
          scene.clock.advance(60_000);
          expect(scene.supervisor.specs()).toEqual(last);
          const now = scene.supervisor.snapshots();
          expect(now.map(({ id }) => id)).toEqual(last.map(({ id }) => id));
          const running = new Set(now.filter(({ phase }) => phase === 'running').map(({ id }) => id));
          for (const { id, enabled, dependsOn } of last) {
            const hasAll = dependsOn.every((needed) => running.has(needed.id));
            const { run } = scene.supervisor.snapshot(id);
            // Who runs already runs on without what it depends on.
            const ranOn = running.has(id) && run === runs.get(id);
            expect([id, running.has(id)]).toEqual([id, enabled && (hasAll || ranOn)]);
            const isUntouched = isQuiet && plan.unchanged.includes(id);
            if (isUntouched && (runs.get(id) ?? 0) > 0) expect([id, run]).toEqual([id, runs.get(id)]);
          }
          const living = scene.system
            .living()
            .map(({ tree }) => [tree.workerId, scene.versions.get(tree.mark)] as const);
          const wanted = now
            .filter(({ phase }) => phase === 'running')
            .map(({ id }) => [id, last.find((spec) => spec.id === id)?.command.argv[1]] as const);
          expect(new Map(living)).toEqual(new Map(wanted));
          expect(living).toHaveLength(wanted.length);
        },
      ),
      { seed: Number(process.env.HSU_SEED ?? 1), numRuns: process.env.HSU_LONG === '1' ? 5000 : 100 },
    );
  });
});

/** No worker that is ended goes before those of its dependents that are ended too; none starts on one that does not run. */
function watchOrder({ events, supervisor }: Scene, before: readonly WorkerSpec[]): () => void {
  const alive = new Set(
    supervisor
      .snapshots()
      .filter(({ phase }) => phase === 'running')
      .map(({ id }) => id),
  );
  const former = new Set(alive);
  return () => {
    const ended = new Set(
      events.filter(({ type }) => type === 'worker.stopping').map(({ workerId }) => workerId),
    );
    const after = new Map(supervisor.specs().map((spec) => [spec.id, spec]));
    for (const { type, workerId } of events) {
      const id = workerId ?? '';
      if (type === 'worker.exited') {
        alive.delete(id);
        former.delete(id);
      }
      if (type === 'worker.stopping') {
        const holders = before.filter(
          (spec) =>
            former.has(spec.id) && ended.has(spec.id) && spec.dependsOn.some((needed) => needed.id === id),
        );
        expect(holders.map((spec) => spec.id)).toEqual([]);
      }
      if (type !== 'worker.started') continue;
      for (const needed of after.get(id)?.dependsOn ?? []) expect([...alive]).toContain(needed.id);
      alive.add(id);
    }
  };
}
