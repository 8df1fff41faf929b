import type {
  AccompanyRequest,
  AttachRequest,
  AttendRequest,
  Capability,
  Clock,
  ExecOutcome,
  ExecRequest,
  Host,
  HostRun,
  LimitReport,
  LimitsSpec,
  MarkedTree,
  Milliseconds,
  OutputChannels,
  OutputStream,
  PortAnswer,
  ProcessIdentity,
  QuotaSpec,
  RunReport,
  SpawnRequest,
  TreeUsage,
  UsageDetail,
} from '@hsu-master/core';
import { HsuError } from '@hsu-master/core';
import { NO_LIMITS } from './cgroup/found-limits.ts';
import { reportsWithoutAddon } from './cgroup/plan.ts';
import { type Attempt, type Diagnosis, opening } from './diagnose.ts';
import { execHelper } from './exec.ts';
import { ForeignRun } from './foreign-run.ts';
import { Forest, type ProcessSystem } from './forest.ts';
import type { Hold } from './hold.ts';
import { findMarked } from './marked.ts';
import { type Launch, type Preparation, prepare, type Setting } from './prepare.ts';
import { type Leader, TreeRun } from './tree-run.ts';

const LIMITS_AGAIN: Milliseconds = 250;

/** What hosts have in common: they differ in how a process is started and watched, not in what its tree is. */
export abstract class TreeHost implements Host {
  abstract readonly name: string;
  protected readonly forest: Forest;
  protected readonly clock: Clock;
  protected readonly setting: Setting;
  protected closed = false;
  /** Marks of runs that could not be attached to when that was asked. */
  protected readonly unattached = new Set<string>();
  readonly #heldBack = new Set<TreeRun>();

  constructor(
    system: ProcessSystem,
    clock: Clock,
    setting: Setting,
    onStray?: (stray: ProcessIdentity) => void,
    isSuccessor = false,
  ) {
    this.forest = new Forest(system, onStray, isSuccessor);
    this.clock = clock;
    this.setting = setting;
  }

  abstract capabilities(): readonly Capability[];
  abstract reservePort(port: number): PortAnswer;
  protected abstract launch(launch: Launch, report: (report: RunReport) => void): TreeRun;

  spawn(request: SpawnRequest, report: (report: RunReport) => void): HostRun {
    return this.#begin(request, report);
  }

  attach(request: AttachRequest, report: (report: RunReport) => void): HostRun {
    // It may be asked for again, where it cannot be had for now.
    this.unattached.add(request.mark);
    const run = this.#take(request, report);
    this.unattached.delete(request.mark);
    return run;
  }

