import { posix } from 'node:path';
import { makeBase1 } from './acquire.ts';
import type { Controller1, Facilities } from './facilities.ts';
import { type Errno, makeDirectory, removeDirectory, writeText } from './files.ts';
import { type Group, makeGroupDirectory } from './group.ts';

/** Makes directories below the bases of the master, and these again where somebody has removed them, as anybody may with empty ones. */
export class Bases {
  readonly #facilities: Facilities;

  constructor(facilities: Facilities) {
    this.#facilities = facilities;
  }

  /** Like `makeGroupDirectory`. */
  make(directory: string, controller: Controller1 | null): Errno {
    const refused = makeGroupDirectory(directory, controller);
    if (refused !== 'ENOENT') return refused;
    this.#makeAgain();
    return makeGroupDirectory(directory, controller);
  }

  /** Makes all directories of a group or none. */
  makeAll(group: Group): { readonly errno: Exclude<Errno, null>; readonly directory: string } | null {
    const made: string[] = [];
    const places = new Map<string, Controller1 | null>();
    if (group.unified !== null) places.set(group.unified, null);
    for (const [controller, directory] of group.controllers) {
      if (controller === 'cpuset' || !places.has(directory)) places.set(directory, controller);
    }
    for (const [directory, controller] of places) {
      let errno = this.make(directory, controller);
      // An empty one is what a removal that is still tried has not come to.
      if (errno === 'EEXIST' && removeDirectory(directory) === null) errno = this.make(directory, controller);
      if (errno !== null) {
        for (const one of made) removeDirectory(one);
        return { errno, directory };
      }
      made.push(directory);
    }
    return null;
  }

  /** Lets groups below one of v2 have its controllers. */
  handDown(unified: string): void {
    const controllers = [...(this.#facilities.tree2?.controllers ?? [])];
    const file = posix.join(unified, 'cgroup.subtree_control');
    if (controllers.length > 0) writeText(file, controllers.map((name) => `+${name}`).join(' '));
  }

  #makeAgain(): void {
    const { tree2, trees1 } = this.#facilities;
    if (tree2 !== null && makeDirectory(tree2.base) === null) this.handDown(tree2.base);
    for (const [controller, base] of trees1) makeBase1(base, controller);
  }
}
