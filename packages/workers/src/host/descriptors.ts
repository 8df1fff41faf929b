import { readdirSync } from 'node:fs';
import type { Clock, Milliseconds, MonotonicTime } from '@hsu-master/core';
import { softLimit } from './exhaustion.ts';

/** Descriptors kept for the rest of the master: logs, probes, sockets, the process table. */
const HEADROOM = 32;
/** What a worker takes at most: pidfd, gate, two pipes, two log files. */
const PER_CHILD = 6;

/** How long a count holds, apart from what was started since: others than workers take descriptors, too, but few at once. */
const COUNT_HOLDS: Milliseconds = 1000;

/** Refuses new processes while the master still has descriptors for supervising the ones it has. */
export class DescriptorGauge {
  readonly #clock: Clock;
  readonly #limit: number;
  #counted: { readonly at: MonotonicTime; most: number } | null = null;

  constructor(clock: Clock, limit: number = softLimit('files') ?? Number.POSITIVE_INFINITY) {
    this.#clock = clock;
    this.#limit = limit;
  }

  /**
   * Whether another process with its descriptors would leave too few, `awaited` ones having none yet. Counts only where it may come
   * near the limit, and anew only where those that were started since may have taken too many.
   */
  isShort(children: number, awaited: number): boolean {
    const headroom = Math.min(HEADROOM, this.#limit / 8);
    if ((children + awaited) * PER_CHILD * 2 + headroom < this.#limit / 2) return false;
    const most = this.#limit - PER_CHILD - headroom;
    const more = PER_CHILD * awaited;
    const now = this.#clock.now();
    const known = this.#counted;
    if (known !== null && now - known.at < COUNT_HOLDS && known.most + more + 3 * headroom <= most) {
      known.most += PER_CHILD;
      return false;
    }
    try {
      const inUse = readdirSync('/proc/self/fd').length;
      this.#counted = { at: now, most: inUse + PER_CHILD };
      return inUse + more > most;
    } catch {
      return true;
    }
  }
}