  #take(request: AttachRequest, report: (report: RunReport) => void): HostRun {
    const { limits, limitsHold, channels } = request;
    const run = this.newRun(new FoundLeader(channels), report);
    const tree = this.forest.found(request.process, request.mark);
    const hold = this.holdOf(request, tree.leads);
    if (hold !== null) run.holdBy(hold);
    else if (limits !== null) run.goWithout(reportsWithoutAddon(limits));
    run.attach(tree);
    if (!limitsHold) this.#renewLimits(run, limits ?? NO_LIMITS);
    return run;
  }

  /** Its members are asked for, which takes a descriptor. */
  #renewLimits(run: TreeRun, limits: LimitsSpec): void {
    try {
      run.setLimits(limits);
    } catch {
      this.clock.after(LIMITS_AGAIN, () => {
        if (!this.closed) this.#renewLimits(run, limits);
      });
    }
  }

  accompany(request: AccompanyRequest, report: (report: RunReport) => void): HostRun {
    const { process, limits } = request;
    const hold = this.holdOfForeign(request);
    const withoutHold = limits === null ? [] : reportsWithoutAddon(limits);
    const around = { forest: this.forest, clock: this.clock };
    const run = new ForeignRun(around, this.forest.foreign(process), { hold, withoutHold }, (news) => {
      if (!this.closed) report(news);
    });
    if (limits !== null) run.setLimits(limits);
    return run;
  }

  maySignal(process: ProcessIdentity): boolean {
    return this.forest.system.signalProcess(process, 0);
  }

  /** What limits a process that somebody else started. */
  protected holdOfForeign(_request: AccompanyRequest): Hold | null {
    return null;
  }

  /** What holds a tree that was there before. `isAlive`: its main process lives, or has nobody who reaps it. */
  protected holdOf(_request: AttachRequest, _isAlive: boolean): Hold | null {
    return null;
  }

  attend({ output, ...request }: AttendRequest, report: (report: RunReport) => void): HostRun {
    const launch = {
      ...request,
      workerId: null,
      listens: [],
      captureStdout: true,
      captureStderr: true,
      limits: null,
      record: () => {},
      output,
    };
    return this.#begin(launch, report);
  }

  exec(request: ExecRequest): { readonly outcome: Promise<ExecOutcome>; cancel(): void } {
    return execHelper((launch, report) => this.#begin(launch, report), this.clock, request);
  }

  isAlive(process: ProcessIdentity): boolean {
    return this.identify(process.pid)?.startedAt === process.startedAt;
  }

  identify(pid: number): ProcessIdentity | null {
    const row = this.forest.system.identify(pid);
    return row === null ? null : { pid, startedAt: row.startedAt };
  }

  findMarked(beginning: string): readonly MarkedTree[] {
    return this.closed ? [] : findMarked(this.forest.system, beginning);
  }

  explainLimits(
    limits: LimitsSpec,
    _of: 'worker' | 'quota',
    _quotas: readonly QuotaSpec[],
  ): readonly LimitReport[] {
    return reportsWithoutAddon(limits);
  }

  setQuota({ kind, id, limits }: QuotaSpec): readonly LimitReport[] {
    return reportsWithoutAddon(limits).map((report) => ({ ...report, quota: { kind, id } }));
  }

  sample(runs: readonly HostRun[], _detail: UsageDetail): readonly (TreeUsage | null)[] {
    return runs.map(() => null);
  }

  close(): void {
    for (const run of this.#heldBack) run.letGo();
    this.closed = true;
    this.forest.close();
  }

  /** A closed host starts nothing, and has nobody to tell. */
  #begin(launch: Launch, report: (report: RunReport) => void): TreeRun {
    if (this.closed) return this.newRun(null, report);
    try {
      return this.launch(launch, report);
    } catch (error) {
      // A name service that does not answer, or a text that no system call can take.
      const run = this.newRun(null, report);
      const why = error instanceof Error ? error.message : String(error);
      const failure = {
        code: 'E_SPAWN',
        message: `cannot start ${JSON.stringify(launch.command.argv[0])}: ${why}`,
      } as const;
      this.failLater(run, launch, { failure, transient: false });
      return run;
    }
  }

  protected newRun(leader: Leader | null, report: (report: RunReport) => void): TreeRun {
    return new TreeRun(
      { forest: this.forest, clock: this.clock, heldBack: this.#heldBack },
      leader,
      (news) => {
        if (!this.closed) report(news);
      },
    );
  }

  protected prepare(launch: Launch): Preparation {
    return prepare(launch, this.setting);
  }

  /** Nothing was started: says so, but not from within the call that asked for it. */
  protected failLater(run: TreeRun, launch: Launch, { failure, transient }: Diagnosis): void {
    queueMicrotask(() => {
      if (this.closed) return;
      for (const stream of capturedStreams(launch)) launch.output.end(stream);
      run.spawnFailed(failure, transient);
    });
  }
}

/** The main process of a tree that was there before: its group may have been given up, and is not asked for. */
class FoundLeader implements Leader {
  readonly #channels: OutputChannels | null;

  constructor(channels: OutputChannels | null) {
    this.#channels = channels;
  }

  settle(): void {}

  signalGroup(): boolean {
    return false;
  }

  detachOutput(): void {
    this.#channels?.letGo();
  }
}

export function capturedStreams(launch: Launch): Set<OutputStream> {
  const streams = new Set<OutputStream>();
  if (launch.captureStdout) streams.add('stdout');
  if (launch.captureStderr) streams.add('stderr');
  return streams;
}

/** What was to be written down before the program might begin could not be. */
export function recordFailure(attempt: Attempt, error: unknown): Diagnosis {
  const code = error instanceof HsuError ? error.code : 'E_STATE';
  const why = error instanceof Error ? error.message : String(error);
  return {
    failure: { code, message: `${opening(attempt)}: its run record cannot be written: ${why}` },
    transient: true,
  };
}
