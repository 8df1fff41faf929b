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

/** For a process whose worker is no longer configured. */
const DEFAULT_STOP: StopSpec = { signal: 'SIGTERM', grace: 10_000 };

/** Nobody reads what it writes, and its limits stay as they are. */
const NOTHING = { command: null, channels: null, limits: null, limitsHold: true, quotas: [] } as const;

interface Parts {
  readonly host: Host;
  readonly clock: Clock;
  readonly journal: Journal;
  readonly events: EventStream;
  /** How a worker’s processes are ended; null where there is no such worker. */
  readonly stopOf: (id: WorkerId) => StopSpec | null;
  /** Called when a tree is gone, or is known to survive. */
  readonly changed: (id: WorkerId) => void;
}

interface Ending {
  readonly left: RunRecord;
  run: HostRun | null;
  cancelTimer: () => void;
  killed: boolean;
  survivors: readonly ProcessIdentity[];
}

/** The process trees that an earlier master recorded and left: each is ended, so that no worker ever runs twice. */
export class LeftOvers {
  readonly #parts: Parts;
  readonly #endings = new Map<WorkerId, Ending>();
  #begun = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    for (const left of parts.journal.leftOvers()) {
      this.#endings.set(left.workerId, {
        left,
        run: null,
        cancelTimer: () => {},
        killed: false,
        survivors: [],
      });
    }
  }

  /** Asks all of them to end; a later call does nothing. */
  begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    for (const ending of this.#endings.values()) this.#ask(ending);
  }

  /** Ends the asking. */
  kill(): void {
    if (!this.#begun) return;
    for (const ending of this.#endings.values()) if (!ending.killed) this.#kill(ending);
  }

  /** The master has ended: what survived is left alone. */
  abandon(): void {
    for (const ending of this.#endings.values()) ending.cancelTimer();
  }

  /** What a worker has to wait for. */
  waitingOf(id: WorkerId): readonly Waiting[] {
    const ending = this.#endings.get(id);
    if (ending === undefined) return [];
    const { pid } = ending.left.process;
    return [{ id, condition: 'ended', reason: `what an earlier master left of it to end (pid ${pid})` }];
  }

  /** Whether nothing changes any more by itself: all are gone or known to survive. */
  get settled(): boolean {
    return !this.#begun || [...this.#endings.values()].every(({ survivors }) => survivors.length > 0);
  }

  /** Processes that SIGKILL did not end, by worker. */
  survivors(): readonly { readonly workerId: WorkerId; readonly process: ProcessIdentity }[] {
    return [...this.#endings.values()].flatMap(({ left: { workerId }, survivors }) =>
      survivors.map((process) => ({ workerId, process })),
    );
  }

  #ask(ending: Ending): void {
    const { host, clock, stopOf } = this.#parts;
    const { left } = ending;
    const stop = stopOf(left.workerId) ?? DEFAULT_STOP;
    let anyAlive = false;
    const { workerId, run: number, process, mark } = left;
    const request = { workerId, run: number, process, mark, ...NOTHING } as const;
    const run = host.attach(request, (report) => {
      if (report.kind === 'exited' && report.remaining.length > 0) anyAlive = true;
      const empty =
        report.kind === 'tree-empty' || (report.kind === 'exited' && report.remaining.length === 0);
      if (empty) this.#gone(ending, anyAlive);
    });
    ending.run = run;
    anyAlive = run.members().length > 0;
    // The master that left it may have held it back.
    run.throttle(null);
    run.signalTree(stop.signal);
    ending.cancelTimer = clock.after(stop.grace, () => this.#kill(ending));
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
    const { workerId, run, process } = ending.left;
    ending.cancelTimer();
    this.#endings.delete(workerId);
    journal.forgetRun(workerId, run);
    if (wasAlive) {
      const draft = { type: 'supervisor.left-over-ended', payload: { process } } as const;
      events.publish(draft, clock.wallNow(), workerId, run);
    }
    changed(workerId);
  }
}
