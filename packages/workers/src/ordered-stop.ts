import {
  type Clock,
  isAtRest,
  KILL_WAIT,
  type Milliseconds,
  type MonotonicTime,
  type ProcessIdentity,
  stoppable,
  type Worker,
  type WorkerId,
} from '@hsu-master/core';
import type { LeftOvers } from './left-overs.ts';
import type { Mailbox } from './mailbox.ts';
import type { WorkerActor } from './worker-actor.ts';

/** After a forced stop: what has not answered by then is named as a survivor. */
const GIVE_UP: Milliseconds = KILL_WAIT + 2000;

/** What an ordered stop came to. */
export interface ShutdownResult {
  /** Processes that could not be ended. */
  readonly survivors: readonly { readonly workerId: WorkerId; readonly process: ProcessIdentity }[];
  /** Whether the deadline or `force` cut the graces short. */
  readonly forced: boolean;
}

interface Parts {
  readonly clock: Clock;
  readonly mailbox: Mailbox;
  readonly actors: ReadonlyMap<WorkerId, WorkerActor>;
  readonly leftOvers: LeftOvers;
  /** Called once: nothing is alive, or the survivors are known. */
  readonly finished: (result: ShutdownResult) => void;
}

/** Whether a worker has nothing alive but would start by itself: it is stopped without waiting for its turn. */
function canBeTold(worker: Worker): boolean {
  return worker.phase.name === 'blocked' || worker.phase.name === 'backoff' || isAtRest(worker);
}

/** Whether the whole has to be looked at for what this worker came to. */
function hasCome(worker: Worker): boolean {
  return isAtRest(worker) || (worker.phase.name === 'stopping' && worker.phase.survivors.length > 0);
}

/** Ends all workers, dependents before what they depend on; when its deadline is over, what is left is killed. */
export class OrderedStop {
  readonly #in: Parts;
  readonly #told = new Set<WorkerId>();
  readonly #until: MonotonicTime;
  /** Of the deadline; after `force`, of the end of all patience. */
  #cancelTimer: () => void;
  #forced = false;
  #scheduled = false;
  #finished = false;

  constructor(parts: Parts, deadline: Milliseconds) {
    this.#in = parts;
    this.#until = parts.clock.now() + deadline;
    this.#cancelTimer = parts.clock.after(deadline, () => this.force());
  }

  get finished(): boolean {
    return this.#finished;
  }

  /** What of a grace is within the deadline: who asks in several ways is to take them all within it. */
  leaves(grace: Milliseconds | null): Milliseconds | null {
    return grace === null ? null : Math.max(0, Math.min(grace, this.#until - this.#in.clock.now()));
  }

  begin(): void {
    this.#in.mailbox.post(() => this.#advance());
  }

  /** Nothing more is done. */
  abandon(): void {
    this.#finished = true;
    this.#cancelTimer();
  }

  /** Kills what is left at once. */
  force(): void {
    if (this.#forced || this.#finished) return;
    this.#forced = true;
    this.#in.leftOvers.kill();
    for (const actor of this.#in.actors.values()) {
      if (!isAtRest(actor.worker)) actor.tell({ kind: 'kill', ticket: null, cause: 'shutdown' });
    }
    this.#cancelTimer();
    this.#cancelTimer = this.#in.clock.after(GIVE_UP, () => {
      if (!this.#finished) this.#finish(this.#stillThere());
    });
  }

  /** A worker has changed. */
  turned({ spec, worker }: WorkerActor): void {
    if (this.#told.has(spec.id) ? hasCome(worker) : canBeTold(worker)) this.look();
  }

  /** Looks at the whole, once for all that happened in this turn of the event loop. */
  look(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#in.clock.after(0, () => {
      this.#scheduled = false;
      this.#in.mailbox.post(() => this.#advance());
    });
  }

  #advance(): void {
    if (this.#finished) return;
    const { actors, leftOvers } = this.#in;
    const atRest = new Set<WorkerId>();
    const survivors = [...leftOvers.survivors()];
    let { settled } = leftOvers;
    for (const [id, { worker }] of actors) {
      if (isAtRest(worker)) atRest.add(id);
      else if (worker.phase.name === 'stopping' && worker.phase.survivors.length > 0) {
        for (const process of worker.phase.survivors) survivors.push({ workerId: id, process });
      } else settled = false;
    }
    if (settled) {
      this.#finish(survivors);
      return;
    }
    const specs = [...actors.values()].map(({ spec }) => spec);
    const order = new Set(stoppable(specs, atRest));
    for (const [id, actor] of actors) {
      if (this.#told.has(id) || !(order.has(id) || canBeTold(actor.worker))) continue;
      this.#told.add(id);
      actor.tell({ kind: this.#forced ? 'kill' : 'stop', ticket: null, cause: 'shutdown' });
    }
  }

  /** Whatever has not ended, for whatever reason: also a start that the system never answered. */
  #stillThere(): ShutdownResult['survivors'] {
    const { actors, leftOvers } = this.#in;
    const workers = [...actors].filter(([, actor]) => !isAtRest(actor.worker));
    const there = workers.flatMap(([workerId, actor]) =>
      actor.members().map((process) => ({ workerId, process })),
    );
    return [...leftOvers.survivors(), ...there];
  }

  #finish(survivors: ShutdownResult['survivors']): void {
    this.abandon();
    this.#in.finished({ survivors, forced: this.#forced });
  }
}
