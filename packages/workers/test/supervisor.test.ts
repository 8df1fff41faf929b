import {
  type Dependency,
  HsuError,
  type HsuEvent,
  type Milliseconds,
  type RunHook,
  type TicketOutcome,
} from '@hsu-master/core';
import {
  FakeClock,
  FakeCollector,
  FakeHost,
  FakeJournal,
  type FakeProcess,
  type FakeProgram,
  FakeSystem,
  fakeProgram,
  programsByName,
  restartRule,
  workerSpec,
} from '@hsu-master/testkit';
import { describe, expect, it } from 'vitest';
import { Supervisor } from '../src/supervisor.ts';

/** A supervisor over fake programs, with what the tests look at. */
function stage(
  programs: Record<string, FakeProgram>,
  hooks: readonly RunHook[] = [],
  journal = new FakeJournal(),
) {
  const clock = new FakeClock();
  const system = new FakeSystem(clock);
  const host = new FakeHost(system, programsByName(programs));
  const supervisor = new Supervisor({
    host,
    clock,
    hooks,
    collector: new FakeCollector(),
    journal,
    instance: 'i',
    masterId: 'm',
  });
  const events: HsuEvent[] = [];
  supervisor.events.subscribe((event) => events.push(event));
  const of = (id: string) => events.filter((event) => event.workerId === id).map((event) => event.type);
  const phase = (id: string) => supervisor.snapshot(id).phase;
  return { clock, system, host, supervisor, events, of, phase, journal };
}

async function begin(scene: ReturnType<typeof stage>, span = 0): Promise<void> {
  const started = scene.supervisor.startAll();
  scene.clock.advance(0);
  await started;
  scene.clock.advance(span);
}

async function outcome(
  scene: ReturnType<typeof stage>,
  ticket: Promise<TicketOutcome>,
  span: number,
): Promise<string> {
  scene.clock.advance(span);
  return Promise.race([
    ticket.then(({ kind }) => kind),
    Promise.resolve().then(() => Promise.resolve('pending')),
  ]);
}

const on = (id: string, differs: Partial<Dependency> = {}): Dependency => ({
  id,
  condition: 'started',
  restart: false,
  ...differs,
});

/** The graces that runs of this host are asked with. */
function watchAsking(host: FakeHost): readonly (Milliseconds | null)[] {
  const graces: (Milliseconds | null)[] = [];
  const spawn = host.spawn.bind(host);
  host.spawn = (...given) => {
    const run = spawn(...given);
    const signalTree = run.signalTree.bind(run);
    run.signalTree = (signal, grace = null) => {
      graces.push(grace);
      signalTree(signal);
    };
    return run;
  };
  return graces;
}

/** Becomes ready when told to. */
function readiness(): { hook: RunHook; say(id: string, ready: boolean): void } {
  const told = new Map<string, (ready: boolean) => void>();
  return {
    hook: {
      name: 'readiness',
      begin: ({ spec, tell }) => {
        told.set(spec.id, (ready) =>
          tell(ready ? { kind: 'became-ready' } : { kind: 'became-unready', reason: 'HTTP 503' }),
        );
        return () => told.delete(spec.id);
      },
    },
    say: (id, ready) => told.get(id)?.(ready),
  };
}

const probe = {
  check: { type: 'process' },
  interval: 1000,
  timeout: 500,
  initialDelay: 0,
  failureThreshold: 1,
  successThreshold: 1,
} as const;
const probed = { startup: null, liveness: null, readiness: probe };

describe('adding workers', () => {
  it('D9: refuses circles, missing dependencies and doubles, and takes in nothing', () => {
    const { supervisor } = stage({});
    const code = (add: () => void): string => {
      try {
        add();
      } catch (error) {
        return (error as HsuError).code;
      }
      return 'accepted';
    };
    const a = workerSpec('a', { dependsOn: [on('b')] });
    const b = workerSpec('b', { dependsOn: [on('a')] });
    expect(code(() => supervisor.add([a, b]))).toBe('E_CYCLE');
    expect(code(() => supervisor.add([a]))).toBe('E_MISSING_DEPENDENCY');
    expect(code(() => supervisor.add([workerSpec('c'), workerSpec('c')]))).toBe('E_DUPLICATE_WORKER');
    expect(supervisor.snapshots()).toEqual([]);
    expect(code(() => supervisor.snapshot('nobody'))).toBe('E_UNKNOWN_WORKER');
  });
});

