import { isSame, type MonotonicTime, type WorkerId } from '@hsu-master/core';
import type { Check, World } from '../check.ts';

/** What the supervisor says of its workers is what the system shows, but for what its host has not noticed yet. */
export class PictureCheck implements Check {
  readonly #world: World;
  /** Since when a worker that should have a process of the present master’s has none. */
  readonly #emptySince = new Map<WorkerId, MonotonicTime>();

  constructor(world: World) {
    this.#world = world;
  }

  succeeded(): void {
    this.#emptySince.clear();
  }

  changed(ids: ReadonlySet<WorkerId>): void {
    for (const id of ids) this.#emptySince.delete(id);
  }

  rested(): void {
    const [wanted, there] = [[...this.#world.specs.values()], this.#world.supervisor().specs()];
    if (
      wanted.length !== there.length ||
      !wanted.every((spec) =>
        isSame(
          spec,
          there.find(({ id }) => id === spec.id),
        ),
      )
    )
      this.#untrue(
        `its workers are ${there.map(({ id }) => id).join(' ')}, and ${wanted.map(({ id }) => id).join(' ')} are described`,
      );
    for (const id of this.#world.specs.keys()) this.#look(id);
  }

  #look(id: WorkerId): void {
    const { clock, system, unnoticed } = this.#world;
    const { phase, desired, run } = this.#world.supervisor().snapshot(id);
    // What an earlier master left of one that was removed, and came back, is none of its runs.
    const living = system.living(id).filter(({ tree }) => tree.run <= run).length;
    const alive = phase === 'running' || phase === 'stopping' || phase === 'starting';
    if (living > 0 || !alive) this.#emptySince.delete(id);
    else if (!this.#emptySince.has(id)) this.#emptySince.set(id, clock.now());
    const empty = clock.now() - (this.#emptySince.get(id) ?? clock.now());
    if (!alive && living > 0) this.#untrue(`${id} is ${phase} and has ${living} living processes`);
    if (alive && empty > unnoticed) this.#untrue(`${id} is ${phase} and has had no process for ${empty} ms`);
    if (desired === 'down' && (phase === 'blocked' || phase === 'backoff')) {
      this.#untrue(`${id} is ${phase} although nobody wants it up`);
    }
  }

  #untrue(detail: string): void {
    this.#world.violate('the-picture-is-true', detail);
  }
}
