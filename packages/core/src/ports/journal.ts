import type { Judgement } from '../restart/judgement.ts';
import type { ProcessIdentity } from '../worker/exit.ts';
import type { RunTrace, WorkerMemo } from '../worker/memo.ts';
import type { WorkerId } from '../worker/spec.ts';

/** A run that a master recorded and did not see end. */
export interface RunRecord extends RunTrace {
  readonly workerId: WorkerId;
  readonly run: number;
  readonly process: ProcessIdentity;
}

/** What cannot be read of what an earlier master wrote down. */
export interface JournalRefusal {
  /** Path of the file; a copy of what was refused is beside it. */
  readonly file: string;
  /** How many records were refused; null where that is not known. */
  readonly records: number | null;
  readonly reason: string;
}

/** What is written down so that the next master knows. */
export interface Journal {
  /** Runs that an earlier master of this boot recorded and did not close; their processes may or may not live. */
  leftOvers(): readonly RunRecord[];
  /** What an earlier master of this boot last knew of its workers. */
  memos(): ReadonlyMap<WorkerId, WorkerMemo>;
  /** Highest number that a run of the worker has had, as far as is known; 0: none. Outlives boots and ordered stops. */
  lastRun(workerId: WorkerId): number;
  /** What outlives a boot of what was known of a worker’s failures; null: nothing. */
  judgement(workerId: WorkerId): Judgement | null;
  /** What was damaged or is of a form that is not known. */
  refusals(): readonly JournalRefusal[];
  /** Whether runs of this boot may be alive that nothing here names: what was written down is missing or damaged. */
  mayLack(): boolean;
  /** Synchronous: on return the record is in place. Throws where it cannot be written. */
  recordRun(record: RunRecord): void;
  forgetRun(workerId: WorkerId, run: number): void;
  /**
   * Synchronous, outlives the master and not the machine; null: the next master begins that worker anew. Never throws: what cannot be
   * written is tried again with the next record.
   */
  remember(workerId: WorkerId, memo: WorkerMemo | null): void;
  /** Off the event loop, durable; later calls overrule earlier ones. null: nothing is held against it. */
  recordJudgement(workerId: WorkerId, judgement: Judgement | null): void;
  /** At once for the next master, durable off the event loop; later calls overrule earlier ones. */
  recordDesired(workerId: WorkerId, desired: 'up' | 'down'): void;
  /** What the operator last asked for; null where nothing was recorded. */
  desired(workerId: WorkerId): 'up' | 'down' | null;
}