describe('commands', () => {
  it('C1: a hundred starts at once make one process', async () => {
    const scene = stage({ web: fakeProgram() });
    scene.supervisor.add([workerSpec('web')]);
    const tickets = Array.from({ length: 100 }, () => scene.supervisor.start('web'));
    scene.clock.advance(100);
    const kinds = (await Promise.all(tickets)).map(({ kind }) => kind);
    expect(new Set(kinds)).toEqual(new Set(['done']));
    expect(scene.of('web').filter((type) => type === 'worker.started')).toHaveLength(1);
    expect(await scene.supervisor.start('web')).toEqual({ kind: 'done', already: true });
  });

  it('C3: a stop while waiting for a dependency or in backoff rests at once, and nothing starts later', async () => {
    const { hook } = readiness();
    const scene = stage(
      { db: fakeProgram(), web: fakeProgram(), bad: fakeProgram({ ends: { after: 10, exit: { code: 1 } } }) },
      [hook],
    );
    scene.supervisor.add([
      workerSpec('db', { probes: probed }),
      workerSpec('web', { dependsOn: [on('db', { condition: 'ready' })] }),
      workerSpec('bad'),
    ]);
    await begin(scene, 100);
    expect(scene.phase('web')).toBe('blocked');
    expect(scene.phase('bad')).toBe('backoff');
    expect(await outcome(scene, scene.supervisor.stop('web'), 0)).toBe('done');
    expect(await outcome(scene, scene.supervisor.stop('bad'), 0)).toBe('done');
    scene.clock.advance(600_000);
    expect(scene.of('web')).not.toContain('worker.starting');
    expect(scene.of('bad').filter((type) => type === 'worker.starting')).toHaveLength(1);
  });

  it('D6: what the operator stopped stays stopped under the next master', async () => {
    const journal = new FakeJournal();
    const first = stage({ web: fakeProgram() }, [], journal);
    first.supervisor.add([workerSpec('web')]);
    await begin(first, 10);
    expect(await outcome(first, first.supervisor.stop('web'), 10)).toBe('done');
    const second = stage({ web: fakeProgram() }, [], new FakeJournal(journal));
    second.supervisor.add([workerSpec('web')]);
    await begin(second, 10);
    expect(second.phase('web')).toBe('stopped');
    expect(await outcome(second, second.supervisor.start('web'), 10)).toBe('done');
    const third = stage({ web: fakeProgram() }, [], new FakeJournal(second.journal));
    third.supervisor.add([workerSpec('web')]);
    // Each stage is a machine of its own: its run is gone, and is followed by the next.
    await begin(third, 2000);
    expect(third.phase('web')).toBe('running');
  });

  it('a master that is stopped keeps its workers’ wishes', async () => {
    const scene = stage({ web: fakeProgram() });
    scene.supervisor.add([workerSpec('web')]);
    await begin(scene, 10);
    const ended = scene.supervisor.shutdown('test', 1000);
    scene.clock.advance(100);
    await ended;
    expect(scene.journal.desired('web')).not.toBe('down');
  });
});

