import {
  type AttachRequest,
  type Command,
  type Exit,
  type Failure,
  type HostBudget,
  type HostRun,
  HsuError,
  isLoss,
  type LimitName,
  type LimitReport,
  type LimitsSpec,
  type Milliseconds,
  type OutputStream,
  type ProcessIdentity,
  type RunOutput,
  type RunReport,
  type SignalName,
  type SpawnRequest,
  type TreeUsage,
  type UsageDetail,
} from '@hsu-master/core';
import { type FakeProgram, fakeExit } from './program.ts';
import type { FakeProcess, FakeSystem } from './system.ts';

export function identityOf(process: ProcessIdentity): ProcessIdentity {
  return { pid: process.pid, startedAt: process.startedAt };
}

const UNKNOWN_EXIT: Exit = { code: null, signal: null, coreDumped: false, usage: null };

/** Draws how long something takes to be noticed. */
export type Delay = () => Milliseconds;

/** How a host does what it does. */
export interface FakeManner {
  readonly delay: Delay;
  /** Whether it kills a tree at its memory limit; else limits are only watched. */
  readonly enforces: boolean;
  /** Whether it learns how a process ended that it had only attached to. */
  readonly tellsExits: boolean;
}

/** What comes of limits on the fake system. */
export function fakeLimits(limits: LimitsSpec, enforces: boolean): readonly LimitReport[] {
  return (Object.keys(limits.values) as LimitName[]).map((limit) => {
    if (limit === 'network.max_bandwidth') {
      return { limit, status: 'impossible', mechanism: '', reason: 'no system can' };
    }
    if (limit === 'memory.max_rss' && enforces) {
      return { limit, status: 'enforced', mechanism: 'the fake kernel', reason: '' };
    }
    return { limit, status: 'watched', mechanism: 'sampling', reason: 'it is data' };
  });
}

/** One run as the fake host holds it: news of its tree become reports in later turns, in order. */
export class FakeRun implements HostRun {
  readonly #system: FakeSystem;
  readonly #mark: string;
  readonly #report: (report: RunReport) => void;
  readonly #delay: Delay;
  readonly #enforces: boolean;
  readonly #tellsExits: boolean;
  readonly #open = new Set<OutputStream>();
  #output: RunOutput | null = null;
  #leader: FakeProcess | null = null;
  #followed: FakeProcess | null = null;
  /** gated: the process exists and the program has not begun. reaped: the exit was taken note of. */
  #state: 'asked' | 'gated' | 'runs' | 'reaped' | 'empty' | 'abandoned' = 'asked';
  #lastAt = 0;
  #limits: readonly LimitReport[] = [];

  constructor(
    system: FakeSystem,
    mark: string,
    report: (report: RunReport) => void,
    { delay, enforces, tellsExits }: FakeManner,
  ) {
    this.#system = system;
    this.#mark = mark;
    this.#report = report;
    this.#delay = delay;
    this.#enforces = enforces;
    this.#tellsExits = tellsExits;
  }

