import type { Clock, Effect, TimerName } from '@hsu-master/core';

/** Those of one worker: at most one of each name. */
export class Timers {
  readonly #clock: Clock;
  readonly #due: (run: number, timer: TimerName) => void;
  readonly #cancels = new Map<TimerName, () => void>();

  constructor(clock: Clock, due: (run: number, timer: TimerName) => void) {
    this.#clock = clock;
    this.#due = due;
  }

  /** In the place of the one of that name. */
  set({ run, timer, delay }: Effect & { readonly kind: 'set-timer' }): void {
    this.#cancels.get(timer)?.();
    const cancel = this.#clock.after(delay, () => {
      this.#cancels.delete(timer);
      this.#due(run, timer);
    });
    this.#cancels.set(timer, cancel);
  }

  clear(timer: TimerName): void {
    this.#cancels.get(timer)?.();
    this.#cancels.delete(timer);
  }

  clearAll(): void {
    for (const cancel of this.#cancels.values()) cancel();
    this.#cancels.clear();
  }
}
