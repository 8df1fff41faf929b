import {
  type Clock,
  doing,
  type Failure,
  isLoss,
  isReady,
  type LimitLoss,
  type LimitName,
  type LimitReport,
  type Milliseconds,
  type PhaseName,
  type ProcessIdentity,
  type RunEnd,
  type Waiting,
  type WallTime,
  type Worker,
  type WorkerId,
  type WorkerSpec,
} from '@hsu-master/core';

/** One worker as others see it; a frozen value. */
export interface WorkerSnapshot {
  readonly id: WorkerId;
  readonly phase: PhaseName;
  readonly desired: 'up' | 'down';
  /** The phase and why, in a few words. */
  readonly doing: string;
  readonly run: number;
  readonly process: ProcessIdentity | null;
  /** The TCP port that its process was given; null: none, or there is no process. */
  readonly port: number | null;
  /** Since the present process runs; null where there is none. */
  readonly uptime: Milliseconds | null;
  readonly ready: boolean;
  /** Ended by itself with success. */
  readonly completed: boolean;
  readonly restarts: number;
  readonly failuresInARow: number;
  readonly breaker: 'closed' | 'open' | 'half-open';
  /** When the next try is due, in backoff. */
  readonly nextTry: WallTime | null;
  readonly waiting: readonly Waiting[];
  readonly failure: Failure | null;
  readonly lastEnd: RunEnd | null;
  /** The limits for whose excess it is held back. */
  readonly throttled: readonly LimitName[];
  /** What became of each limit of the present or last run. */
  readonly limits: readonly LimitReport[];
  /** What its last run lacked of what was asked for, in words; empty: nothing. */
  readonly degraded: readonly string[];
}

export function snapshotOf(
  spec: WorkerSpec,
  worker: Worker,
  waiting: readonly Waiting[],
  port: number | null,
  clock: Clock,
): WorkerSnapshot {
  const { phase, history } = worker;
  const now = clock.now();
  const alive = phase.name === 'running' || phase.name === 'stopping';
  return Object.freeze({
    id: spec.id,
    phase: phase.name,
    desired: worker.desired,
    doing: doing({ ...worker, waiting }, now),
    run: worker.run,
    process: alive ? phase.process : null,
    port: alive ? port : null,
    uptime: alive ? now - phase.since : null,
    ready: isReady(worker),
    completed: phase.name === 'stopped' && phase.completed,
    restarts: worker.restarts,
    failuresInARow: history.streak,
    breaker: history.breaker.state,
    nextTry: phase.name === 'backoff' ? clock.wallNow() + (phase.until - now) : null,
    waiting: phase.name === 'blocked' ? waiting : [],
    failure: phase.name === 'failed' ? phase.failure : null,
    lastEnd: worker.lastEnd,
    throttled: phase.name === 'running' ? phase.throttled : [],
    limits: worker.limitReports,
    degraded: worker.limitReports.filter(isLoss).map(lost),
  });
}

function lost({ limit, status, reason, quota }: LimitLoss): string {
  const what = status === 'watched' ? 'is watched, not enforced' : 'cannot be kept';
  const whose = quota === undefined ? '' : `${quota.kind} "${quota.id}": `;
  return `${whose}${limit} ${what}${reason === '' ? '' : `: ${reason}`}`;
}