describe('dependencies', () => {
  it('D7: a dependency that is never ready blocks its dependents, and they say why', async () => {
    const { hook, say } = readiness();
    const scene = stage({ db: fakeProgram(), web: fakeProgram() }, [hook]);
    scene.supervisor.add([
      workerSpec('web', { dependsOn: [on('db', { condition: 'ready' })] }),
      workerSpec('db', { probes: probed }),
    ]);
    await begin(scene, 100);
    say('db', false);
    expect(scene.supervisor.snapshot('web').waiting).toEqual([
      { id: 'db', condition: 'ready', reason: 'not ready: HTTP 503' },
    ]);
    say('db', true);
    scene.clock.advance(10);
    expect(scene.phase('web')).toBe('running');
  });

  it('`completed` waits for an exit with success', async () => {
    const scene = stage({
      migrate: fakeProgram({ ends: { after: 500, exit: { code: 0 } } }),
      web: fakeProgram(),
    });
    scene.supervisor.add([
      workerSpec('migrate'),
      workerSpec('web', { dependsOn: [on('migrate', { condition: 'completed' })] }),
    ]);
    await begin(scene, 400);
    expect(scene.phase('web')).toBe('blocked');
    scene.clock.advance(200);
    expect(scene.phase('web')).toBe('running');
    expect(scene.supervisor.snapshot('migrate').completed).toBe(true);
  });

  it.each(['restart', 'its own death'])(
    'D8: dependents with restart follow a dependency’s %s',
    async (how) => {
      const scene = stage({ db: fakeProgram(), web: fakeProgram(), other: fakeProgram() });
      scene.supervisor.add([
        workerSpec('db', { restart: { ...workerSpec('x').restart, exit: restartRule({ delay: 100 }) } }),
        workerSpec('web', { dependsOn: [on('db', { restart: true })] }),
        workerSpec('other', { dependsOn: [on('db')] }),
      ]);
      await begin(scene, 100);
      if (how === 'restart') void scene.supervisor.restart('db');
      else scene.system.signal(scene.system.living('db')[0] as FakeProcess, 'SIGKILL');
      scene.clock.advance(10_000);
      expect(scene.supervisor.snapshot('db').run).toBe(2);
      expect(scene.supervisor.snapshot('web')).toMatchObject({ phase: 'running', run: 2, restarts: 0 });
      expect(scene.supervisor.snapshot('other')).toMatchObject({ phase: 'running', run: 1 });
    },
  );
});

