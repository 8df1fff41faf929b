import type { Clock, Milliseconds } from '@hsu-master/core';

/** Time that moves only when told. */
export class TestClock implements Clock {
  #now = 1000;
  #timers = new Set<{ readonly at: number; readonly fire: () => void }>();

  now(): number {
    return this.#now;
  }

  wallNow(): number {
    return 1_700_000_000_000 + this.#now;
  }

  random(): number {
    return 0;
  }

  after(delay: Milliseconds, fire: () => void): () => void {
    const timer = { at: this.#now + delay, fire };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Timers that have not fired. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Moves on by `span`, firing what falls due on the way, in order. */
  advance(span: Milliseconds): void {
    const end = this.#now + span;
    for (;;) {
      const due = [...this.#timers].filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers.delete(due);
      this.#now = Math.max(this.#now, due.at);
      due.fire();
    }
    this.#now = end;
  }
}