  /** Begins what `Host.spawn` was asked for. */
  start(request: SpawnRequest, program: FakeProgram): void {
    this.#output = request.output;
    if (request.captureStdout) this.#open.add('stdout');
    if (request.captureStderr) this.#open.add('stderr');
    this.#later(() => {
      if (program.spawnFailure !== null) {
        this.#fail(program.spawnFailure.failure, program.spawnFailure.transient);
        return;
      }
      const reports = request.limits === null ? [] : fakeLimits(request.limits, this.#enforces);
      const lost = reports.find(isLoss);
      if (request.limits?.required === true && lost !== undefined) {
        const message = `${lost.limit} is ${lost.status}, and limits.required is true`;
        this.#fail({ code: 'E_LIMIT_REQUIRED', message }, false);
        return;
      }
      this.#limits = reports;
      const { mark, workerId, run, command } = request;
      this.#listen(command);
      this.#leader = this.#system.create({ mark, workerId, run }, program, null);
      this.#followed = this.#leader;
      this.#state = 'gated';
      this.#later(() => this.#openGate(request));
    });
  }

  /** Takes charge of a tree that another host started. */
  attach({ process, limits, limitsHold }: Pick<AttachRequest, 'process' | 'limits' | 'limitsHold'>): void {
    this.#listen(null);
    this.#limits = limits === null ? [] : fakeLimits(limits, this.#enforces);
    if (limits !== null && !limitsHold) this.#applyLimits(limits);
    const found = this.#system.find(process.pid);
    this.#followed = found?.startedAt === process.startedAt ? found : null;
    this.#state = 'runs';
    if (this.#followed === null) this.#later(() => this.#reap(null));
  }

  signalTree(signal: SignalName): void {
    if (!this.#isSpawned()) return;
    this.#system.signalTree(this.#mark, signal);
    // A host finds a tree by its main process, too.
    const main = this.#followed;
    if (main !== null && main.exit === null && main.tree.mark !== this.#mark)
      this.#system.signalTree(main.tree.mark, signal);
  }

  members(): readonly ProcessIdentity[] {
    return this.#state === 'empty' ? [] : this.#system.members(this.#mark).map(identityOf);
  }

  follow(process: ProcessIdentity): boolean {
    const member = this.#system.members(this.#mark).find((one) => one.startedAt === process.startedAt);
    if (member === undefined) return false;
    this.#followed = member;
    this.#state = 'runs';
    return true;
  }

  detachOutput(): void {
    this.#endOutput();
  }

  limitReports(): readonly LimitReport[] {
    return this.#limits;
  }

  budgets(): readonly HostBudget[] {
    return [];
  }

  setLimits(limits: LimitsSpec): readonly LimitReport[] {
    this.#limits = fakeLimits(limits, this.#enforces);
    this.#applyLimits(limits);
    return this.#limits;
  }

  freeze(frozen: boolean): boolean {
    return this.#isSpawned() && this.#system.freeze(this.#mark, frozen);
  }

  throttle(percentOfCore: number | null): void {
    if (this.#isSpawned()) this.#system.hold(this.#mark, percentOfCore);
  }

  /** What the tree uses now; null: it is over, or has not begun. */
  usage(detail: UsageDetail): TreeUsage | null {
    const account = this.#system.account(this.#mark);
    if (account === null || !this.#isSpawned()) return null;
    const processes = this.members().length;
    const { memory, memoryPeak, cpuTime, oomKills } = account;
    return {
      at: this.#system.clock.now(),
      processes,
      threads: processes,
      rss: memory,
      virtual: memory,
      pss: detail.pss ? memory : null,
      memory: this.#enforces ? memory : null,
      memoryPeak: this.#enforces && detail.peak ? memoryPeak : null,
      swap: this.#enforces ? 0 : null,
      cpuTime,
      readBytes: 0,
      writtenBytes: 0,
      readOps: null,
      writeOps: null,
      descriptors: detail.descriptors ? 3 * processes : null,
      connections: detail.connections ? 0 : null,
      pressure: null,
      hits: null,
      oomKills: this.#enforces ? oomKills : null,
    };
  }

  #isSpawned(): boolean {
    return this.#state === 'runs' || this.#state === 'reaped';
  }

  #applyLimits({ values }: LimitsSpec): void {
    if (this.#enforces) this.#system.account(this.#mark)?.limit(values['memory.max_rss'] ?? null);
  }

  /** The master dies or lets go: nothing is reported any more, and a gated process never begins its program. */
  abandon(): void {
    const gated = this.#state === 'gated' ? this.#leader : null;
    this.#state = 'abandoned';
    this.#system.listen(this.#mark, null);
    if (gated !== null) this.#system.end(gated, fakeExit({ code: 127 }));
  }

  #listen(command: Command | null): void {
    this.#system.listen(this.#mark, {
      died: (process) => this.#died(process),
      wrote: (_process, stream, data) => this.#wrote(stream, data),
      writings: ({ program: { writes }, ...process }) =>
        typeof writes !== 'function'
          ? writes
          : command === null
            ? []
            : writes({ command, mark: this.#mark, process: identityOf(process) }),
    });
  }

  #openGate(request: SpawnRequest): void {
    const leader = this.#leader as FakeProcess;
    if (leader.exit !== null) {
      // Killed from outside before the gate opened.
      this.#fail({ code: 'E_SPAWN', message: 'it died before its program began' }, true);
      return;
    }
    try {
      request.record(identityOf(leader));
    } catch (error) {
      this.#state = 'asked';
      this.#system.end(leader, fakeExit({ code: 127 }));
      const code = error instanceof HsuError ? error.code : 'E_SPAWN';
      this.#fail({ code, message: error instanceof Error ? error.message : String(error) }, true);
      return;
    }
    // The master may have died of writing the record; then the gate was never opened.
    if (this.#state !== 'gated') return;
    this.#state = 'runs';
    if (request.limits !== null) this.#applyLimits(request.limits);
    this.#later(() => this.#report({ kind: 'spawned', process: identityOf(leader), warning: null }));
    this.#system.begin(leader);
  }

  #fail(failure: Failure, transient: boolean): void {
    this.#state = 'empty';
    this.#system.listen(this.#mark, null);
    this.#endOutput();
    this.#later(() => this.#report({ kind: 'spawn-failed', failure, transient }));
  }

  #died(process: FakeProcess): void {
    if (this.#state === 'runs' && process === this.#followed) this.#later(() => this.#reap(process));
    else this.#reportEmpty();
    if (this.#system.members(this.#mark).length === 0) this.#endOutput();
  }

  /** Takes note of an exit; who is alive then may be dead when the report arrives. */
  #reap(process: FakeProcess | null): void {
    if (process !== this.#followed) return;
    const remaining = this.#system.members(this.#mark).map(identityOf);
    this.#state = remaining.length === 0 ? 'empty' : 'reaped';
    // Only the parent learns how a process ended, and on newer systems whoever watched it.
    const isTold =
      process !== null && (process === this.#leader || (this.#leader === null && this.#tellsExits));
    const exit = isTold ? process.exit : null;
    this.#later(() => {
      if (process === this.#followed) this.#report({ kind: 'exited', exit: exit ?? UNKNOWN_EXIT, remaining });
    });
    if (remaining.length > 0) this.#reportEmpty();
  }

  #reportEmpty(): void {
    if (this.#state !== 'reaped' || this.#system.members(this.#mark).length > 0) return;
    this.#state = 'empty';
    this.#later(() => this.#report({ kind: 'tree-empty' }));
  }

  #wrote(stream: OutputStream, data: string | Uint8Array): void {
    const chunk = typeof data === 'string' ? new TextEncoder().encode(data) : data;
    if (this.#open.has(stream)) this.#output?.write(stream, chunk, () => {});
  }

  #endOutput(): void {
    for (const stream of this.#open) this.#output?.end(stream);
    this.#open.clear();
  }

  /** In a later turn, never before what was put off earlier. */
  #later(act: () => void): void {
    const { clock } = this.#system;
    this.#lastAt = Math.max(this.#lastAt, clock.now() + this.#delay());
    clock.after(this.#lastAt - clock.now(), () => {
      if (this.#state !== 'abandoned') act();
    });
  }
}
