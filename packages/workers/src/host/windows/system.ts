import type { Clock, Exit, Milliseconds, ProcessIdentity, SignalName } from '@hsu-master/core';
import type {
  Native,
  NativeHandle,
  WindowsEngine,
  WindowsEvent,
  WindowsNative,
  WindowsProcess,
} from '@hsu-master/native';
import type { ProcessSystem } from '../forest.ts';
import { signalNumber } from '../signals.ts';
import type { ProcessRow } from '../tree.ts';
import { Asker } from './ask.ts';
import { exitOfCode, KILLED } from './exit.ts';

const SIGKILL = 9;
const SIGCONT = signalNumber('SIGCONT');
const SIGSTOP = signalNumber('SIGSTOP');

/** What holds a console open; the system adds it to the job of whoever has one. */
const CONSOLE_HOST = 'conhost.exe';

/** The system as the Windows addon shows it. */
export class WindowsSystem implements ProcessSystem {
  readonly ownPid = process.pid;
  readonly asker: Asker;
  readonly #native: Native;
  readonly #windows: WindowsNative;
  readonly #engine: WindowsEngine;
  readonly #watches = new Map<number, { readonly key: string; readonly gone: (exit: Exit) => void }>();
  /** The last signal that each of these processes was asked to end by. */
  readonly #asked = new Map<string, SignalName>();
  readonly #stopped = new Set<string>();
  #table: ReadonlyMap<number, WindowsProcess> | null = null;
  #closed = false;

  constructor(native: Native, windows: WindowsNative, engine: WindowsEngine, clock: Clock) {
    this.#native = native;
    this.#windows = windows;
    this.#engine = engine;
    this.asker = new Asker(windows, engine, clock);
  }

  /** The table; everything asked within one stretch of synchronous code is answered from one. */
  table(fresh = false): ReadonlyMap<number, WindowsProcess> {
    if (this.#table === null || fresh) {
      this.#table = new Map(this.#windows.processes().map((row) => [row.pid, row]));
      queueMicrotask(() => {
        this.#table = null;
      });
    }
    return this.#table;
  }

  processTable(): readonly ProcessRow[] {
    return [...this.table(true).values()].filter(isProgram).map(rowOf);
  }

  /** Those of these pids that are of a program and not of the system. */
  withoutConsoles(pids: readonly number[]): readonly number[] {
    if (pids.length === 0) return pids;
    const isKnown = (pid: number): boolean => this.table().has(pid);
    if (!pids.every(isKnown)) this.table(true);
    return pids.filter((pid) => {
      const row = this.table().get(pid);
      return row === undefined || isProgram(row);
    });
  }

  markOf(pid: number): string | null | undefined {
    return this.#native.environOf(pid, 'HSU_RUN');
  }

  orphans(): null {
    return null;
  }

  identify(pid: number): ProcessRow | null {
    const row = this.rowOf(pid);
    return row === null || row.state === 'Z' ? null : row;
  }

  rowOf(pid: number): ProcessRow | null {
    const row = this.#native.identify(pid);
    return row === null ? null : { ...row, startedAt: row.startTime };
  }

  signalProcess(target: ProcessIdentity, signal: number, grace: Milliseconds | null = null): boolean {
    if (this.#closed) return false;
    const { pid, startedAt } = target;
    switch (signal) {
      case 0:
        return this.#windows.mayEnd(pid, startedAt);
      case SIGKILL:
        return this.#windows.terminate(pid, startedAt, KILLED) === null;
      case SIGSTOP:
        return this.#stop(target);
      case SIGCONT:
        return this.#resume(target);
      default: {
        if (!this.#windows.mayEnd(pid, startedAt) || !this.asker.askToStop(target, signal, grace))
          return false;
        this.#asked.set(keyOf(target), nameOf(signal));
        return true;
      }
    }
  }

  watch(target: ProcessIdentity, _status: boolean, gone: (exit: Exit) => void): (() => void) | null {
    const watch = this.#closed ? null : this.#engine.watch(target.pid, target.startedAt);
    if (watch === null) return null;
    this.#watches.set(watch, { key: keyOf(target), gone });
    return () => {
      if (this.#watches.delete(watch) && !this.#closed) this.#engine.unwatch(watch);
    };
  }

  /** Takes the engine’s news of processes that it watches. */
  hear(event: Extract<WindowsEvent, { type: 'watched-exited' }>): void {
    const watch = this.#watches.get(event.watch);
    if (watch === undefined) return;
    this.#watches.delete(event.watch);
    const { code, userMs, kernelMs } = event;
    watch.gone(this.#exit(watch.key, code, { userTime: userMs, systemTime: kernelMs, maxRss: null }));
  }

  /** How a process ended that we were told of by its handle. */
  exitOf(target: ProcessIdentity, event: Extract<WindowsEvent, { type: 'exited' }>): Exit {
    const { code, userMs, kernelMs, maxRssBytes } = event;
    this.asker.ended(target);
    return this.#exit(keyOf(target), code, { userTime: userMs, systemTime: kernelMs, maxRss: maxRssBytes });
  }

  isRelay(handle: NativeHandle, code: number | null): boolean {
    return this.asker.hear(handle, code);
  }

  close(): void {
    this.#closed = true;
    this.asker.close();
    this.#watches.clear();
  }

  #exit(key: string, code: number | null, usage: Exit['usage']): Exit {
    const asked = this.#asked.get(key) ?? null;
    this.#asked.delete(key);
    this.#stopped.delete(key);
    return exitOfCode(code, asked, usage);
  }

  /** Once: what is stopped twice has to be resumed twice. */
  #stop(target: ProcessIdentity): boolean {
    const key = keyOf(target);
    if (this.#stopped.has(key)) return true;
    if (this.#windows.suspend(target.pid, target.startedAt, true) !== null) return false;
    this.#stopped.add(key);
    return true;
  }

  /** Whom we stopped, or whose threads all are, as an earlier master may have left them. */
  #resume(target: ProcessIdentity): boolean {
    const isOurs = this.#stopped.delete(keyOf(target));
    const row = isOurs ? undefined : this.table().get(target.pid);
    if (!isOurs && (row?.state !== 'T' || row.startTime !== target.startedAt)) return row !== undefined;
    return this.#windows.suspend(target.pid, target.startedAt, false) === null;
  }
}

function isProgram({ name }: WindowsProcess): boolean {
  return name.toLowerCase() !== CONSOLE_HOST;
}

/** Nobody has a group, and 0 would be that of a kernel thread. */
const NO_GROUP = -1;

function rowOf({ pid, ppid, startTime, state }: WindowsProcess): ProcessRow {
  return { pid, startedAt: startTime, ppid, pgid: NO_GROUP, sid: 0, state };
}

const keyOf = ({ pid, startedAt }: ProcessIdentity): string => `${pid}:${startedAt}`;

const NAMES = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGBREAK'] as const;

function nameOf(signal: number): SignalName {
  return (
    NAMES.find((name) => (name === 'SIGBREAK' ? signal === 21 : signalNumber(name) === signal)) ?? 'SIGTERM'
  );
}
