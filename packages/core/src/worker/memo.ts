import type { LimitFactors } from '../limits/adjust.ts';
import type { FailureHistory } from '../restart/breaker.ts';
import type { MonotonicTime } from '../units.ts';
import type { ProcessIdentity } from './exit.ts';
import type {
  BackingOff,
  Blocked,
  Failed,
  RunEnd,
  Running,
  Starting,
  Stopped,
  Stopping,
  Worker,
} from './state.ts';

/** By what a run is known again, and what it was started with. */
export interface RunTrace {
  /** HSU_RUN of its tree. */
  readonly mark: string;
  /** When it was asked for. */
  readonly at: MonotonicTime;
  /** Digests of its command and of the limits that are written for it; null: not known. */
  readonly command: string | null;
  readonly limits: string | null;
}

/** A phase as the next master has to know it. */
export type MemoPhase =
  | Stopped
  | Blocked
  | Failed
  | BackingOff
  /** `process`: what its run record names; null: nothing was recorded, so the program never began. */
  | (Pick<Starting, 'name' | 'end'> & { readonly process: ProcessIdentity | null })
  | Omit<Running, 'throttled'>
  | Pick<
      Stopping,
      'name' | 'process' | 'since' | 'askedAt' | 'cause' | 'detail' | 'answer' | 'step' | 'exit'
    >;

/** What of a worker outlives its master: what the next one needs to go on. Times are those of one boot. */
export interface WorkerMemo {
  readonly desired: 'up' | 'down';
  /** Whether its spec said so then. */
  readonly enabled: boolean;
  readonly run: number;
  readonly restarts: number;
  readonly history: FailureHistory;
  readonly lastEnd: RunEnd | null;
  readonly limitFactors: LimitFactors;
  readonly phase: MemoPhase;
  /** Of the present or last run; null before the first. */
  readonly trace: RunTrace | null;
}

/** What is to be remembered of a worker. */
export function memoOf(worker: Worker, enabled: boolean, trace: RunTrace | null): WorkerMemo {
  const { desired, run, restarts, history, lastEnd, limitFactors } = worker;
  const phase = memoPhaseOf(worker);
  return { desired, enabled, run, restarts, history, lastEnd, limitFactors, phase, trace };
}

function memoPhaseOf({ phase }: Worker): MemoPhase {
  switch (phase.name) {
    case 'starting':
      return { name: phase.name, end: phase.end, process: null };
    case 'running': {
      const { throttled: _throttled, ...running } = phase;
      return running;
    }
    case 'stopping': {
      const { survivors: _survivors, restartAfter: _after, earlierExit, ...stopping } = phase;
      return { ...stopping, exit: stopping.exit ?? earlierExit };
    }
    default:
      return phase;
  }
}
