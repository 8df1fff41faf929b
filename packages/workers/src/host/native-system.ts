import type { Capability, Clock, Exit, Milliseconds, ProcessIdentity, SignalName } from '@hsu-master/core';
import type { Native, NativeEngine, NativeEvent, ProcessRow as NativeRow } from '@hsu-master/native';
import { UNKNOWN_EXIT } from './end-watch.ts';
import type { ProcessSystem } from './forest.ts';
import type { ProcessRow } from './tree.ts';

/** How long a watched process may stay unreaped by its parent before its exit is told without its status. */
const STATUS_PATIENCE: Milliseconds = 3000;

interface Watch {
  readonly status: boolean;
  readonly gone: (exit: Exit) => void;
  cancelPatience: () => void;
}

/** The system as the addon shows it. */
export class NativeSystem implements ProcessSystem {
  readonly ownPid = process.pid;
  readonly #native: Native;
  readonly #engine: NativeEngine;
  readonly #clock: Clock;
  readonly #adopts: boolean;
  readonly #inherits: boolean;
  readonly #knowsStatus: boolean;
  readonly #watches = new Map<number, Watch>();
  #closed = false;

  constructor(native: Native, engine: NativeEngine, clock: Clock, adopts: boolean) {
    const can = (feature: string) =>
      native.capabilities().some((one) => one.feature === feature && one.status === 'enforced');
    this.#native = native;
    this.#engine = engine;
    this.#clock = clock;
    this.#adopts = adopts;
    this.#inherits = adopts && can('list-orphans');
    this.#knowsStatus = can('exit-status-of-adopted-workers');
  }

  /** The addon’s capabilities as this host uses them. */
  capabilities(native: readonly Capability[]): readonly Capability[] {
    const unused = this.#adopts ? [] : ['adopt-orphans', 'list-orphans'];
    const fate = this.#adopts
      ? 'is adopted and ended with the master'
      : 'is lost, since orphans are not adopted';
    const off = { status: 'impossible', reason: 'switched off: reapOrphans is false' } as const;
    return [
      ...native.map((one) => (unused.includes(one.feature) ? { ...one, ...off } : one)),
      {
        feature: 'whole-tree',
        status: 'watched',
        reason: `members are found by process group, session, ancestry and HSU_RUN; what escapes all four ${fate}`,
      },
      {
        feature: 'state-directory-lock',
        status: 'enforced',
        reason: 'flock: a second master on one state directory is refused, and the lock ends with its holder',
      },
    ];
  }

  processTable(): readonly ProcessRow[] {
    return this.#native.processTable().map(rowOf);
  }

  markOf(pid: number): string | null | undefined {
    return this.#native.environOf(pid, 'HSU_RUN');
  }

  orphans(): readonly number[] | null {
    return this.#inherits && !this.#closed ? this.#engine.orphans() : null;
  }

  identify(pid: number): ProcessRow | null {
    const row = this.#native.identify(pid);
    return row === null || row.state === 'Z' || row.state === 'X' ? null : rowOf(row);
  }

  rowOf(pid: number): ProcessRow | null {
    const row = this.#native.identify(pid);
    return row === null ? null : rowOf(row);
  }

  signalProcess({ pid, startedAt }: ProcessIdentity, signal: number): boolean {
    return !this.#closed && this.#engine.signalProcess(pid, startedAt, signal).ok;
  }

  watch(
    { pid, startedAt }: ProcessIdentity,
    status: boolean,
    gone: (exit: Exit) => void,
  ): (() => void) | null {
    const watch = this.#closed ? null : this.#engine.watch(pid, startedAt);
    if (watch === null) return null;
    this.#watches.set(watch, { status, gone, cancelPatience: () => {} });
    return () => this.#end(watch);
  }

  /** The engine is about to be closed: asks it nothing more. */
  close(): void {
    this.#closed = true;
    for (const { cancelPatience } of this.#watches.values()) cancelPatience();
    this.#watches.clear();
  }

  /** Takes the engine’s news of watched processes. */
  hear(event: NativeEvent & { type: 'watched-exited' | 'watched-status' }): void {
    const watch = this.#watches.get(event.watch);
    if (watch === undefined) return;
    const tell = (exit: Exit) => {
      this.#end(event.watch);
      watch.gone(exit);
    };
    if (event.type === 'watched-status') {
      const { code, coreDumped, userMs, systemMs } = event;
      const usage =
        userMs === null || systemMs === null
          ? null
          : { userTime: userMs, systemTime: systemMs, maxRss: null };
      tell({ code, signal: event.signal as SignalName | null, coreDumped, usage });
    } else if (watch.status) {
      // What is known at once comes with the same batch.
      const patience = this.#knowsStatus ? STATUS_PATIENCE : 0;
      watch.cancelPatience = this.#clock.after(patience, () => tell(UNKNOWN_EXIT));
    } else {
      tell(UNKNOWN_EXIT);
    }
  }

  #end(watch: number): void {
    const known = this.#watches.get(watch);
    if (known === undefined) return;
    known.cancelPatience();
    this.#watches.delete(watch);
    this.#engine.unwatch(watch);
  }
}

function rowOf({ pid, ppid, pgid, sid, startTime, state }: NativeRow): ProcessRow {
  return { pid, startedAt: startTime, ppid, pgid, sid, state };
}
