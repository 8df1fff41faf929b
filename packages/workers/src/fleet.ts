import { dependents, HsuError, type ProcessIdentity, type WorkerId, type WorkerSpec } from '@hsu-master/core';
import type { WorkerActor } from './worker-actor.ts';

/** The workers that are there, in their order, and who depends on whom. */
export class Fleet {
  readonly #actors = new Map<WorkerId, WorkerActor>();
  #dependents: ReadonlyMap<WorkerId, readonly WorkerId[]> = new Map();

  /** By id. */
  get actors(): ReadonlyMap<WorkerId, WorkerActor> {
    return this.#actors;
  }

  /** @throws HsuError E_UNKNOWN_WORKER */
  of(id: WorkerId): WorkerActor {
    const actor = this.#actors.get(id);
    if (actor === undefined) throw new HsuError('E_UNKNOWN_WORKER', `there is no worker "${id}"`, { id });
    return actor;
  }

  specs(): readonly WorkerSpec[] {
    return [...this.#actors.values()].map((actor) => actor.spec);
  }

  dependentsOf(id: WorkerId): readonly WorkerActor[] {
    return (this.#dependents.get(id) ?? []).map((dependent) => this.of(dependent));
  }

  /** Processes of other workers: all of their trees, of what others started just the main ones. */
  processesBesides(id: WorkerId): readonly ProcessIdentity[] {
    return [...this.#actors].flatMap(([other, actor]) => {
      if (other === id) return [];
      const { phase } = actor.worker;
      const main = phase.name === 'running' || phase.name === 'stopping' ? [phase.process] : [];
      return actor.spec.unmanaged === null ? [...main, ...actor.members()] : main;
    });
  }

  /** Each at the end, or in the place of the one that has its name. */
  take(actors: readonly WorkerActor[]): void {
    for (const actor of actors) this.#actors.set(actor.spec.id, actor);
    this.#look();
  }

  remove(id: WorkerId): void {
    this.#actors.delete(id);
    this.#look();
  }

  /** In the order of the specs, all of which are there; the others come last. To be told also when specs of those that are there changed. */
  order(specs: readonly WorkerSpec[]): void {
    const actors = new Map(this.#actors);
    this.#actors.clear();
    for (const { id } of specs) this.#actors.set(id, actors.get(id) as WorkerActor);
    for (const [id, actor] of actors) if (!this.#actors.has(id)) this.#actors.set(id, actor);
    this.#look();
  }

  #look(): void {
    this.#dependents = dependents(this.specs());
  }
}
