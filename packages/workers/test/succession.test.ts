import type { HsuEvent, RunHook, WorkerSpec } from '@hsu-master/core';
import {
  altered,
  FakeClock,
  FakeCollector,
  FakeHost,
  FakeJournal,
  type FakeProgram,
  FakeSystem,
  fakeExit,
  fakeProgram,
  limitResponse,
  limitsSpec,
  programsByName,
  restartRule,
  workerSpec,
} from '@hsu-master/testkit';
import { describe, expect, it } from 'vitest';
import { Supervisor } from '../src/supervisor.ts';

const PROBE = {
  check: { type: 'process' },
  interval: 1000,
  timeout: 500,
  initialDelay: 0,
  failureThreshold: 1,
  successThreshold: 1,
} as const;

/** One master of a line of them. */
interface Reign {
  readonly supervisor: Supervisor;
  readonly host: FakeHost;
  readonly journal: FakeJournal;
  readonly events: readonly HsuEvent[];
  of(id: string): readonly string[];
}

/** Has no descriptor free for so many attempts to attach. */
class ShortHost extends FakeHost {
  refusals = 0;
  looked: () => void = () => {};

  override findMarked(beginning: string): ReturnType<FakeHost['findMarked']> {
    this.looked();
    return super.findMarked(beginning);
  }

  override attach(...asked: Parameters<FakeHost['attach']>): ReturnType<FakeHost['attach']> {
    if (this.refusals === 0) return super.attach(...asked);
    this.refusals -= 1;
    throw new Error('EMFILE: too many open files');
  }
}

/** A machine on which masters come and go. */
class Line {
  /** How many attempts to attach are refused to the next master. */
  refusals = 0;
  /** Whether the next master finds that what was written down is not whole. */
  lacks = false;
  /** How often a master has looked for what nobody remembers. */
  looks = 0;
  readonly clock = new FakeClock();
  readonly system = new FakeSystem(this.clock);
  readonly #programs: Record<string, FakeProgram>;
  readonly #hooks: readonly RunHook[];
  #masters = 0;
  #last: FakeJournal | undefined;

  constructor(programs: Record<string, FakeProgram>, hooks: readonly RunHook[] = []) {
    this.#programs = programs;
    this.#hooks = hooks;
  }

