import type { Journal, JournalRefusal, Judgement, RunRecord, WorkerId, WorkerMemo } from '@hsu-master/core';

/** What a master writes down, in memory. */
export class FakeJournal implements Journal {
  readonly #leftOvers: readonly RunRecord[];
  readonly #runs: Map<WorkerId, RunRecord>;
  readonly #memos: Map<WorkerId, WorkerMemo>;
  readonly #judgements: Map<WorkerId, Judgement>;
  readonly #desired: Map<WorkerId, 'up' | 'down'>;
  readonly #lastRuns: Map<WorkerId, number>;
  /** While it is set, `recordRun` throws it: a full disk. */
  failure: Error | null = null;
  mayLack: () => boolean;

  /**
   * @param earlier the journal of the master before, as it was when that one ended
   * @param lost what was known of this boot is gone: the machine was started anew in between, or somebody has deleted it
   */
  constructor(earlier?: FakeJournal, lost: 'reboot' | 'deleted' | null = null) {
    this.mayLack = () => lost === 'deleted';
    this.#leftOvers = lost === null ? (earlier?.runs() ?? []) : [];
    this.#runs = new Map(this.#leftOvers.map((left) => [left.workerId, left]));
    this.#memos = new Map(earlier === undefined || lost !== null ? [] : earlier.#memos);
    this.#judgements = new Map(earlier === undefined ? [] : earlier.#judgements);
    this.#desired = new Map(earlier === undefined ? [] : earlier.#desired);
    this.#lastRuns = new Map(earlier === undefined ? [] : earlier.#lastRuns);
  }

  leftOvers(): readonly RunRecord[] {
    return this.#leftOvers;
  }

  memos(): ReadonlyMap<WorkerId, WorkerMemo> {
    return new Map(this.#memos);
  }

  lastRun(workerId: WorkerId): number {
    return this.#lastRuns.get(workerId) ?? 0;
  }

  judgement(workerId: WorkerId): Judgement | null {
    return this.#judgements.get(workerId) ?? null;
  }

  refusals(): readonly JournalRefusal[] {
    return [];
  }

  recordRun(record: RunRecord): void {
    if (this.failure !== null) throw this.failure;
    this.#runs.set(record.workerId, record);
    this.#number(record.workerId, record.run);
  }

  forgetRun(workerId: WorkerId, _run: number): void {
    this.#runs.delete(workerId);
  }

  remember(workerId: WorkerId, memo: WorkerMemo | null): void {
    if (memo === null) this.#memos.delete(workerId);
    else this.#memos.set(workerId, JSON.parse(JSON.stringify(memo)) as WorkerMemo);
    if (memo !== null) this.#number(workerId, memo.run);
  }

  recordJudgement(workerId: WorkerId, judgement: Judgement | null): void {
    if (judgement === null) this.#judgements.delete(workerId);
    else this.#judgements.set(workerId, judgement);
  }

  recordDesired(workerId: WorkerId, desired: 'up' | 'down'): void {
    this.#desired.set(workerId, desired);
  }

  desired(workerId: WorkerId): 'up' | 'down' | null {
    return this.#desired.get(workerId) ?? null;
  }

  #number(workerId: WorkerId, run: number): void {
    this.#lastRuns.set(workerId, Math.max(run, this.lastRun(workerId)));
  }

  /** The runs that are recorded and not forgotten. */
  runs(): readonly RunRecord[] {
    return [...this.#runs.values()];
  }
}
