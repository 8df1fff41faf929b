import type {
  Capability,
  Clock,
  ExecOutcome,
  ExecRequest,
  Exit,
  Host,
  HostRun,
  Milliseconds,
  OutputStream,
  ProcessIdentity,
  RunOutput,
  RunReport,
  SignalName,
  SpawnRequest,
} from '@hsu-master/core';
import { HsuError } from '@hsu-master/core';
import type { Native, NativeEngine, NativeEvent, NativeHandle, NativeSpawned } from '@hsu-master/native';
import { ownRights } from './accounts.ts';
import { DescriptorGauge } from './descriptors.ts';
import { type Attempt, diagnose, opening } from './diagnose.ts';
import type { MasterEnvironment } from './environment.ts';
import { execHelper } from './exec.ts';
import { Forest } from './forest.ts';
import { NativeSystem } from './native-system.ts';
import { type Launch, type Prepared, prepare, type Setting } from './prepare.ts';
import { endStrays } from './strays.ts';
import { Tree } from './tree.ts';
import { type Leader, TreeRun } from './tree-run.ts';

/** How many bytes of output may be delivered and not yet consumed, all workers together. */
const MAX_UNACKNOWLEDGED = 8 * 2 ** 20;

export interface NativeHostOptions {
  /** The variables that the master was given; workers inherit them. */
  readonly environment: MasterEnvironment;
  /** Whether the master adopts what workers leave behind. Only a program that spawns nothing by other means may say so. */
  readonly reapOrphans: boolean;
  readonly clock: Clock;
}

/** A host that may also have inherited processes of nobody. */
export interface NativeHost extends Host {
  /** Living processes that the master inherited and that no run claims. */
  strays(): readonly ProcessIdentity[];
  /** Ends them: SIGTERM, after `grace` SIGKILL. Resolves with those that survived even that. */
  endStrays(grace: Milliseconds): Promise<readonly ProcessIdentity[]>;
}

/** Runs processes by means of the addon. Throws what opening its engine throws, `EBUSY` for a second one that reaps orphans. */
export function createNativeHost(native: Native, options: NativeHostOptions): NativeHost {
  return new EngineHost(native, options);
}

const OUT_OF_DESCRIPTORS = { ok: false, failure: { step: 'pipe', code: 'EMFILE', call: 'pipe2' } } as const;

/** One spawned process as long as the engine tells anything about it. */
interface Child {
  readonly run: TreeRun;
  readonly attempt: Attempt;
  readonly output: RunOutput;
  readonly open: Set<OutputStream>;
  /** Why the gate stayed shut. */
  refusal: unknown;
  ended: boolean;
}

class EngineHost implements NativeHost {
  readonly name = 'native';
  readonly #native: Native;
  readonly #options: NativeHostOptions;
  readonly #engine: NativeEngine;
  readonly #system: NativeSystem;
  readonly #forest: Forest;
  readonly #setting: Setting;
  readonly #descriptors = new DescriptorGauge();
  readonly #children = new Map<NativeHandle, Child>();
  #closed = false;

