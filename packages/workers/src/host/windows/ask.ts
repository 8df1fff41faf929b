import type { Clock, Milliseconds, ProcessIdentity } from '@hsu-master/core';
import type { NativeHandle, WindowsEngine, WindowsNative } from '@hsu-master/native';

/** How programs are asked to end, the gentlest first. */
type Rung = 'ctrl-c' | 'ctrl-break' | 'close-windows';

/** The number of a console event. */
const EVENTS = { 'ctrl-c': 0, 'ctrl-break': 1 } as const;

/** A relay that takes longer hangs in a console that does not answer. */
const PATIENCE: Milliseconds = 5000;
const KILLED = 1;

/** How long after the first rung the others follow, as long as somebody is left. */
export interface Ladder {
  readonly ctrlBreak: Milliseconds;
  readonly closeWindows: Milliseconds;
}

export const LADDER: Ladder = { ctrlBreak: 5000, closeWindows: 8000 };

/** Signals by their numbers on Windows, and SIGQUIT by that of signals.ts. */
const SIGHUP = 1;
const SIGINT = 2;
const SIGQUIT = 3;
const SIGTERM = 15;
const SIGBREAK = 21;

/** Asks programs to end. All that are asked in one stretch of synchronous code are asked together. */
export class Asker {
  readonly #windows: WindowsNative;
  readonly #engine: WindowsEngine;
  readonly #clock: Clock;
  readonly #ladder: Ladder;
  readonly #waiting = new Map<number, ProcessIdentity[]>();
  readonly #relays = new Map<NativeHandle, (code: number | null) => void>();
  #closed = false;

  constructor(windows: WindowsNative, engine: WindowsEngine, clock: Clock, ladder: Ladder = LADDER) {
    this.#windows = windows;
    this.#engine = engine;
    this.#clock = clock;
    this.#ladder = ladder;
  }

  /** false: no program hears of this signal here. */
  ask(process: ProcessIdentity, signal: number): boolean {
    if (![SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGBREAK].includes(signal)) return false;
    if (this.#waiting.size === 0) queueMicrotask(() => this.#askWaiting());
    const all = this.#waiting.get(signal) ?? [];
    all.push({ pid: process.pid, startedAt: process.startedAt });
    this.#waiting.set(signal, all);
    return true;
  }

  /** The exit of one of our relays; false: it is none. */
  hear(handle: NativeHandle, code: number | null): boolean {
    const heard = this.#relays.get(handle);
    this.#relays.delete(handle);
    heard?.(code);
    return heard !== undefined;
  }

  close(): void {
    this.#closed = true;
    this.#relays.clear();
  }

  #askWaiting(): void {
    const asked = [...this.#waiting];
    this.#waiting.clear();
    if (this.#closed) return;
    for (const [signal, processes] of asked) {
      if (signal === SIGTERM) this.#climb(processes);
      else if (signal === SIGINT) this.#take('ctrl-c', processes);
      else if (signal === SIGHUP) this.#take('close-windows', processes);
      else this.#take('ctrl-break', processes);
    }
  }

  #climb(processes: readonly ProcessIdentity[]): void {
    this.#take('ctrl-c', processes);
    this.#later(this.#ladder.ctrlBreak, 'ctrl-break', processes);
    this.#later(this.#ladder.closeWindows, 'close-windows', processes);
  }

  #later(after: Milliseconds, rung: Rung, processes: readonly ProcessIdentity[]): void {
    this.#clock.after(after, () => {
      if (this.#closed) return;
      const left = processes.filter(({ pid, startedAt }) => this.#windows.mayEnd(pid, startedAt));
      if (left.length > 0) this.#take(rung, left);
    });
  }

  #take(rung: Rung, processes: readonly ProcessIdentity[]): void {
    if (rung === 'close-windows') {
      this.#windows.closeWindows(processes.map(({ pid }) => pid));
      return;
    }
    // It would end one thread of a program there, and leave the rest of it.
    if (rung === 'ctrl-break' && this.#windows.features.isWine) return;
    this.#relay(EVENTS[rung], processes);
  }

  /** Those without a console hear nothing of it: they may have windows. */
  #relay(event: number, processes: readonly ProcessIdentity[]): void {
    const closeWindows = (): void => this.#take('close-windows', processes);
    const { relay } = this.#windows;
    if (relay === null) return closeWindows();
    const names = processes.map(({ pid, startedAt }) => `${pid}:${startedAt}`);
    const made = this.#engine.spawn({
      application: relay,
      commandLine: [`"${relay}"`, event, ...names].join(' '),
      environment: [`SystemRoot=${process.env['SystemRoot'] ?? 'C:\\Windows'}`],
      cwd: null,
      stdout: 'null',
      stderr: 'null',
      console: 'none',
      jobs: [],
    });
    if (!made.ok) return closeWindows();
    const { handle, pid, startTime } = made.value;
    const cancel = this.#clock.after(PATIENCE, () => {
      if (!this.#closed) this.#windows.terminate(pid, startTime, KILLED);
    });
    this.#relays.set(handle, (code) => {
      cancel();
      if (code !== 0 && !this.#closed) closeWindows();
    });
    this.#engine.release(handle, true);
  }
}