describe('shutdown', () => {
  it('D10: ends dependents first, and the rest in parallel', async () => {
    const slow = fakeProgram({ endsOnSignal: 1000 });
    const scene = stage({ db: slow, web: slow, side: slow });
    scene.supervisor.add([
      workerSpec('db'),
      workerSpec('web', { dependsOn: [on('db')] }),
      workerSpec('side'),
    ]);
    await begin(scene, 100);
    const startedAt = scene.clock.wallNow();
    const ended = scene.supervisor.shutdown('test', 60_000);
    scene.clock.advance(5000);
    expect(await ended).toEqual({ survivors: [], forced: false });
    const stopped = scene.events
      .filter((event) => event.type === 'worker.stopped')
      .map((event) => event.workerId);
    expect(new Set(stopped.slice(0, 2))).toEqual(new Set(['web', 'side']));
    expect(stopped[2]).toBe('db');
    const last = scene.events.at(-1);
    expect(last?.type).toBe('supervisor.stopped');
    expect((last?.at ?? 0) - startedAt).toBeLessThan(2500);
    expect(scene.system.living()).toEqual([]);
  });

  it('the deadline kills what is left, and survivors are named', async () => {
    const stubborn = fakeProgram({ endsOnSignal: null });
    const immortal = fakeProgram({ endsOnSignal: null, killTakes: 3_600_000 });
    const scene = stage({ stubborn, immortal });
    const stop = { signal: 'SIGTERM', grace: 600_000 } as const;
    scene.supervisor.add([workerSpec('stubborn', { stop }), workerSpec('immortal', { stop })]);
    await begin(scene, 100);
    const pid = scene.supervisor.snapshot('immortal').process?.pid;
    const ended = scene.supervisor.shutdown('test', 2000);
    scene.clock.advance(10_000);
    const { survivors, forced } = await ended;
    expect(forced).toBe(true);
    expect(survivors.map(({ workerId, process }) => [workerId, process.pid])).toEqual([['immortal', pid]]);
    // What the fake system still has to do, and nothing of the supervisor.
    expect(scene.clock.pending).toBe(1);
  });

  it('H8: who is asked while it stops has what its deadline leaves, and no longer grace', async () => {
    const slow = fakeProgram({ endsOnSignal: 1500 });
    const scene = stage({ db: slow, web: slow });
    const asked = watchAsking(scene.host);
    const stop = { signal: 'SIGTERM', grace: 20_000 } as const;
    scene.supervisor.add([workerSpec('db', { stop }), workerSpec('web', { stop, dependsOn: [on('db')] })]);
    await begin(scene, 100);
    const ended = scene.supervisor.shutdown('test', 4000);
    scene.clock.advance(4000);
    expect(await ended).toMatchObject({ forced: false });
    expect(asked).toEqual([4000, 2500]);
  });

  it('a forced stop that is over leaves no timer behind to hold the program', async () => {
    const scene = stage({ stubborn: fakeProgram({ endsOnSignal: null }) });
    const stop = { signal: 'SIGTERM', grace: 600_000 } as const;
    scene.supervisor.add([workerSpec('stubborn', { stop })]);
    await begin(scene, 100);
    const ended = scene.supervisor.shutdown('test', 60_000);
    scene.clock.advance(100);
    scene.supervisor.force();
    scene.clock.advance(100);
    expect(await ended).toEqual({ survivors: [], forced: true });
    expect(scene.clock.pending).toBe(0);
  });

  it('workers in backoff or blocked rest at once and are not started again', async () => {
    const bad = fakeProgram({ ends: { after: 10, exit: { code: 1 } } });
    const scene = stage({ bad, web: fakeProgram({ endsOnSignal: 3000 }) });
    scene.supervisor.add([workerSpec('bad'), workerSpec('web', { dependsOn: [on('bad')] })]);
    await begin(scene, 100);
    expect(scene.phase('bad')).toBe('backoff');
    const ended = scene.supervisor.shutdown('test', 60_000);
    scene.clock.advance(4000);
    await ended;
    expect(scene.of('bad').filter((type) => type === 'worker.starting')).toHaveLength(1);
  });

  it('refuses starts while it stops', async () => {
    const scene = stage({ web: fakeProgram({ endsOnSignal: 1000 }) });
    scene.supervisor.add([workerSpec('web')]);
    await begin(scene, 100);
    void scene.supervisor.shutdown('test', 60_000);
    expect(await scene.supervisor.start('web')).toMatchObject({
      kind: 'failed',
      failure: { code: 'E_SHUTTING_DOWN' },
    });
  });
});

describe('robustness', () => {
  it('a start that a stop overtook and a restart wanted again is made, and is no failure', async () => {
    const scene = stage({ web: fakeProgram() });
    scene.supervisor.add([workerSpec('web', { restart: { ...workerSpec('x').restart, mode: 'never' } })]);
    await begin(scene);
    void scene.supervisor.stop('web');
    const ticket = scene.supervisor.restart('web');
    expect(await outcome(scene, ticket, 1000)).toBe('done');
    expect(scene.phase('web')).toBe('running');
  });

  it('a journal that throws at the end of a run keeps no worker from its next one', async () => {
    const journal = new FakeJournal();
    journal.forgetRun = () => {
      throw new Error('disk full');
    };
    const scene = stage({ web: fakeProgram({ ends: { after: 10, exit: { code: 1 } } }) }, [], journal);
    scene.supervisor.add([workerSpec('web')]);
    await begin(scene, 5000);
    expect(scene.of('web').filter((type) => type === 'worker.starting').length).toBeGreaterThan(1);
    expect(scene.events.map(({ type }) => type)).toContain('supervisor.defect');
  });

  it('a start that is never answered cannot hold the stop for ever', async () => {
    const scene = stage({ web: fakeProgram() });
    const { spawn } = scene.host;
    scene.host.spawn = (request) => spawn.call(scene.host, request, () => undefined);
    scene.supervisor.add([workerSpec('web')]);
    await begin(scene, 100);
    const ended = scene.supervisor.shutdown('test', 1000);
    scene.clock.advance(20_000);
    expect(await ended).toMatchObject({ forced: true });
  });
});
