import {
  type Clock,
  type Decision,
  digest,
  type Journal,
  judgementOf,
  markOf,
  memoOf,
  type RunTrace,
  startDigest,
  type Worker,
  type WorkerMemo,
  type WorkerSpec,
} from '@hsu-master/core';

/** What a memo takes from a worker as it is; while none of it is another value, there is nothing new to remember. */
const REMEMBERED = ['desired', 'run', 'restarts', 'history', 'lastEnd', 'limitFactors', 'phase'] as const;

interface Parts {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly instance: string;
  readonly masterId: string;
}

/** What the next master is to know of one worker. */
export class Memory {
  readonly #in: Parts;
  /** Of the present or last run. */
  #trace: RunTrace | null = null;

  constructor(parts: Parts) {
    this.#in = parts;
  }

  /** By what the run is known that is about to be spawned. */
  traceOf(spec: WorkerSpec, run: number): RunTrace {
    return this.#trace ?? this.#begin(spec, run);
  }

  /** What an earlier master knew. */
  recall({ trace }: WorkerMemo): void {
    this.#trace = trace;
  }

  /**
   * Writes down what was decided, before anything of it is done: so whatever is done is known to the next master. The operator’s wish goes
   * first, by which his stop is told from that of a master which ends.
   */
  keep(spec: WorkerSpec, before: Worker, { worker, effects }: Decision): void {
    if (worker === before) return;
    const { journal, clock } = this.#in;
    for (const effect of effects) {
      if (effect.kind === 'spawn') this.#trace = this.#begin(spec, effect.run);
      if (effect.kind === 'record-desired') journal.recordDesired(spec.id, effect.desired);
    }
    if (REMEMBERED.some((part) => worker[part] !== before[part])) this.#remember(spec, worker);
    if (worker.history.breaker === before.history.breaker && worker.phase.name === before.phase.name) return;
    journal.recordJudgement(spec.id, judgementOf(worker, clock.now(), clock.wallNow()));
  }

  /** Other limits are written for the worker: what its run has is not known until they are set. */
  limitsChange(): void {
    if (this.#trace !== null) this.#trace = { ...this.#trace, limits: null };
  }

  /** Its run has the limits that are written. */
  limitsAreSet(spec: WorkerSpec, worker: Worker): void {
    const limits = digest(spec.limits);
    if (this.#trace === null || this.#trace.limits === limits) return;
    this.#trace = { ...this.#trace, limits };
    this.#remember(spec, worker);
  }

  #begin(spec: WorkerSpec, run: number): RunTrace {
    const { clock, instance, masterId } = this.#in;
    const mark = markOf({ instance, masterId, workerId: spec.id, run });
    return { mark, at: clock.now(), command: startDigest(spec), limits: digest(spec.limits) };
  }

  #remember({ id, enabled, unmanaged }: WorkerSpec, worker: Worker): void {
    const memo = memoOf(worker, enabled, this.#trace);
    this.#in.journal.remember(id, unmanaged === null ? memo : withoutProcess(memo));
  }
}

/** What others started is never taken for one of ours: the next master looks for it anew. */
function withoutProcess(memo: WorkerMemo): WorkerMemo {
  const phase =
    memo.desired === 'up' ? ({ name: 'blocked' } as const) : ({ name: 'stopped', completed: false } as const);
  return { ...memo, phase, trace: null };
}
