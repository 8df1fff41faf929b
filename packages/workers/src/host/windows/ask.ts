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

/** Of whom nobody says how long it may take. */
const USUAL_GRACE: Milliseconds = 20_000;

/**
 * Ctrl-Break ends who does not handle it, so half of the grace is for those who end by Ctrl-C; what is left after three quarters of it is
 * asked by its windows, and after all of it killed.
 */
export function ladderWithin(grace: Milliseconds | null): Ladder {
  const whole = grace ?? USUAL_GRACE;
  return { ctrlBreak: whole / 2, closeWindows: (whole * 3) / 4 };
}

/** Who is asked, and how long it may take. */
interface Asked extends ProcessIdentity {
  readonly grace: Milliseconds | null;
}

/** Signals by their numbers on Windows, and SIGQUIT by that of signals.ts. */
const SIGHUP = 1;
const SIGINT = 2;
const SIGQUIT = 3;
const SIGTERM = 15;
const SIGBREAK = 21;

type AskingMeans = Pick<WindowsNative, 'closeWindows' | 'features' | 'mayEnd' | 'relay' | 'terminate'>;

/** Asks programs to end. All that are asked in one stretch of synchronous code are asked together. */
export class Asker {
  readonly #windows: AskingMeans;
  readonly #engine: Pick<WindowsEngine, 'spawn' | 'release'>;
  readonly #clock: Clock;
  readonly #waiting = new Map<number, Asked[]>();
  readonly #relays = new Map<NativeHandle, (code: number | null) => void>();
  readonly #timers = new Set<() => void>();
  #closed = false;

  constructor(windows: AskingMeans, engine: Pick<WindowsEngine, 'spawn' | 'release'>, clock: Clock) {
    this.#windows = windows;
    this.#engine = engine;
    this.#clock = clock;
  }

  /** false: no program hears of this signal here. */
  ask(process: ProcessIdentity, signal: number, grace: Milliseconds | null): boolean {
    if (![SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGBREAK].includes(signal)) return false;
    if (this.#waiting.size === 0) queueMicrotask(() => this.#askWaiting());
    const all = this.#waiting.get(signal) ?? [];
    all.push({ pid: process.pid, startedAt: process.startedAt, grace });
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
    for (const cancel of this.#timers) cancel();
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

  #climb(processes: readonly Asked[]): void {
    this.#take('ctrl-c', processes);
    for (const [grace, alike] of Map.groupBy(processes, (one) => one.grace)) {
      const { ctrlBreak, closeWindows } = ladderWithin(grace);
      this.#later(ctrlBreak, 'ctrl-break', alike);
      this.#later(closeWindows, 'close-windows', alike);
    }
  }

  #later(after: Milliseconds, rung: Rung, processes: readonly ProcessIdentity[]): void {
    const cancel = this.#clock.after(after, () => {
      this.#timers.delete(cancel);
      const left = processes.filter(({ pid, startedAt }) => this.#windows.mayEnd(pid, startedAt));
      if (left.length > 0) this.#take(rung, left);
    });
    this.#timers.add(cancel);
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
