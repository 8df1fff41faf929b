import {
  type Command,
  type Exit,
  type Failure,
  type HostRun,
  HsuError,
  type LimitReport,
  type LimitsSpec,
  type Milliseconds,
  type OutputStream,
  type ProcessIdentity,
  type RunOutput,
  type RunReport,
  type SignalName,
  type SpawnRequest,
} from '@hsu-master/core';
import { type FakeProgram, fakeExit } from './program.ts';
import type { FakeProcess, FakeSystem } from './system.ts';

export function identityOf(process: ProcessIdentity): ProcessIdentity {
  return { pid: process.pid, startedAt: process.startedAt };
}

const UNKNOWN_EXIT: Exit = { code: null, signal: null, coreDumped: false, usage: null };

/** Draws how long something takes to be noticed. */
export type Delay = () => Milliseconds;

/** One run as the fake host holds it: news of its tree become reports in later turns, in order. */
export class FakeRun implements HostRun {
  readonly #system: FakeSystem;
  readonly #mark: string;
  readonly #report: (report: RunReport) => void;
  readonly #delay: Delay;
  readonly #open = new Set<OutputStream>();
  #output: RunOutput | null = null;
  #leader: FakeProcess | null = null;
  #followed: FakeProcess | null = null;
  /** gated: the process exists and the program has not begun. reaped: the exit was taken note of. */
  #state: 'asked' | 'gated' | 'runs' | 'reaped' | 'empty' | 'abandoned' = 'asked';
  #lastAt = 0;

  constructor(system: FakeSystem, mark: string, report: (report: RunReport) => void, delay: Delay) {
    this.#system = system;
    this.#mark = mark;
    this.#report = report;
    this.#delay = delay;
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
      const { mark, workerId, run, command } = request;
      this.#listen(command);
      this.#leader = this.#system.create({ mark, workerId, run }, program, null);
      this.#followed = this.#leader;
      this.#state = 'gated';
      this.#later(() => this.#openGate(request));
    });
  }

  /** Takes charge of a tree that another host started. */
  attach(process: ProcessIdentity): void {
    this.#listen(null);
    const found = this.#system.find(process.pid);
    this.#followed = found?.startedAt === process.startedAt ? found : null;
    this.#state = 'runs';
    if (this.#followed === null) this.#later(() => this.#reap(null));
  }

  signalTree(signal: SignalName): void {
    if (this.#state === 'runs' || this.#state === 'reaped') this.#system.signalTree(this.#mark, signal);
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
    return [];
  }

  setLimits(_limits: LimitsSpec): readonly LimitReport[] {
    return [];
  }

  freeze(_frozen: boolean): boolean {
    return this.members().length > 0;
  }

  throttle(_percentOfCore: number | null): void {}

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
    // Only the parent learns how a process ended.
    const exit = process !== null && process === this.#leader ? process.exit : null;
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
