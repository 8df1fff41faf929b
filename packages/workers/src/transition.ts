import type { Dependency, Failure, Worker, WorkerId } from '@hsu-master/core';
import type { Mailbox } from './mailbox.ts';
import type { WorkerActor } from './worker-actor.ts';

/** What a change of specs has come to. */
export interface TransitionResult {
  /** superseded: a later change goes on from here. failed: something outlived its end, or the master ended first. */
  readonly state: 'done' | 'superseded' | 'failed';
  readonly failures: readonly (Failure & { readonly workerId: WorkerId | null })[];
}

/** Ended for good, to give way to its next run, or since it is not enabled any more. */
export type Ending = 'remove' | 'replace' | 'disable';

interface Parts {
  readonly mailbox: Mailbox;
  readonly actors: ReadonlyMap<WorkerId, WorkerActor>;
  /** Those that are ended. */
  readonly ending: ReadonlyMap<WorkerId, Ending>;
  /** What the processes depended on that were there before. */
  readonly needs: ReadonlyMap<WorkerId, readonly Dependency[]>;
  /** Those that are started. */
  readonly starting: ReadonlySet<WorkerId>;
  /** The turn of one that ends has come. */
  readonly tell: (actor: WorkerActor, how: Ending) => void;
  readonly finished: (result: TransitionResult) => void;
}

/**
 * Carries out the part of a change of specs that takes its time: what goes and what gives way is ended in order, dependents first, and
 * nothing of it begins before that on which it depends is the new one.
 */
export class Transition {
  readonly #in: Parts;
  /** Those whose turn has not come. */
  readonly #untold: Set<WorkerId>;
  /** By whose runs of those that end each is needed. */
  readonly #needed = new Map<WorkerId, { readonly actor: WorkerActor; readonly run: number }[]>();
  #scheduled = false;
  #finished = false;

  constructor(parts: Parts) {
    this.#in = parts;
    this.#untold = new Set(parts.ending.keys());
    for (const id of this.#untold) {
      const actor = parts.actors.get(id);
      if (actor === undefined) continue;
      const holder = { actor, run: actor.worker.run };
      for (const dependency of parts.needs.get(id) ?? []) {
        const known = this.#needed.get(dependency.id);
        if (known === undefined) this.#needed.set(dependency.id, [holder]);
        else known.push(holder);
      }
    }
  }

  /** Whether a worker is still as it was and about to be ended: nobody who needs it begins now. */
  isAwaited(id: WorkerId): boolean {
    return this.#untold.has(id);
  }

  /** Those that are still to be ended, and what for. */
  get awaited(): ReadonlyMap<WorkerId, Ending> {
    return new Map([...this.#in.ending].filter(([id]) => this.#untold.has(id)));
  }

  /** A worker has changed. */
  turned({ spec: { id } }: WorkerActor): void {
    if (this.#in.ending.has(id) || this.#in.starting.has(id)) this.look();
  }

  /** A later change takes its place, or the master ends. */
  abandon(result: TransitionResult): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#in.finished(result);
  }

  /** Looks at the whole, once for all that happened in the turns under way. */
  look(): void {
    if (this.#scheduled || this.#finished) return;
    this.#scheduled = true;
    this.#in.mailbox.post(() => {
      this.#scheduled = false;
      if (!this.#finished) this.#advance();
    });
  }

  #advance(): void {
    const free = [...this.#untold].filter((id) => !this.#isHeld(id));
    // Those that need each other in a circle, which only several changes one after the other can come to, go together.
    const now = free.length === 0 && !this.#isMoving() ? [...this.#untold] : free;
    for (const id of now) {
      this.#untold.delete(id);
      const actor = this.#in.actors.get(id);
      const how = this.#in.ending.get(id);
      if (actor !== undefined && how !== undefined) this.#in.tell(actor, how);
    }
    if (now.length > 0) this.look();
    else if (this.#untold.size === 0 && !this.#isMoving()) this.#finish();
  }

  /** Whether a process that needs it, and ends as well, is there. */
  #isHeld(id: WorkerId): boolean {
    return (this.#needed.get(id) ?? []).some(
      ({ actor: { worker, spec }, run }) =>
        worker.run === run && isAlive(worker) && this.#in.actors.get(spec.id)?.worker === worker,
    );
  }

  /** Whether something will come of itself that has to be waited for. */
  #isMoving(): boolean {
    const { actors, ending, starting } = this.#in;
    for (const ids of [ending.keys(), starting]) {
      for (const id of ids) {
        const actor = actors.get(id);
        if (actor === undefined || this.#untold.has(id)) continue;
        const { phase } = actor.worker;
        if (phase.name === 'starting' || (phase.name === 'stopping' && phase.survivors.length === 0))
          return true;
      }
    }
    return false;
  }

  #finish(): void {
    const { actors, ending } = this.#in;
    const failures = [...ending.keys()].flatMap((workerId) => {
      const phase = actors.get(workerId)?.worker.phase;
      if (phase?.name !== 'stopping' || phase.survivors.length === 0) return [];
      const pids = phase.survivors.map(({ pid }) => pid).join(', ');
      const message = `worker "${workerId}": still alive after SIGKILL: pid ${pids}`;
      return [{ code: 'E_SURVIVORS', message, workerId } as const];
    });
    this.abandon({ state: failures.length === 0 ? 'done' : 'failed', failures });
  }
}

/** Something of it may be alive that has not outlived its end. */
function isAlive({ phase }: Worker): boolean {
  if (phase.name === 'stopping') return phase.survivors.length === 0;
  return phase.name === 'running' || phase.name === 'starting';
}
