import { isAtRest, type QuotaSpec, startOrder, type WorkerId, type WorkerSpec } from '@hsu-master/core';
import { Change } from './change.ts';
import type { Dependencies } from './dependencies.ts';
import type { Fleet } from './fleet.ts';
import type { UnmanagedUnits } from './kinds/unmanaged-units.ts';
import { type Ending, Transition, type TransitionResult } from './transition.ts';
import { type Surroundings, WorkerActor } from './worker-actor.ts';

interface Parts {
  readonly surroundings: Surroundings;
  readonly fleet: Fleet;
  readonly dependencies: Dependencies;
  readonly unmanaged: UnmanagedUnits;
  /** Whether anything can run; until then nothing is started, and what is not wanted is just not there. */
  readonly hasBegun: () => boolean;
  /** Starts a worker where nobody has stopped it. */
  readonly startIfWanted: (id: WorkerId) => void;
  readonly setQuota: (quota: QuotaSpec) => void;
}

/** Turns the workers that are there into those that are wanted, from wherever the change before has come. */
export class Changes {
  readonly #in: Parts;
  /** Workers that are ended for good, and what takes their places under their names; null: nothing. */
  readonly #leaving = new Map<WorkerId, WorkerSpec | null>();
  #transition: Transition | null = null;

  constructor(parts: Parts) {
    this.#in = parts;
  }

  /** As they are wanted now. */
  wanted(): readonly WorkerSpec[] {
    return this.#in.fleet.specs().flatMap((spec) => {
      const next = this.#leaving.get(spec.id);
      if (next === undefined) return [spec];
      return next === null ? [] : [next];
    });
  }

  /** Whether a worker is ended for good. */
  isLeaving(id: WorkerId): boolean {
    return this.#leaving.has(id);
  }

  /** Whether a worker is still as it was and about to be ended: nobody who needs it begins now. */
  isAwaited(id: WorkerId): boolean {
    return this.#transition?.isAwaited(id) === true;
  }

  /** @param finished told once what it has come to */
  turnInto(specs: readonly WorkerSpec[], finished: (result: TransitionResult) => void): void {
    const { surroundings, fleet, dependencies } = this.#in;
    const failure = {
      code: 'E_SUPERSEDED',
      message: 'a later configuration took its place',
      workerId: null,
    } as const;
    this.#transition?.abandon({ state: 'superseded', failures: [failure] });
    const awaited: ReadonlyMap<WorkerId, Ending> = this.#transition?.awaited ?? new Map();
    const change = new Change(specs, { actors: fleet.actors, leaving: this.#leaving, awaited });
    this.#describe(change, specs);
    if (!this.#in.hasBegun()) {
      for (const id of this.#leaving.keys()) this.#remove(id);
      finished({ state: 'done', failures: [] });
      return;
    }
    const ending = change.ending();
    const starting = new Set([...change.added.map(({ id }) => id), ...change.enabled]);
    this.#transition = new Transition({
      mailbox: surroundings.mailbox,
      actors: fleet.actors,
      ending,
      needs: change.needs,
      starting,
      tell: (actor, how) => this.#endFor(actor, how),
      finished,
    });
    for (const { actor } of change.kept) dependencies.show(actor);
    for (const id of [...ending.keys(), ...awaited.keys()]) dependencies.showDependents(id);
    for (const id of startOrder(specs)) if (starting.has(id)) this.#in.startIfWanted(id);
    this.#transition.look();
  }

  /** A worker has changed. */
  turned(actor: WorkerActor): void {
    const { id } = actor.spec;
    if (this.#leaving.has(id) && isAtRest(actor.worker)) this.#remove(id);
    this.#transition?.turned(actor);
  }

  /** The master ends: what was not carried out of a change is the next one’s. */
  breakOff(): void {
    const failure = { code: 'E_SHUTTING_DOWN', message: 'the master ended', workerId: null } as const;
    this.#transition?.abandon({ state: 'failed', failures: [failure] });
    this.#transition = null;
  }

  /** All that takes no time. */
  #describe({ kept, quotas, added }: Change, specs: readonly WorkerSpec[]): void {
    const { fleet, unmanaged } = this.#in;
    for (const { actor, spec } of kept) actor.change(spec);
    for (const quota of quotas) this.#in.setQuota(quota);
    fleet.take(added.map((spec) => this.#made(spec)));
    fleet.order(specs);
    for (const { actor } of kept) if (actor.isOutdated) unmanaged.renew(actor);
  }

  #made(spec: WorkerSpec): WorkerActor {
    return new WorkerActor(spec, this.#in.surroundings);
  }

  /** The turn of a worker has come that is ended. */
  #endFor(actor: WorkerActor, how: Ending): void {
    const { surroundings, dependencies } = this.#in;
    const { id } = actor.spec;
    if (how === 'replace') dependencies.show(actor);
    else actor.tell({ kind: 'stop', ticket: null, cause: 'configuration' });
    // Also of one that is stopped: what it runs now is not what it runs if somebody starts it meanwhile.
    if (how !== 'remove') actor.replace();
    // When it has heard it: until then it is as it was.
    surroundings.mailbox.post(() => dependencies.showDependents(id));
  }

  /** Nothing of a worker is alive that was ended for good: it is forgotten, and what takes its name begins. */
  #remove(id: WorkerId): void {
    const { surroundings, fleet, dependencies, unmanaged } = this.#in;
    const { journal, ports } = surroundings;
    const { worker } = fleet.of(id);
    const next = this.#leaving.get(id) ?? null;
    this.#leaving.delete(id);
    unmanaged.forget(id);
    ports.forget(id);
    journal.remember(id, null);
    journal.recordJudgement(id, null);
    if (next === null) {
      fleet.remove(id);
      journal.recordDesired(id, 'up');
      if (this.#in.hasBegun()) this.#tellRemoved(id, worker.run);
      return;
    }
    fleet.take([this.#made(next)]);
    if (!this.#in.hasBegun()) return;
    this.#in.startIfWanted(id);
    dependencies.showDependents(id);
  }

  #tellRemoved(id: WorkerId, runs: number): void {
    const { events, clock } = this.#in.surroundings;
    events.publish({ type: 'worker.removed', payload: { runs } }, clock.wallNow(), id, null);
  }
}
