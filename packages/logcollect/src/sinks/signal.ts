import type { Clock, Milliseconds } from '@hsu-master/core';

/** Lets one waiter go on. A notice that nobody waits for is kept for the next who does. */
export class Signal {
  #noticed = false;
  #resume: (() => void) | null = null;

  notify(): void {
    this.#noticed = true;
    this.#resume?.();
  }

  /** Resolves at the next notice, at the latest after `within`; null: without bound. */
  async wait(clock: Clock, within: Milliseconds | null): Promise<void> {
    if (!this.#noticed) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#resume = resolve;
      const cancel = within === null ? null : clock.after(Math.max(0, within), resolve);
      await promise;
      cancel?.();
      this.#resume = null;
    }
    this.#noticed = false;
  }
}
