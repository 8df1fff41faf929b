import type { Journal, LeftOver, ProcessIdentity, WorkerId } from '@hsu-master/core';

/** What a master writes down, in memory. */
export class FakeJournal implements Journal {
  readonly #leftOvers: readonly LeftOver[];
  readonly #runs: Map<WorkerId, LeftOver>;
  readonly #desired: Map<WorkerId, 'up' | 'down'>;
  /** While it is set, `recordRun` throws it: a full disk. */
  failure: Error | null = null;

  /** @param earlier the journal of the master before, as it was when that one ended */
  constructor(earlier?: FakeJournal) {
    this.#leftOvers = earlier?.runs() ?? [];
    this.#runs = new Map(this.#leftOvers.map((left) => [left.workerId, left]));
    this.#desired = new Map(earlier === undefined ? [] : earlier.#desired);
  }

  leftOvers(): readonly LeftOver[] {
    return this.#leftOvers;
  }

  recordRun(workerId: WorkerId, run: number, mark: string, process: ProcessIdentity): void {
    if (this.failure !== null) throw this.failure;
    this.#runs.set(workerId, { workerId, run, mark, process });
  }

  forgetRun(workerId: WorkerId, _run: number): void {
    this.#runs.delete(workerId);
  }

  recordDesired(workerId: WorkerId, desired: 'up' | 'down'): void {
    this.#desired.set(workerId, desired);
  }

  desired(workerId: WorkerId): 'up' | 'down' | null {
    return this.#desired.get(workerId) ?? null;
  }

  /** The runs that are recorded and not forgotten. */
  runs(): readonly LeftOver[] {
    return [...this.#runs.values()];
  }
}
