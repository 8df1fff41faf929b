import { closeSync, openSync, readdirSync } from 'node:fs';
import { softLimit } from './exhaustion.ts';

/** Descriptors kept for the rest of the master: logs, probes, sockets, the process table. */
const HEADROOM = 32;
/** What a worker takes at most: pidfd, gate, two pipes, two log files. */
const PER_CHILD = 6;

/** Refuses new processes while the master still has descriptors for supervising the ones it has. */
export class DescriptorGauge {
  readonly #limit = softLimit('files') ?? Number.POSITIVE_INFINITY;

  /**
   * Whether another process with its descriptors would leave too few, `awaited` ones having none yet. Looks only where it may come
   * near the limit.
   */
  isShort(children: number, awaited: number): boolean {
    const headroom = Math.min(HEADROOM, this.#limit / 8);
    if ((children + awaited) * PER_CHILD * 2 + headroom < this.#limit / 2) return false;
    try {
      // The lowest number that is free: at least as many are in use. Counting them all is dearer, and seldom needed.
      const fd = openSync('/dev/null', 'r');
      closeSync(fd);
      const more = PER_CHILD * awaited;
      if (fd + more + 4 * headroom < this.#limit) return false;
      return readdirSync('/proc/self/fd').length + more + PER_CHILD + headroom > this.#limit;
    } catch {
      return true;
    }
  }
}
