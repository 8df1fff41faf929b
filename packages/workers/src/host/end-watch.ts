import type { Clock, Exit, Milliseconds, ProcessIdentity } from '@hsu-master/core';
import type { Forest } from './forest.ts';
import { isSame } from './tree.ts';

/** How often a process is looked at that the system does not let us watch. */
export const LOOK_EVERY: Milliseconds = 50;

export const UNKNOWN_EXIT: Exit = { code: null, signal: null, coreDumped: false, usage: null };

/** Awaits the ends of processes of one tree: the system tells of them or, where it cannot, they are looked at in a rhythm. */
export class EndWatch {
  readonly #forest: Forest;
  readonly #clock: Clock;
  readonly #watches = new Map<number, () => void>();
  #isOver = false;

  constructor({ forest, clock }: { readonly forest: Forest; readonly clock: Clock }) {
    this.#forest = forest;
    this.#clock = clock;
  }

  /**
   * False where the system cannot watch it, or it is gone already. Who is watched is not watched again.
   * @param status whether how it ends is asked
   */
  watch(process: ProcessIdentity, status: boolean, gone: (exit: Exit) => void): boolean {
    const { pid } = process;
    if (this.#watches.has(pid)) return true;
    const end = this.#forest.system.watch(process, status, (exit) => {
      this.#watches.delete(pid);
      gone(exit);
    });
    if (end === null) return false;
    this.#watches.set(pid, end);
    return true;
  }

  /** The same with its status, in the place of any watch before; who cannot be watched is looked at. */
  follow(process: ProcessIdentity, ended: (exit: Exit) => void): void {
    this.#watches.get(process.pid)?.();
    this.#watches.delete(process.pid);
    if (!this.watch(process, true, ended)) this.#poll(process, ended);
  }

  /** Nobody is told anything any more. */
  close(): void {
    this.#isOver = true;
    for (const end of this.#watches.values()) end();
    this.#watches.clear();
  }

  #poll(process: ProcessIdentity, ended: (exit: Exit) => void): void {
    this.#forest.soon(() => {
      if (this.#isOver) return;
      if (this.#mayLive(process)) this.#clock.after(LOOK_EVERY, () => this.#poll(process, ended));
      else ended(UNKNOWN_EXIT);
    });
  }

  /** Whom the system cannot show for now, where no descriptor is free, may live. */
  #mayLive(process: ProcessIdentity): boolean {
    try {
      return isSame(process, this.#forest.system.identify(process.pid));
    } catch {
      return true;
    }
  }
}
