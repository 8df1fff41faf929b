import type { WorkerView } from './view.ts';

/** What a list of workers comes to as a whole. */
export interface FleetHealth {
  /** degraded: a worker that is wanted up is not ready, and has not completed. */
  readonly status: 'ok' | 'degraded';
  readonly workers: {
    readonly total: number;
    readonly wanted: number;
    readonly ready: number;
    readonly running: number;
    readonly backoff: number;
    readonly blocked: number;
    readonly failed: number;
  };
}

export function fleetHealth(workers: readonly WorkerView[]): FleetHealth {
  const count = (holds: (worker: WorkerView) => boolean): number => workers.filter(holds).length;
  const missing = count(({ desired, ready, completed }) => desired === 'up' && !ready && !completed);
  return {
    status: missing === 0 ? 'ok' : 'degraded',
    workers: {
      total: workers.length,
      wanted: count(({ desired }) => desired === 'up'),
      ready: count(({ ready }) => ready),
      running: count(({ phase }) => phase === 'running'),
      backoff: count(({ phase }) => phase === 'backoff'),
      blocked: count(({ phase }) => phase === 'blocked'),
      failed: count(({ phase }) => phase === 'failed'),
    },
  };
}
