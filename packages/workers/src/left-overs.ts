import {
  type Clock,
  type EventStream,
  type Host,
  type HostRun,
  type Journal,
  KILL_WAIT,
  type ProcessIdentity,
  type RunRecord,
  type StopSpec,
  type Waiting,
  type WorkerId,
} from '@hsu-master/core';
import { AwaitedRun, attachOrAwait } from './awaited-run.ts';

const STOP: StopSpec = { signal: 'SIGTERM', grace: 10_000 };

/** Nobody reads what it writes, and its limits stay as they are. */
const NOTHING = { command: null, channels: null, limits: null, limitsHold: true, quotas: [] } as const;

interface Parts {
  readonly host: Host;
  readonly clock: Clock;
  readonly journal: Journal;
  readonly events: EventStream;
  /** Called when a tree is gone, or is known to survive. */
  readonly changed: (id: WorkerId) => void;
}

interface Ending {
  readonly left: RunRecord;
  /** The journal knows of it; what else it knows of that worker is of another run. */
  readonly recorded: boolean;
  run: HostRun | null;
  cancelTimer: () => void;
  killed: boolean;
  survivors: readonly ProcessIdentity[];
}

/**
 * What an earlier master left of workers that are not configured any more, and runs that nobody remembers: nobody wants them, so each tree
 * is ended.
 */
export class LeftOvers {
  readonly #parts: Parts;
  /** By mark. */
  readonly #endings = new Map<string, Ending>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Asks those to end of which the journal knows. */
  end(records: readonly RunRecord[]): void {
    for (const left of records) this.#begin(left, true);
  }

  /** The same, of which it does not. */
  endUnrecorded(records: readonly RunRecord[]): void {
    for (const left of records) this.#begin(left, false);
  }

  /** Ends the asking. */
  kill(): void {
    for (const ending of this.#endings.values()) if (!ending.killed) this.#kill(ending);
  }

  /** The master has ended: what survived is left alone. */
  abandon(): void {
    for (const ending of this.#endings.values()) {
      ending.cancelTimer();
      if (ending.run instanceof AwaitedRun) ending.run.giveUp();
    }
  }

  /** What a worker has to wait for. */
  waitingOf(id: WorkerId): readonly Waiting[] {
    if (this.#endings.size === 0) return [];
    const pids = [...this.#endings.values()]
      .filter(({ left }) => left.workerId === id)
      .map(({ left }) => `pid ${left.process.pid}`);
    if (pids.length === 0) return [];
    const reason = `what an earlier master left of it to end (${pids.join(', ')})`;
    return [{ id, condition: 'ended', reason }];
  }

  /** Whether nothing changes any more by itself: all are gone or known to survive. */
  get settled(): boolean {
    return [...this.#endings.values()].every(({ survivors }) => survivors.length > 0);
  }

  /** Processes that SIGKILL did not end, by worker. */
  survivors(): readonly { readonly workerId: WorkerId; readonly process: ProcessIdentity }[] {
    return [...this.#endings.values()].flatMap(({ left: { workerId }, survivors }) =>
      survivors.map((process) => ({ workerId, process })),
    );
  }

  #begin(left: RunRecord, recorded: boolean): void {
    const nothing = { run: null, cancelTimer: () => {}, killed: false, survivors: [] } as const;
    const ending: Ending = { left, recorded, ...nothing };
    this.#endings.set(left.mark, ending);
    this.#ask(ending);
  }

  #ask(ending: Ending): void {
    const { host, clock } = this.#parts;
    const { left } = ending;
    let anyAlive = false;
    const { workerId, run: number, process, mark } = left;
    const request = { workerId, run: number, process, mark, ...NOTHING } as const;
    const attach = (): HostRun =>
      host.attach(request, (report) => {
        if (report.kind === 'exited' && report.remaining.length > 0) anyAlive = true;
        const empty =
          report.kind === 'tree-empty' || (report.kind === 'exited' && report.remaining.length === 0);
        if (empty) this.#gone(ending, anyAlive);
      });
    const attached = (run: HostRun): void => {
      ending.run = run;
    };
    const run = attachOrAwait({ clock, process, attach, attached });
    ending.run = run;
    anyAlive = run.members().length > 0;
    // The master that left it may have held it back.
    run.throttle(null);
    run.signalTree(STOP.signal, STOP.grace);
    ending.cancelTimer = clock.after(STOP.grace, () => this.#kill(ending));
  }

  #kill(ending: Ending): void {
    ending.cancelTimer();
    ending.killed = true;
    ending.run?.signalTree('SIGKILL');
    ending.cancelTimer = this.#parts.clock.after(KILL_WAIT, () => {
      const known = ending.survivors.length > 0;
      ending.survivors = ending.run?.members() ?? [];
      if (!known && ending.survivors.length > 0) this.#parts.changed(ending.left.workerId);
      this.#kill(ending);
    });
  }

  #gone(ending: Ending, wasAlive: boolean): void {
    const { clock, journal, events, changed } = this.#parts;
    const { workerId, run, process, mark } = ending.left;
    ending.cancelTimer();
    this.#endings.delete(mark);
    if (ending.recorded) {
      journal.forgetRun(workerId, run);
      journal.remember(workerId, null);
    }
    if (wasAlive) {
      const draft = { type: 'supervisor.left-over-ended', payload: { process } } as const;
      events.publish(draft, clock.wallNow(), workerId, run);
    }
    changed(workerId);
  }
}