  /** The next master; the one before must be dead. */
  async next(
    specs: readonly WorkerSpec[],
    lost: 'reboot' | 'deleted' | null = null,
    instance = 'i',
  ): Promise<Reign> {
    const { clock, system } = this;
    this.#masters += 1;
    const journal = new FakeJournal(this.#last, lost);
    if (this.lacks) journal.mayLack = () => true;
    this.#last = journal;
    const host = new ShortHost(system, programsByName(this.#programs));
    host.refusals = this.refusals;
    host.looked = () => (this.looks += 1);
    const masterId = `m${this.#masters}`;
    const collector = new FakeCollector();
    const hooks = this.#hooks;
    const supervisor = new Supervisor({ host, clock, hooks, collector, journal, instance, masterId });
    const events: HsuEvent[] = [];
    supervisor.events.subscribe((event) => events.push(event));
    supervisor.add(specs);
    await supervisor.startAll();
    clock.advance(0);
    const of = (id: string) => events.filter((event) => event.workerId === id).map((event) => event.type);
    return { supervisor, host, journal, events, of };
  }

  kill({ host }: Reign): void {
    host.close();
  }

  reboot(reign: Reign): void {
    this.kill(reign);
    for (const process of this.system.living()) this.system.end(process, fakeExit({ signal: 'SIGKILL' }));
  }

  pids(): readonly number[] {
    return this.system.living().map(({ pid }) => pid);
  }
}

const crashes = fakeProgram({ ends: { after: 100, exit: { code: 1 } } });

describe('a master that is killed, and the next', () => {
  it('H1: what runs goes on under the next master: the same process, run and counters, and no second one', async () => {
    const line = new Line({ web: fakeProgram() });
    const first = await line.next([workerSpec('web')]);
    line.system.signal(line.system.living('web')[0] as never, 'SIGKILL');
    line.clock.advance(5000);
    const before = first.supervisor.snapshot('web');
    const pids = line.pids();
    expect(before).toMatchObject({ phase: 'running', run: 2, restarts: 1 });
    line.kill(first);
    line.clock.advance(60_000);
    const second = await line.next([workerSpec('web')]);
    expect(line.pids()).toEqual(pids);
    expect(second.of('web').slice(0, 1)).toEqual(['worker.attached']);
    expect(second.supervisor.snapshot('web')).toMatchObject({
      phase: 'running',
      run: 2,
      restarts: 1,
      process: before.process,
      since: before.since,
    });
  });

  it('a later exit is noticed, and the run after it is the next one', async () => {
    const line = new Line({ web: fakeProgram() });
    line.kill(await line.next([workerSpec('web')]));
    const second = await line.next([workerSpec('web')]);
    line.system.signal(line.system.living('web')[0] as never, 'SIGKILL');
    line.clock.advance(2000);
    expect(second.of('web')).toEqual([
      'worker.attached',
      'worker.exited',
      'worker.backing-off',
      'worker.starting',
      'worker.started',
      'worker.ready',
    ]);
    expect(second.supervisor.snapshot('web')).toMatchObject({ run: 2, restarts: 1 });
  });

  it('what ended while no master ran has an unknown exit, which is no success', async () => {
    const line = new Line({ web: fakeProgram({ ends: { after: 1000, exit: { code: 0 } } }) });
    line.kill(await line.next([workerSpec('web')]));
    line.clock.advance(5000);
    const second = await line.next([workerSpec('web')]);
    line.clock.advance(0);
    expect(second.events.find(({ type }) => type === 'worker.exited')?.payload).toMatchObject({
      exit: { code: null, signal: null },
      success: false,
    });
    expect(second.supervisor.snapshot('web').phase).toBe('backoff');
  });

  it('a backoff goes on waiting for its rest', async () => {
    const rule = restartRule({ delay: 10_000, maxDelay: 10_000 });
    const base = workerSpec('web');
    const spec = { ...base, restart: { ...base.restart, exit: rule } };
    const line = new Line({ web: crashes });
    const first = await line.next([spec]);
    line.clock.advance(3000);
    expect(first.supervisor.snapshot('web').phase).toBe('backoff');
    line.kill(first);
    line.clock.advance(4000);
    const second = await line.next([spec]);
    expect(second.events.find(({ type }) => type === 'worker.backing-off')?.payload).toMatchObject({
      delay: 3100,
      failures: 1,
    });
    line.clock.advance(3050);
    expect(second.of('web')).not.toContain('worker.starting');
    line.clock.advance(100);
    expect(second.of('web')).toContain('worker.starting');
    expect(second.supervisor.snapshot('web').run).toBe(2);
  });

  it('A16: a breaker that is open stays so for the next master, and for the next boot, until its time is over', async () => {
    const rule = restartRule({ maxRetries: 1, delay: 0, coolDown: 60_000 });
    const base = workerSpec('web');
    const spec = { ...base, restart: { ...base.restart, exit: rule } };
    const line = new Line({ web: crashes });
    const first = await line.next([spec]);
    line.clock.advance(1000);
    expect(first.supervisor.snapshot('web')).toMatchObject({ phase: 'backoff', breaker: 'open' });
    line.kill(first);
    const second = await line.next([spec]);
    expect(second.supervisor.snapshot('web')).toMatchObject({ phase: 'backoff', breaker: 'open' });
    line.reboot(second);
    line.clock.advance(20_000);
    const third = await line.next([spec], 'reboot');
    expect(third.supervisor.snapshot('web')).toMatchObject({ phase: 'backoff', breaker: 'open', run: 0 });
    line.clock.advance(38_000);
    expect(third.of('web')).not.toContain('worker.starting');
    line.clock.advance(2000);
    expect(third.of('web')).toContain('worker.starting');
  });

  it('what was given up stays so after a kill and a reboot, and a start forgives it', async () => {
    const rule = restartRule({ maxRetries: 1, delay: 0, giveUp: true });
    const base = workerSpec('web');
    const spec = { ...base, restart: { ...base.restart, exit: rule } };
    const line = new Line({ web: crashes });
    const first = await line.next([spec]);
    line.clock.advance(1000);
    line.kill(first);
    const second = await line.next([spec]);
    expect(second.supervisor.snapshot('web').failure?.code).toBe('E_GAVE_UP');
    line.reboot(second);
    const third = await line.next([spec], 'reboot');
    expect(third.supervisor.snapshot('web').failure?.code).toBe('E_GAVE_UP');
    void third.supervisor.start('web');
    line.clock.advance(50);
    expect(third.supervisor.snapshot('web').phase).toBe('running');
    expect(third.journal.judgement('web')).toBeNull();
  });

  it('a reboot adopts nothing and begins to count restarts anew, but not runs', async () => {
    const line = new Line({ web: fakeProgram() });
    line.reboot(await line.next([workerSpec('web')]));
    const second = await line.next([workerSpec('web')], 'reboot');
    line.clock.advance(10);
    expect(second.of('web').slice(0, 2)).toEqual(['worker.starting', 'worker.started']);
    expect(second.supervisor.snapshot('web')).toMatchObject({ run: 2, restarts: 0 });
  });

  it('what the operator stopped stays stopped', async () => {
    const line = new Line({ web: fakeProgram() });
    const first = await line.next([workerSpec('web')]);
    void first.supervisor.stop('web');
    line.clock.advance(10);
    line.kill(first);
    const second = await line.next([workerSpec('web')]);
    line.clock.advance(1000);
    expect([second.of('web'), line.pids()]).toEqual([[], []]);
  });

  it('a stop that was under way is begun anew, with its whole grace', async () => {
    const line = new Line({ web: fakeProgram({ endsOnSignal: null }) });
    const first = await line.next([workerSpec('web')]);
    void first.supervisor.stop('web');
    line.clock.advance(4000);
    line.kill(first);
    const second = await line.next([workerSpec('web')]);
    line.clock.advance(4900);
    expect(second.of('web')).toEqual(['worker.attached', 'worker.stopping']);
    line.clock.advance(200);
    expect(second.of('web')).toEqual([
      'worker.attached',
      'worker.stopping',
      'worker.killed',
      'worker.exited',
      'worker.stopped',
    ]);
    line.clock.advance(60_000);
    expect(line.pids()).toEqual([]);
  });

  it('a master that was killed in its final stop is followed by one that has everything up', async () => {
    const line = new Line({ web: fakeProgram({ endsOnSignal: 1000 }), db: fakeProgram() });
    const specs = [
      workerSpec('web', { dependsOn: [{ id: 'db', condition: 'started', restart: false }] }),
      workerSpec('db'),
    ];
    const first = await line.next(specs);
    line.clock.advance(100);
    void first.supervisor.shutdown('test', 60_000);
    line.clock.advance(500);
    line.kill(first);
    const second = await line.next(specs);
    line.clock.advance(5000);
    expect(second.supervisor.snapshots().map(({ phase }) => phase)).toEqual(['running', 'running']);
    expect(line.pids()).toHaveLength(2);
  });

  it('a worker with another command is attached to, then restarted in order; other limits and probes hold at once', async () => {
    const line = new Line({ web: fakeProgram(), other: fakeProgram() });
    line.kill(await line.next([workerSpec('web')]));
    const second = await line.next([
      workerSpec('web', { command: { ...workerSpec('web').command, argv: ['other'] } }),
    ]);
    line.clock.advance(100);
    expect(second.of('web')).toEqual([
      'worker.attached',
      'worker.stopping',
      'worker.exited',
      'worker.starting',
      'worker.started',
      'worker.ready',
    ]);
    expect(second.events.find(({ type }) => type === 'worker.stopping')?.payload).toEqual({
      cause: 'restart',
      detail: 'its configuration changed',
    });
    expect(second.supervisor.snapshot('web')).toMatchObject({ run: 2, restarts: 0 });
    line.kill(second);
    const limits = limitsSpec({ values: { 'memory.max_rss': 1000 } }, limitResponse());
    const argv = ['other'] as const;
    const third = await line.next([
      workerSpec('web', { command: { ...workerSpec('web').command, argv }, limits }),
    ]);
    expect(third.of('web')).toEqual(['worker.attached']);
    expect(third.supervisor.snapshot('web').limits).toMatchObject([
      { limit: 'memory.max_rss', status: 'enforced' },
    ]);
  });

  it('a worker that is disabled now is stopped, one that is not configured is ended without one', async () => {
    const line = new Line({ web: fakeProgram(), old: fakeProgram() });
    line.kill(await line.next([workerSpec('web'), workerSpec('old')]));
    const second = await line.next([workerSpec('web', { enabled: false })]);
    line.clock.advance(100);
    expect(line.pids()).toEqual([]);
    expect(second.supervisor.snapshot('web').phase).toBe('stopped');
    expect(second.of('old')).toEqual(['supervisor.left-over-ended']);
    line.kill(second);
    const third = await line.next([workerSpec('web'), workerSpec('old')]);
    line.clock.advance(100);
    expect(third.supervisor.snapshot('web').phase).toBe('running');
    expect(third.supervisor.snapshot('old')).toMatchObject({ phase: 'running', run: 2 });
  });

  it('one that is not configured and cannot be ended is named at the stop, and no timer for it holds the program', async () => {
    const line = new Line({ old: fakeProgram({ endsOnSignal: null, killTakes: 3_600_000 }) });
    line.kill(await line.next([workerSpec('old')]));
    const second = await line.next([]);
    const ended = second.supervisor.shutdown('test', 2000);
    line.clock.advance(60_000);
    expect((await ended).survivors).toMatchObject([{ workerId: 'old' }]);
    // What the fake system still has to do, and nothing of the supervisor.
    expect(line.clock.pending).toBe(1);
  });

  it('a command for another run of the same pid reaches nobody', async () => {
    const line = new Line({ web: fakeProgram() });
    const first = await line.next([workerSpec('web')]);
    const [web] = line.system.living('web');
    line.kill(first);
    if (web === undefined) throw new Error('nothing began');
    line.system.end(web, fakeExit({ code: 0 }));
    line.system.passBy(web.pid);
    const stranger = line.system.create({ mark: 'stranger', workerId: null, run: 0 }, fakeProgram(), null);
    expect(stranger.pid).toBe(web.pid);
    const second = await line.next([workerSpec('web')]);
    line.clock.advance(60_000);
    void second.supervisor.shutdown('test', 1000);
    line.clock.advance(10_000);
    expect(line.system.living()).toEqual([stranger]);
  });

  it('readiness stays as it was until a probe says otherwise, so that dependents are not bothered', async () => {
    const seen: boolean[] = [];
    const hook: RunHook = {
      name: 'readiness',
      begin: ({ startedUp, tell }) => {
        seen.push(startedUp);
        if (!startedUp) tell({ kind: 'became-ready' });
        return () => {};
      },
    };
    const line = new Line({ db: fakeProgram(), web: fakeProgram() }, [hook]);
    const specs = [
      workerSpec('db', { probes: { startup: null, liveness: null, readiness: PROBE } }),
      workerSpec('web', { dependsOn: [{ id: 'db', condition: 'ready', restart: true }] }),
    ];
    const first = await line.next(specs);
    line.clock.advance(100);
    line.kill(first);
    const second = await line.next(specs);
    line.clock.advance(100);
    expect(second.events.map(({ type }) => type)).toEqual([
      'supervisor.started',
      'worker.attached',
      'worker.attached',
    ]);
    expect(second.supervisor.snapshots().map(({ ready }) => ready)).toEqual([true, true]);
    expect(seen).toEqual([false, false, true, true]);
  });

  it('a dependent with restart follows a dependency that ended while no master ran', async () => {
    const line = new Line({ db: fakeProgram(), web: fakeProgram() });
    const specs = [
      workerSpec('db'),
      workerSpec('web', { dependsOn: [{ id: 'db', condition: 'started', restart: true }] }),
    ];
    const first = await line.next(specs);
    line.clock.advance(100);
    line.kill(first);
    line.system.signal(line.system.living('db')[0] as never, 'SIGKILL');
    const second = await line.next(specs);
    line.clock.advance(5000);
    expect(second.supervisor.snapshots().map(({ phase, run }) => [phase, run])).toEqual([
      ['running', 2],
      ['running', 2],
    ]);
  });

  it('a job that has completed is not done again, and what waits for it begins', async () => {
    const line = new Line({
      job: fakeProgram({ ends: { after: 10, exit: { code: 0 } } }),
      web: fakeProgram(),
    });
    const first = await line.next([workerSpec('job')]);
    line.clock.advance(100);
    line.kill(first);
    const second = await line.next([
      workerSpec('job'),
      workerSpec('web', { dependsOn: [{ id: 'job', condition: 'completed', restart: false }] }),
    ]);
    line.clock.advance(100);
    expect(second.of('job')).toEqual(['worker.stopped']);
    expect(second.supervisor.snapshot('web').phase).toBe('running');
  });

  it('what cannot be attached to for now is not begun a second time, and is attached to as soon as it can be', async () => {
    const begun: number[] = [];
    const hook: RunHook = { name: 'watch', begin: ({ run }) => (begun.push(run), () => {}) };
    const line = new Line({ web: fakeProgram(), db: fakeProgram() }, [hook]);
    const specs = [workerSpec('db'), workerSpec('web')];
    line.kill(await line.next(specs));
    const pids = line.pids();
    begun.length = 0;
    line.refusals = 3;
    const second = await line.next(specs);
    expect(second.supervisor.snapshots().map(({ phase }) => phase)).toEqual(['running', 'running']);
    expect(begun).toEqual([]);
    line.clock.advance(5000);
    expect(line.pids()).toEqual(pids);
    expect(begun).toEqual([1, 1]);
    line.system.signal(line.system.living('web')[0] as never, 'SIGKILL');
    line.clock.advance(2000);
    expect(second.supervisor.snapshot('web')).toMatchObject({ phase: 'running', run: 2, restarts: 1 });
    expect(line.system.living('web')).toHaveLength(1);
  });

  it('a stop of what cannot be attached to for now is not over before its process has ended', async () => {
    const line = new Line({ web: fakeProgram() });
    line.kill(await line.next([workerSpec('web')]));
    line.refusals = 100;
    const second = await line.next([workerSpec('web')]);
    let outcome: unknown = null;
    void second.supervisor.stop('web').then((how) => {
      outcome = how;
    });
    line.clock.advance(15_000);
    await Promise.resolve();
    expect(outcome).toMatchObject({ kind: 'failed', failure: { code: 'E_SURVIVORS' } });
    expect(second.supervisor.snapshot('web').phase).toBe('stopping');
    expect(line.pids()).toHaveLength(1);
    line.clock.advance(60_000);
    await Promise.resolve();
    expect(line.pids()).toEqual([]);
    expect(second.supervisor.snapshot('web').phase).toBe('stopped');
  });

  it('one that is not configured and cannot be attached to for now keeps nobody from going on, and is ended later', async () => {
    const line = new Line({ web: fakeProgram(), gone: fakeProgram() });
    line.kill(await line.next([workerSpec('gone'), workerSpec('web')]));
    line.refusals = 1;
    const second = await line.next([workerSpec('web')]);
    expect(second.of('web').slice(0, 1)).toEqual(['worker.attached']);
    expect(line.pids()).toHaveLength(2);
    line.clock.advance(1000);
    expect(line.system.living('gone')).toEqual([]);
    expect(line.system.living('web')).toHaveLength(1);
  });

  it('a master that leaves meanwhile attaches to nothing any more', async () => {
    const line = new Line({ web: fakeProgram() });
    line.kill(await line.next([workerSpec('web')]));
    line.refusals = 1;
    const second = await line.next([workerSpec('web')]);
    second.supervisor.leave('test');
    expect(line.clock.pending).toBe(0);
    expect(line.pids()).toHaveLength(1);
  });

  it('after an ordered stop everything begins anew but the numbers of runs', async () => {
    const line = new Line({ web: crashes });
    const first = await line.next([workerSpec('web')]);
    line.clock.advance(5000);
    void first.supervisor.shutdown('test', 1000);
    line.clock.advance(2000);
    line.kill(first);
    const before = first.supervisor.snapshot('web').run;
    expect(before).toBeGreaterThan(1);
    const second = await line.next([workerSpec('web')]);
    expect(second.supervisor.snapshot('web').run).toBe(before + 1);
    line.clock.advance(10);
    expect(second.supervisor.snapshot('web')).toMatchObject({
      phase: 'running',
      run: before + 1,
      restarts: 0,
      failuresInARow: 0,
    });
  });

  it('a record that cannot be read is told, and what is known is believed', async () => {
    const line = new Line({ web: fakeProgram() });
    const first = await line.next([workerSpec('web')]);
    line.clock.advance(100);
    line.kill(first);
    const refusals = [{ file: '/run/runs.log', records: 1, reason: 'damaged' }];
    const supervisor = new Supervisor({
      host: new FakeHost(line.system, programsByName({ web: fakeProgram() })),
      clock: line.clock,
      hooks: [],
      collector: new FakeCollector(),
      journal: altered(new FakeJournal(first.journal), { refusals: () => refusals, memos: () => new Map() }),
      instance: 'i',
      masterId: 'm2',
    });
    const events: HsuEvent[] = [];
    supervisor.events.subscribe((event) => events.push(event));
    supervisor.add([workerSpec('web')]);
    await supervisor.startAll();
    expect(events.map(({ type }) => type)).toEqual([
      'supervisor.started',
      'supervisor.journal-refused',
      'worker.attached',
    ]);
    expect(line.pids()).toHaveLength(1);
  });
});

describe('run records that were deleted under a killed master', () => {
  const isAlone = ({ system }: Line): boolean => system.living().length === 1;

  it('H3: what runs is known by its mark and ended, and only then the worker starts again', async () => {
    const line = new Line({ web: fakeProgram({ endsOnSignal: 500 }) });
    line.kill(await line.next([workerSpec('web')]));
    const [old] = line.pids();
    const second = await line.next([workerSpec('web')], 'deleted');
    expect(second.supervisor.snapshot('web')).toMatchObject({ phase: 'blocked' });
    expect(second.supervisor.snapshot('web').doing).toContain(
      `earlier master left of it to end (pid ${old})`,
    );
    line.clock.advance(400);
    expect(line.pids()).toEqual([old]);
    line.clock.advance(5000);
    expect(isAlone(line)).toBe(true);
    expect(line.pids()).not.toEqual([old]);
    expect(second.supervisor.snapshot('web').phase).toBe('running');
    const ended = second.events.find(({ type }) => type === 'supervisor.left-over-ended');
    expect(ended).toMatchObject({ workerId: 'web', run: 1, payload: { process: { pid: old } } });
  });

  it('several left-overs of one worker are all ended before it starts', async () => {
    const line = new Line({ web: fakeProgram({ endsOnSignal: null }) });
    line.kill(await line.next([workerSpec('web')]));
    const tree = { mark: 'i/m0.web.7', workerId: 'web', run: 7 };
    line.system.begin(line.system.create(tree, fakeProgram({ endsOnSignal: 100 }), null));
    const second = await line.next([workerSpec('web')], 'deleted');
    line.clock.advance(5000);
    expect(isAlone(line)).toBe(true);
    expect(second.supervisor.snapshot('web').phase).toBe('blocked');
    line.clock.advance(20_000);
    expect(isAlone(line)).toBe(true);
    expect(second.supervisor.snapshot('web').phase).toBe('running');
  });

  it('those of other state directories and of helpers live on', async () => {
    const line = new Line({ web: fakeProgram() });
    for (const mark of ['other/m0.web.1', 'ii/m0.web.1', 'i/m0.nginx.3.control', 'm0.web.1']) {
      line.system.begin(line.system.create({ mark, workerId: null, run: 0 }, fakeProgram(), null));
    }
    const others = line.pids();
    const only = await line.next([workerSpec('web')], 'deleted');
    line.clock.advance(60_000);
    expect(line.pids()).toEqual([...others, only.supervisor.snapshot('web').process?.pid]);
  });

  it('a run that is remembered is taken charge of, one that is not is ended', async () => {
    const line = new Line({ web: fakeProgram(), old: fakeProgram({ endsOnSignal: 50 }) });
    const first = await line.next([workerSpec('web'), workerSpec('old')]);
    line.kill(first);
    const [web] = line.system.living('web');
    first.journal.forgetRun('old', 1);
    first.journal.remember('old', null);
    line.lacks = true;
    const second = await line.next([workerSpec('web')]);
    expect(second.of('web')).toEqual(['worker.attached']);
    line.clock.advance(1000);
    expect(line.pids()).toEqual([web?.pid]);
    expect(second.of('old')).toEqual(['supervisor.left-over-ended']);
    expect(second.journal.runs()).toMatchObject([{ workerId: 'web' }]);
  });

  it('nobody looks where nothing is missing, nor after a reboot', async () => {
    const line = new Line({ web: fakeProgram() });
    const looks = () => line.looks;
    line.kill(await line.next([workerSpec('web')]));
    await line.next([workerSpec('web')]);
    line.kill(await line.next([workerSpec('web')], 'reboot'));
    expect(looks()).toBe(0);
    await line.next([workerSpec('web')], 'deleted');
    expect(looks()).toBe(1);
  });
});

describe('a master that leaves', () => {
  it('touches no process, answers who waits, and does nothing afterwards', async () => {
    const line = new Line({ web: fakeProgram(), slow: fakeProgram({ endsOnSignal: null }), bad: crashes });
    const specs = [workerSpec('web'), workerSpec('slow'), workerSpec('bad')];
    const first = await line.next(specs);
    line.clock.advance(50);
    const stopped = first.supervisor.stop('slow');
    line.clock.advance(50);
    first.supervisor.leave('on_master_exit');
    expect(await stopped).toMatchObject({ kind: 'failed', failure: { code: 'E_SHUTTING_DOWN' } });
    expect(first.events.at(-1)).toMatchObject({
      type: 'supervisor.left',
      payload: { reason: 'on_master_exit' },
    });
    const count = first.events.length;
    line.clock.advance(60_000);
    expect(first.events).toHaveLength(count);
    expect(line.system.living().map(({ tree }) => tree.workerId)).toEqual(['web', 'slow']);
    expect(await first.supervisor.start('web')).toMatchObject({ failure: { code: 'E_SHUTTING_DOWN' } });
    line.kill(first);
    const second = await line.next(specs);
    line.clock.advance(50);
    expect(second.supervisor.snapshots().map(({ phase }) => phase)).toEqual([
      'running',
      'stopping',
      'running',
    ]);
  });

  it('lets go of what it held back', async () => {
    const hook: RunHook = {
      name: 'limits',
      begin: ({ tell }) => {
        tell({ kind: 'limit-exceeded', limit: 'cpu.max_percent', policy: 'throttle', reason: 'x' });
        return () => {};
      },
    };
    const line = new Line({ web: fakeProgram() }, [hook]);
    const limits = limitsSpec({ values: { 'cpu.max_percent': 50 } }, limitResponse());
    const first = await line.next([workerSpec('web', { limits })]);
    expect(line.system.held()).toHaveLength(1);
    first.supervisor.leave('test');
    expect(line.system.held()).toEqual([]);
  });
});
