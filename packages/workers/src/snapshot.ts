import {
  type Clock,
  doing,
  type Failure,
  isLoss,
  isReady,
  type LimitLoss,
  type LimitName,
  type LimitReport,
  type MonotonicTime,
  type PhaseName,
  type ProcessIdentity,
  type RunEnd,
  type Waiting,
  type WallTime,
  type Worker,
  type WorkerId,
  type WorkerSpec,
} from '@hsu-master/core';
import type { WorkerActor } from './worker-actor.ts';

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
  /** When the present process began, on the clock of the supervisor; null where there is none. */
  readonly since: MonotonicTime | null;
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

interface Parts {
  readonly clock: Clock;
  /** The port of a worker’s present or last run. */
  readonly portOf: (spec: WorkerSpec) => number | null;
  /** What a worker waits for as it is now. */
  readonly waitingOf: (actor: WorkerActor) => readonly Waiting[];
}

/**
 * Snapshots, each kept for as long as its worker is what it was. A worker is a value that is never changed, only followed by another one,
 * so that none is ever out of date; of those that wait, others and the time say how they are, and theirs are made each time.
 */
export class Snapshots {
  readonly #in: Parts;
  readonly #kept = new WeakMap<Worker, WorkerSnapshot>();

  constructor(parts: Parts) {
    this.#in = parts;
  }

  of(actor: WorkerActor): WorkerSnapshot {
    const { worker } = actor;
    const { clock, portOf, waitingOf } = this.#in;
    const port = portOf(actor.spec);
    const kept = this.#kept.get(worker);
    if (kept !== undefined && (kept.process === null || kept.port === port)) return kept;
    const waits = worker.phase.name === 'blocked';
    const made = snapshotOf(worker, port, waits ? waitingOf(actor) : [], clock);
    if (!waits && worker.phase.name !== 'backoff') this.#kept.set(worker, made);
    return made;
  }
}

/** @param waiting what it waits for, where it is blocked */
export function snapshotOf(
  worker: Worker,
  port: number | null,
  waiting: readonly Waiting[],
  clock: Clock,
): WorkerSnapshot {
  const { phase, history } = worker;
  const now = clock.now();
  const alive = phase.name === 'running' || phase.name === 'stopping';
  return Object.freeze({
    id: worker.id,
    phase: phase.name,
    desired: worker.desired,
    doing: doing({ ...worker, waiting }, now),
    run: worker.run,
    process: alive ? phase.process : null,
    port: alive ? port : null,
    since: alive ? phase.since : null,
    ready: isReady(worker),
    completed: phase.name === 'stopped' && phase.completed,
    restarts: worker.restarts,
    failuresInARow: history.streak,
    breaker: history.breaker.state,
    nextTry: phase.name === 'backoff' ? clock.wallNow() + (phase.until - now) : null,
    waiting,
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
