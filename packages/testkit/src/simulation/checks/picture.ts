import type { MonotonicTime, WorkerId } from '@hsu-master/core';
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

  rested(): void {
    for (const id of this.#world.specs.keys()) this.#look(id);
  }

  #look(id: WorkerId): void {
    const { clock, system, unnoticed } = this.#world;
    const { phase, desired } = this.#world.supervisor().snapshot(id);
    const living = system.living(id).length;
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
