import { noFailures } from '../restart/breaker.ts';
import type { ProcessIdentity } from './exit.ts';
import type { RunTrace, WorkerMemo } from './memo.ts';

/** What the record of a run, written before its program begins, says of it. */
export interface RecordedRun extends RunTrace {
  readonly run: number;
  readonly process: ProcessIdentity;
}

/**
 * What an earlier master knew of a worker, from what it remembered and from the run that it recorded and did not close. The later of the
 * two counts where one of them was lost; a memo that says that the run is over is right, since it is written before the record is taken
 * back. null: nothing is known.
 */
export function reconcile(memo: WorkerMemo | null, record: RecordedRun | null): WorkerMemo | null {
  if (memo === null) return record === null ? null : begun(UNKNOWN, record);
  if (record !== null && record.run > memo.run) return begun(memo, record);
  if (memo.phase.name !== 'starting') return memo;
  return record?.run === memo.run
    ? { ...memo, phase: { ...memo.phase, process: record.process } }
    : { ...memo, phase: { name: 'blocked' } };
}

const UNKNOWN: Omit<WorkerMemo, 'run' | 'phase' | 'trace'> = {
  desired: 'up',
  enabled: true,
  restarts: 0,
  history: noFailures,
  lastEnd: null,
  limitFactors: {},
};

function begun(known: typeof UNKNOWN, { run, process, ...trace }: RecordedRun): WorkerMemo {
  const { mark, at, command, limits } = trace;
  return {
    ...known,
    run,
    phase: { name: 'starting', end: null, process },
    trace: { mark, at, command, limits },
  };
}

/** The process of which charge is to be taken; null: none of its last run is alive. */
export function processOf({ phase }: WorkerMemo): ProcessIdentity | null {
  if (phase.name === 'starting') return phase.process;
  return phase.name === 'running' || phase.name === 'stopping' ? phase.process : null;
}
