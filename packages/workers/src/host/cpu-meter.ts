import type { Milliseconds } from '@hsu-master/core';
import type { NativeProcessUsage } from '@hsu-master/native';

/** What a process has used when it was seen last. */
type Seen = Pick<NativeProcessUsage, 'startTime' | 'cpuMs' | 'childrenCpuMs'>;

/**
 * Adds up the CPU time of a tree from looks at its living processes. Whoever ends between two looks and is waited for by a member
 * counts in full, by the time of its parent’s children; else what it used after the last look is lost.
 */
export class CpuMeter {
  #seen: ReadonlyMap<number, Seen> = new Map();
  #total: Milliseconds = 0;

  /** Takes in a look; returns the sum since the first process began. */
  add(processes: readonly (Seen & { readonly pid: number })[]): Milliseconds {
    const now = new Map<number, Seen>(processes.map((one) => [one.pid, one]));
    let own = 0;
    let ofChildren = 0;
    for (const [pid, { startTime, cpuMs, childrenCpuMs }] of now) {
      const before = this.#seen.get(pid);
      const isSame = before?.startTime === startTime;
      own += cpuMs - (isSame ? before.cpuMs : 0);
      ofChildren += childrenCpuMs - (isSame ? before.childrenCpuMs : 0);
    }
    // What the dead had used was counted when they were seen alive.
    for (const [pid, before] of this.#seen) {
      if (now.get(pid)?.startTime !== before.startTime) ofChildren -= before.cpuMs + before.childrenCpuMs;
    }
    this.#seen = now;
    this.#total += Math.max(0, own) + Math.max(0, ofChildren);
    return this.#total;
  }
}
