import {
  type Clock,
  type Command,
  EventStream,
  type Finding,
  type HsuEvent,
  type ProcessFinder,
  type ProcessIdentity,
  type RunHook,
  type SignalName,
  type UnmanagedControl,
  type WorkerSpec,
} from '@hsu-master/core';
import {
  Chance,
  FakeClock,
  FakeCollector,
  FakeHost,
  FakeJournal,
  type FakeProcess,
  type FakeProgram,
  FakeSystem,
  fakeExit,
  fakeProgram,
  workerSpec,
} from '@hsu-master/testkit';
import { Supervisor } from '../src/supervisor.ts';

const STRANGER = 'stranger.';
/** After so long of quiet everything is as it is wanted. */
const QUIET = 300_000;

/** Draws units whose processes others start, lets these come and go, and orders; returns what was broken. */
export async function simulateForeign(
  seed: number,
  trace?: (line: string) => void,
): Promise<readonly string[]> {
  const scene = new ForeignScene(seed, trace);
  await scene.play();
  return scene.broken;
}

interface Reign {
  readonly supervisor: Supervisor;
  readonly host: FakeHost;
  readonly journal: FakeJournal;
  isDead: boolean;
  isEnding: boolean;
}

class ForeignScene {
  readonly broken: string[] = [];
  readonly #chance: Chance;
  readonly #clock: FakeClock;
  readonly #system: FakeSystem;
  readonly #specs: readonly WorkerSpec[];
  readonly #trace: (line: string) => void;
  readonly #attached = new Map<string, { readonly run: number; readonly process: ProcessIdentity }>();
  readonly #lastRuns = new Map<string, number>();
  /** Somebody has asked for their end since they were attached. */
  readonly #unwanted = new Set<string>();
  readonly #unanswered = new Set<string>();
  #reign: Reign;
  #masters = 0;
  #born = 0;
  #orders = 0;
  /** From now on whoever is asked does what is asked. */
  #isQuiet = false;

  constructor(seed: number, trace: ((line: string) => void) | undefined) {
    this.#chance = new Chance(seed);
    this.#clock = new FakeClock(seed);
    this.#system = new FakeSystem(this.#clock, 40);
    this.#trace = (line) => trace?.(`${this.#clock.now()} ${line}`);
    const ids = Array.from({ length: this.#chance.between(1, 3) }, (_none, at) => `u${at}`);
    this.#specs = ids.map((id) => this.#drawSpec(id));
    this.#system.watch((news) => {
      if (news.kind === 'signalled') this.#signalled(news.tree.mark, news.signal);
    });
    this.#reign = this.#begin(undefined);
  }

  async play(): Promise<void> {
    await this.#reign.supervisor.startAll();
    for (let steps = this.#chance.between(20, 60); steps > 0 && this.broken.length === 0; steps -= 1) {
      await this.#step();
      await settle();
    }
    this.#isQuiet = true;
    if (this.#reign.isDead || this.#reign.isEnding) await this.#succeed();
    await this.#pass(QUIET);
    this.#expectRest();
  }

  #drawSpec(id: string): WorkerSpec {
    const chance = this.#chance;
    const base = workerSpec(id);
    const signals = chance.pick<readonly SignalName[]>([
      [],
      ['SIGTERM'],
      ['SIGTERM', 'SIGKILL'],
      ['SIGKILL'],
    ]);
    const commands: UnmanagedControl['commands'] = {
      stop: chance.happens(0.5) ? [`stop-${id}`] : null,
      restart: chance.happens(0.6) ? [`restart-${id}`] : null,
    };
    const control = { terminate: chance.happens(0.7), restart: chance.happens(0.7), signals, commands };
    return {
      ...base,
      enabled: chance.happens(0.9),
      restart: { ...base.restart, mode: chance.pick(['never', 'on-failure']) },
      stop: { signal: 'SIGTERM', grace: chance.pick([0, 500, 3000]) },
      dependsOn: [],
      unmanaged: {
        discovery: {
          strategy: { kind: 'name', name: id, pattern: null, args: [] },
          exclude: [],
          choose: 'only',
          validation: [],
          timeout: 1000,
          interval: chance.pick([200, 5000]),
        },
        control: { ...control, move: false, service: null },
        logFiles: [],
      },
    };
  }