  constructor(native: Native, options: NativeHostOptions) {
    const { environment, reapOrphans, clock } = options;
    this.#native = native;
    this.#options = options;
    this.#engine = native.openEngine({
      onEvents: (events) => this.#hear(events),
      subreaper: reapOrphans,
      maxUnacknowledgedBytes: MAX_UNACKNOWLEDGED,
    });
    this.#system = new NativeSystem(native, this.#engine, clock, reapOrphans);
    this.#forest = new Forest(this.#system);
    const accounts = {
      user: (name: string) => native.lookupUser(name),
      group: (name: string) => native.lookupGroup(name),
    };
    this.#setting = { environment, accounts, own: ownRights() };
  }

  capabilities(): readonly Capability[] {
    const { reapOrphans } = this.#options;
    const trees: Capability = {
      feature: 'whole-tree',
      status: 'watched',
      reason: reapOrphans
        ? 'found by process group, session, ancestry and HSU_RUN; what escapes all four is adopted and ended with the master'
        : 'found by process group, session, ancestry and HSU_RUN; what escapes all four is lost, since orphans are not adopted',
    };
    const { maySwitch, uid } = this.#setting.own;
    const users: Capability = maySwitch
      ? { feature: 'switch-user', status: 'enforced', reason: 'the master may become any user and group' }
      : {
          feature: 'switch-user',
          status: 'impossible',
          reason: `uid ${uid} has no CAP_SETUID and CAP_SETGID`,
        };
    const adopted = reapOrphans ? [] : ['adopt-orphans', 'list-orphans'];
    const native = this.#native
      .capabilities()
      .map((one) =>
        adopted.includes(one.feature)
          ? { ...one, status: 'impossible' as const, reason: 'switched off: reapOrphans is false' }
          : one,
      );
    return [...native, trees, users];
  }

  spawn(request: SpawnRequest, report: (report: RunReport) => void): HostRun {
    return this.#launch(request, report);
  }

  attach(process: ProcessIdentity, mark: string, report: (report: RunReport) => void): HostRun {
    const run = new TreeRun(
      { forest: this.#forest, clock: this.#options.clock },
      null,
      this.#unlessClosed(report),
    );
    run.attach(this.#forest.found(process, mark));
    return run;
  }

  exec(request: ExecRequest): { readonly outcome: Promise<ExecOutcome>; cancel(): void } {
    return execHelper((launch, report) => this.#launch(launch, report), this.#options.clock, request);
  }

  isAlive(process: ProcessIdentity): boolean {
    return this.#system.identify(process.pid)?.startedAt === process.startedAt;
  }

  identify(pid: number): ProcessIdentity | null {
    return this.#system.identify(pid);
  }

  strays(): readonly ProcessIdentity[] {
    return this.#forest.strays();
  }

  endStrays(grace: Milliseconds): Promise<readonly ProcessIdentity[]> {
    return endStrays(this.#forest, this.#options.clock, grace);
  }

  close(): void {
    this.#closed = true;
    this.#forest.close();
    this.#children.clear();
    this.#engine.close();
  }

  #unlessClosed(report: (report: RunReport) => void): (report: RunReport) => void {
    return (news) => {
      if (!this.#closed) report(news);
    };
  }

  #launch(launch: Launch, report: (report: RunReport) => void): TreeRun {
    const leader = new EngineLeader(this.#engine);
    const around = { forest: this.#forest, clock: this.#options.clock };
    const run = new TreeRun(around, leader, this.#unlessClosed(report));
    const prepared = prepare(launch, this.#setting);
    if (!prepared.ok) {
      this.#failLater(run, launch, prepared.diagnosis);
      return run;
    }
    const { attempt } = prepared;
    const spawned = this.#descriptors.isShort(this.#children.size)
      ? OUT_OF_DESCRIPTORS
      : this.#create(launch, prepared);
    if (!spawned.ok) {
      this.#failLater(run, launch, diagnose(attempt, spawned.failure));
      return run;
    }
    leader.handle = spawned.value.handle;
    this.#take(run, launch, attempt, spawned.value);
    return run;
  }

  #create(launch: Launch, { attempt, credentials }: Prepared): ReturnType<NativeEngine['spawn']> {
    const { command } = launch;
    return this.#engine.spawn({
      file: attempt.file,
      argv: command.argv,
      env: Object.entries(attempt.env).map(([name, value]) => `${name}=${value}`),
      cwd: command.cwd,
      umask: command.umask,
      uid: credentials.uid,
      gid: credentials.gid,
      groups: credentials.groups,
      stdout: launch.captureStdout ? 'capture' : 'null',
      stderr: launch.captureStderr ? 'capture' : 'null',
      shellFallback: true,
      nofile: null,
    });
  }

  /** The process waits at its gate: writes it down, then lets it go. */
  #take(run: TreeRun, launch: Launch, attempt: Attempt, { handle, pid, startTime }: NativeSpawned): void {
    const process = { pid, startedAt: startTime };
    const child: Child = {
      run,
      attempt,
      output: launch.output,
      open: captured(launch),
      refusal: null,
      ended: false,
    };
    this.#children.set(handle, child);
    run.plant(new Tree(process, launch.mark));
    try {
      launch.record(process);
      this.#engine.release(handle, true);
    } catch (error) {
      child.refusal = error ?? 'no reason given';
      this.#engine.release(handle, false);
    }
  }

  #failLater(run: TreeRun, launch: Launch, { failure, transient }: ReturnType<typeof diagnose>): void {
    queueMicrotask(() => {
      if (this.#closed) return;
      for (const stream of captured(launch)) launch.output.end(stream);
      run.spawnFailed({ kind: 'spawn-failed', failure, transient });
    });
  }

  #hear(events: readonly NativeEvent[]): void {
    for (const event of events) {
      if (this.#closed) return;
      try {
        this.#hearOne(event);
      } catch (error) {
        // A defect of one listener must not cost the others their news.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  #hearOne(event: NativeEvent): void {
    if (event.type === 'orphan-reaped') {
      this.#forest.reaped(event.pid);
      return;
    }
    if (event.type === 'watched-exited' || event.type === 'watched-status') {
      this.#system.hear(event);
      return;
    }
    const child = this.#children.get(event.handle);
    if (child !== undefined) this.#hearOf(child, event);
  }

  #hearOf(child: Child, event: Exclude<NativeEvent, { watch: number } | { pid: number }>): void {
    switch (event.type) {
      case 'execed':
        child.run.spawned(event.usedShell ? shellWarning(child.attempt) : null);
        return;
      case 'exec-failed':
        this.#ended(event.handle, child);
        child.run.spawnFailed(child.refusal === null ? failed(child.attempt, event.failure) : refused(child));
        return;
      case 'exited':
        this.#ended(event.handle, child);
        child.run.leaderExited(exitOf(event), event.groupEmpty);
        return;
      case 'output': {
        const { length } = event.data;
        child.output.write(event.stream, event.data, () => {
          if (!this.#closed) this.#engine.acknowledge(length);
        });
        return;
      }
      default:
        child.open.delete(event.stream);
        this.#forgetIfDone(event.handle, child);
        child.output.end(event.stream);
    }
  }

  #ended(handle: NativeHandle, child: Child): void {
    child.ended = true;
    this.#forgetIfDone(handle, child);
  }

  #forgetIfDone(handle: NativeHandle, child: Child): void {
    if (child.ended && child.open.size === 0) this.#children.delete(handle);
  }
}

class EngineLeader implements Leader {
  readonly #engine: NativeEngine;
  /** Set once the process exists. */
  handle: NativeHandle | null = null;

  constructor(engine: NativeEngine) {
    this.#engine = engine;
  }

  signalGroup(signal: number): boolean {
    return this.handle !== null && this.#engine.signalGroup(this.handle, signal).ok;
  }

  detachOutput(): void {
    if (this.handle !== null) this.#engine.detachOutput(this.handle);
  }
}

function captured(launch: Launch): Set<OutputStream> {
  const streams = new Set<OutputStream>();
  if (launch.captureStdout) streams.add('stdout');
  if (launch.captureStderr) streams.add('stderr');
  return streams;
}

function shellWarning({ file }: Attempt): string {
  return `${file} has no "#!" line; it was run by /bin/sh`;
}

type SpawnFailed = RunReport & { kind: 'spawn-failed' };

function failed(attempt: Attempt, failure: Parameters<typeof diagnose>[1]): SpawnFailed {
  if (failure.step === 'gate') {
    const message = `${opening(attempt)}: its process was killed before the program began`;
    return { kind: 'spawn-failed', failure: { code: 'E_SPAWN', message }, transient: true };
  }
  return { kind: 'spawn-failed', ...diagnose(attempt, failure) };
}

/** What was to be written down could not be. */
function refused({ attempt, refusal }: Child): SpawnFailed {
  const code = refusal instanceof HsuError ? refusal.code : 'E_STATE';
  const why = refusal instanceof Error ? refusal.message : String(refusal);
  const message = `${opening(attempt)}: its run record cannot be written: ${why}`;
  return { kind: 'spawn-failed', failure: { code, message }, transient: true };
}

function exitOf(event: NativeEvent & { type: 'exited' }): Exit {
  const { code, coreDumped, userMs, systemMs, maxRssBytes } = event;
  const signal = event.signal as SignalName | null;
  const unknown = code === null && signal === null;
  const usage = unknown ? null : { userTime: userMs, systemTime: systemMs, maxRss: maxRssBytes };
  return { code, signal, coreDumped, usage };
}
