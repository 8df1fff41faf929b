import type { MonotonicTime, WorkerId } from '@hsu-master/core';
import type { Check, World } from '../check.ts';

/** What the supervisor says of its workers is what the system shows, but for what its host has not noticed yet. */
export function checkPicture(world: World): Check {
  const { clock, system, specs } = world;
  /** Since when a worker that should have a process of the present master’s has none. */
  let emptySince = new Map<WorkerId, MonotonicTime>();
  return {
    master() {
      emptySince = new Map();
    },
    rested() {
      for (const id of specs.keys()) {
        const { phase, desired } = world.supervisor().snapshot(id);
        const own = `${world.masterId()}.`;
        const living = system.living(id).filter((process) => process.tree.mark.startsWith(own)).length;
        const alive = phase === 'running' || phase === 'stopping' || phase === 'starting';
        if (living > 0 || !alive) emptySince.delete(id);
        else if (!emptySince.has(id)) emptySince.set(id, clock.now());
        const empty = clock.now() - (emptySince.get(id) ?? clock.now());
        if (!alive && living > 0) {
          world.violate('the-picture-is-true', `${id} is ${phase} and has ${living} living processes`);
        }
        if (alive && empty > world.unnoticed) {
          world.violate('the-picture-is-true', `${id} is ${phase} and has had no process for ${empty} ms`);
        }
        if (desired === 'down' && (phase === 'blocked' || phase === 'backoff')) {
          world.violate('the-picture-is-true', `${id} is ${phase} although nobody wants it up`);
        }
      }
    },
  };
}