  #begin(earlier: FakeJournal | undefined): Reign {
    this.#masters += 1;
    const masterId = `m${this.#masters}`;
    const journal = new FakeJournal(earlier);
    const chance = this.#chance.fork();
    const host = new FakeHost(
      this.#system,
      (command) => this.#asked(command),
      () => chance.between(0, 20),
    );
    host.spawn = () => {
      this.#break('a process of others was started');
      throw new Error('never');
    };
    const events = new EventStream(10);
    const reign: Reign = {
      supervisor: new Supervisor({
        host,
        clock: mortal(this.#clock, () => reign.isDead),
        hooks: [this.#hook(chance, () => reign.isDead)],
        collector: new FakeCollector(),
        journal,
        instance: 'i',
        masterId,
        events,
        finder: this.#finder(chance, () => reign.isDead),
      }),
      host,
      journal,
      isDead: false,
      isEnding: false,
    };
    events.subscribe((event) => {
      if (!reign.isDead) this.#told(event);
    });
    reign.supervisor.add(this.#specs);
    this.#attached.clear();
    this.#unanswered.clear();
    return reign;
  }

  /** Finds by name, some time after it looked, and so at times who is gone. */
  #finder(chance: Chance, isDead: () => boolean): ProcessFinder {
    return {
      find: (discovery, isTaken) => {
        const { strategy } = discovery;
        const name = strategy.kind === 'name' ? (strategy.name ?? '') : '';
        const seen = this.#foreign(name).filter((process) => !isTaken(process));
        const found = seen.map(({ pid, startedAt }) => ({ pid, startedAt, title: name, age: 0 }));
        const [only, ...others] = found;
        const isInvalid = !this.#isQuiet && chance.happens(0.1);
        const finding: Finding =
          only === undefined
            ? { kind: 'none', reason: 'nobody' }
            : others.length > 0
              ? { kind: 'ambiguous', processes: found, reason: 'several' }
              : isInvalid
                ? { kind: 'invalid', process: only, reason: 'it does not answer' }
                : { kind: 'found', process: only };
        return new Promise((resolve) => {
          this.#clock.after(chance.pick([0, 0, 30]), () => {
            if (!isDead()) resolve(finding);
          });
        });
      },
      close() {},
    };
  }

  /** A probe that finds it unhealthy now and then. */
  #hook(chance: Chance, isDead: () => boolean): RunHook {
    return {
      name: 'probe',
      begin: ({ tell, clock }) => {
        const cancel = clock.after(chance.between(100, 60_000), () => {
          if (!isDead() && chance.happens(0.5))
            tell({ kind: 'became-unhealthy', probe: 'liveness', reason: 'HTTP 500' });
        });
        return cancel;
      },
    };
  }

  /** What a command of `control` comes to. */
  #asked({ argv: [name] }: Command): FakeProgram {
    const [action = '', id = ''] = name.split('-');
    const how = this.#isQuiet
      ? 'does'
      : this.#chance.pick(['does', 'does', 'does', 'refuses', 'lies', 'hangs']);
    this.#trace(`${name} ${how}`);
    if (how === 'hangs') return fakeProgram();
    const after = this.#chance.between(0, 1000);
    if (how === 'does')
      this.#clock.after(after, () => {
        for (const process of this.#foreign(id)) this.#system.end(process, fakeExit({ code: 0 }));
        if (action === 'restart') this.#appear(id);
      });
    return fakeProgram({ ends: { after: after + 1, exit: { code: how === 'refuses' ? 1 : 0 } } });
  }

  async #step(): Promise<void> {
    const chance = this.#chance;
    if (this.#reign.isDead) {
      if (chance.happens(0.5)) await this.#pass(chance.between(0, 5000));
      await this.#succeed();
      return;
    }
    const spec = chance.pick(this.#specs as [WorkerSpec, ...WorkerSpec[]]);
    const draw = chance.next();
    if (draw < 0.35) await this.#pass(chance.pick([0, 20, 300, 3000, 30_000]));
    else if (draw < 0.55) {
      if (this.#foreign(spec.id).length === 0 || chance.happens(0.1)) this.#appear(spec.id);
    } else if (draw < 0.7) this.#vanish(spec.id);
    else if (draw < 0.95) this.#order(spec.id);
    else if (chance.happens(0.5)) this.#die();
    else {
      this.#reign.isEnding = true;
      this.#trace('the master ends');
      void this.#reign.supervisor.shutdown('drawn', 5000);
      await this.#pass(chance.pick([0, 50, 6000]));
      this.#die();
    }
  }

  #appear(id: string): void {
    this.#born += 1;
    const tree = { mark: `foreign.${id}.${this.#born}`, workerId: null, run: 0 };
    const program = fakeProgram({ endsOnSignal: this.#chance.pick([0, 400, null]) });
    this.#system.begin(this.#system.create(tree, program, null));
    this.#trace(`${tree.mark} appears`);
  }

  /** And at times somebody else gets its pid. */
  #vanish(id: string): void {
    for (const process of this.#foreign(id)) {
      this.#trace(`${process.tree.mark} vanishes`);
      this.#system.end(process, fakeExit({ code: this.#chance.pick([0, 1]) }));
      if (!this.#chance.happens(0.4)) continue;
      this.#born += 1;
      this.#system.passBy(process.pid);
      const tree = { mark: `${STRANGER}${this.#born}`, workerId: null, run: 0 };
      this.#system.begin(this.#system.create(tree, fakeProgram({ ends: { after: 60_000, exit: {} } }), null));
    }
  }

  #order(id: string): void {
    const kind = this.#chance.pick(['start', 'start', 'stop', 'stop', 'restart', 'restart', 'kill', 'reset']);
    this.#orders += 1;
    const order = `${kind} ${id} (${this.#orders})`;
    this.#trace(`ORDER ${order}`);
    this.#unanswered.add(order);
    if (kind === 'stop' || kind === 'kill') this.#unwanted.add(id);
    void this.#reign.supervisor[kind as 'start'](id).then((outcome) => {
      this.#trace(`${order}: ${outcome.kind}`);
      this.#unanswered.delete(order);
    });
  }

  #die(): void {
    this.#trace('the master dies');
    this.#reign.isDead = true;
    this.#reign.host.close();
  }

  async #succeed(): Promise<void> {
    if (!this.#reign.isDead) this.#die();
    this.#reign = this.#begin(this.#reign.journal);
    await this.#reign.supervisor.startAll();
  }

  async #pass(span: number): Promise<void> {
    const end = this.#clock.now() + span;
    for (let at = this.#clock.nextAt; at !== null && at <= end; at = this.#clock.nextAt) {
      this.#clock.advance(Math.max(0, at - this.#clock.now()));
      await settle();
      if (this.broken.length > 0) return;
    }
    this.#clock.advance(Math.max(0, end - this.#clock.now()));
  }

  #foreign(id: string): readonly FakeProcess[] {
    return this.#system.living().filter(({ tree }) => tree.mark.startsWith(`foreign.${id}.`));
  }

  #told({ type, workerId, run, ...event }: HsuEvent): void {
    this.#trace(`${workerId}/${run} ${type}`);
    if (type === 'supervisor.defect') this.#break(JSON.stringify(event));
    if (workerId === null || run === null) return;
    const attached = this.#attached.get(workerId);
    if (type === 'worker.attached' && 'process' in event.payload) {
      if (attached !== undefined) this.#break(`${workerId} was attached twice`);
      if (run <= (this.#lastRuns.get(workerId) ?? 0)) this.#break(`${workerId}: run ${run} comes again`);
      this.#lastRuns.set(workerId, run);
      this.#unwanted.delete(workerId);
      this.#attached.set(workerId, { run, process: event.payload.process });
    } else if (type === 'worker.exited' || type === 'worker.detached') {
      if (attached?.run !== run) this.#break(`${workerId}: ${type} of run ${run}, which was not attached`);
      this.#attached.delete(workerId);
    }
  }

  #signalled(mark: string, signal: SignalName): void {
    // Helpers are ended as all others.
    if (mark.endsWith('.control') || mark.endsWith('.discovery')) return;
    const spec = this.#specs.find(({ id }) => mark.startsWith(`foreign.${id}.`));
    const control = spec?.unmanaged?.control;
    if (spec === undefined || control === undefined) this.#break(`${mark} was sent ${signal}`);
    else if (!control.terminate || !control.signals.includes(signal))
      this.#break(`${mark} was sent ${signal}, which control does not allow`);
    else {
      if (!this.#unwanted.has(spec.id))
        this.#break(`${mark} was sent ${signal}, and nobody had asked for its end`);
      const pid = this.#attached.get(spec.id)?.process.pid ?? 0;
      if (this.#system.find(pid)?.tree.mark !== mark)
        this.#break(`${mark} was sent ${signal} and is not attached`);
      if (this.#reign.isEnding || this.#reign.isDead) this.#break(`${mark} was sent ${signal} after the end`);
    }
  }

  /** Nobody comes or goes any more, and everybody obeys. */
  #expectRest(): void {
    for (const { id } of this.#specs) {
      const { phase, desired, process, doing } = this.#reign.supervisor.snapshot(id);
      const living = this.#foreign(id);
      const is = `${id} is ${phase} (${doing}), wanted ${desired}, with ${living.length} processes`;
      if (desired === 'down' ? phase !== 'stopped' : phase !== 'running' && phase !== 'blocked')
        this.#break(is);
      const [only, ...others] = living;
      const isThere = living.some(
        ({ pid, startedAt }) => pid === process?.pid && startedAt === process.startedAt,
      );
      if (phase === 'running' && !isThere) this.#break(`${is}, of which it has none`);
      if (desired === 'up' && only !== undefined && others.length === 0 && phase !== 'running')
        this.#break(is);
      const left = [...this.#unanswered].filter((order) => order.includes(` ${id} `));
      const mayWait = phase === 'blocked' ? left.filter((order) => !/^(start|restart)/.test(order)) : left;
      if (mayWait.length > 0) this.#break(`${is}; unanswered: ${mayWait.join(', ')}`);
    }
  }

  #break(what: string): void {
    this.#trace(`BROKEN ${what}`);
    this.broken.push(what);
  }
}

function mortal(clock: Clock, isDead: () => boolean): Clock {
  return {
    now: () => clock.now(),
    wallNow: () => clock.wallNow(),
    random: () => clock.random(),
    after: (delay, fire) =>
      clock.after(delay, () => {
        if (!isDead()) fire();
      }),
  };
}

function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
