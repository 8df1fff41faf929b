import type { Clock, Milliseconds, ProcessIdentity } from '@hsu-master/core';
import type { NativeHandle, WindowsEngine, WindowsNative } from '@hsu-master/native';
import { type Means, type Standing, stepsOf } from './asking.ts';

/** The relay’s numbers. */
const EVENTS = { 'ctrl-c': 0, 'ctrl-break': 1, 'break-group': 2 } as const;

/** A relay that takes longer hangs in a console that does not answer. */
const PATIENCE: Milliseconds = 5000;
const KILLED = 1;

/** Who is asked by what, and how long it may take. */
interface Asked {
  readonly process: ProcessIdentity;
  readonly signal: number;
  readonly grace: Milliseconds | null;
}

type AskingMeans = Pick<
  WindowsNative,
  'closeWindows' | 'consolePids' | 'features' | 'mayEnd' | 'relay' | 'repairConsole' | 'terminate'
>;

/** Asks programs to end. All that are asked in one stretch of synchronous code are asked together. */
export class Asker {
  readonly #windows: AskingMeans;
  readonly #engine: Pick<WindowsEngine, 'spawn' | 'release'>;
  readonly #clock: Clock;
  #waiting: Asked[] = [];
  /** The first of each process group on the master’s console. */
  readonly #groups = new Set<string>();
  readonly #relays = new Map<NativeHandle, (code: number | null) => void>();
  readonly #timers = new Set<() => void>();
  #closed = false;

  constructor(windows: AskingMeans, engine: Pick<WindowsEngine, 'spawn' | 'release'>, clock: Clock) {
    this.#windows = windows;
    this.#engine = engine;
    this.#clock = clock;
  }

  /** false: no program hears of this signal here. */
  askToStop({ pid, startedAt }: ProcessIdentity, signal: number, grace: Milliseconds | null): boolean {
    if (stepsOf(signal, 'apart', grace).length === 0) return false;
    if (this.#waiting.length === 0) queueMicrotask(() => this.#askWaiting());
    this.#waiting.push({ process: { pid, startedAt }, signal, grace });
    return true;
  }

  /** One that was made shares the master’s console, in a process group of its own. */
  beganGroup(process: ProcessIdentity): void {
    this.#groups.add(keyOf(process));
  }

  /** One that was made has ended. Where it shared the master’s console, that would keep it, and lose the master’s own Ctrl-C by and by. */
  ended(process: ProcessIdentity): void {
    if (this.#groups.delete(keyOf(process))) this.#windows.repairConsole(process.pid);
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
    const asked = this.#waiting;
    this.#waiting = [];
    if (this.#closed) return;
    const sharers = this.#windows.consolePids();
    const steps = asked.flatMap(({ process, signal, grace }) =>
      stepsOf(signal, this.#standing(process, sharers), grace).map((step) => ({ ...step, process })),
    );
    for (const alike of Map.groupBy(steps, ({ after, means }) => `${means} ${after}`).values()) {
      const [{ after, means }] = alike as [(typeof alike)[number]];
      const processes = alike.map(({ process }) => process);
      if (after === 0) this.#take(means, processes);
      else this.#later(after, means, processes);
    }
  }

  #standing(process: ProcessIdentity, sharers: ReadonlySet<number>): Standing {
    if (!sharers.has(process.pid)) return 'apart';
    return this.#groups.has(keyOf(process)) ? 'group' : 'beside';
  }

  #later(after: Milliseconds, means: Means, processes: readonly ProcessIdentity[]): void {
    const cancel = this.#clock.after(after, () => {
      this.#timers.delete(cancel);
      const left = processes.filter(({ pid, startedAt }) => this.#windows.mayEnd(pid, startedAt));
      if (left.length > 0) this.#take(means, left);
    });
    this.#timers.add(cancel);
  }

  #take(means: Means, processes: readonly ProcessIdentity[]): void {
    if (means === 'close-windows') {
      this.#windows.closeWindows(processes.map(({ pid }) => pid));
      return;
    }
    // It would end one thread of a program there, and leave the rest of it.
    if (means !== 'ctrl-c' && this.#windows.features.isWine) return;
    this.#relay(EVENTS[means], processes);
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

const keyOf = ({ pid, startedAt }: ProcessIdentity): string => `${pid}:${startedAt}`;
