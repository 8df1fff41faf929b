import type { Milliseconds, MonotonicTime } from '@hsu-master/core';

/** For so long after something was first seen, an end that is reported may come of it. */
const FRESH_FOR: Milliseconds = 1000;

/** Tells what the kernel has counted lately, kills for want of memory or refused forks, from what it had before. It only ever counts up. */
export class FreshCount {
  #old: number;
  /** Counts that were news in the last while, the earliest first. */
  #fresh: { readonly count: number; readonly since: MonotonicTime }[] = [];

  /** @param old what was counted before anything of it could be seen */
  constructor(old = 0) {
    this.#old = old;
  }

  /** A look has counted so many. */
  see(count: number, at: MonotonicTime): void {
    const known = this.#fresh.at(-1)?.count ?? this.#old;
    for (let first = this.#fresh[0]; first !== undefined && at - first.since >= FRESH_FOR; ) {
      this.#old = first.count;
      this.#fresh.shift();
      first = this.#fresh[0];
    }
    if (count > known) this.#fresh.push({ count, since: at });
  }

  /** Whether an end that is reported now may come of one of so many. If so, they explain no later one. */
  explains(count: number, at: MonotonicTime): boolean {
    this.see(count, at);
    if (count <= this.#old) return false;
    this.#old = count;
    this.#fresh = [];
    return true;
  }
}
