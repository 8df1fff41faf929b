import { effectiveLimits, raised, scaled } from '../limits/adjust.ts';
import { familyOf, type LimitName } from '../limits/names.ts';
import type { LimitPolicy, LimitsSpec } from '../limits/spec.ts';
import type { Exit } from './exit.ts';
import type { WorkerSpec } from './spec.ts';
import type { Turn } from './turn.ts';

/** How an excess is answered by the end of the run. */
export interface LimitAnswer {
  readonly limit: LimitName;
  readonly policy: LimitPolicy;
}

/** The one limit at which the kernel kills. */
const KILLS = 'memory.max_rss';

const ENDING: ReadonlySet<LimitPolicy> = new Set([
  'graceful_shutdown',
  'immediate_kill',
  'restart',
  'restart_adjusted',
]);

/** Whose memory limit it was: the worker’s own, else the innermost budget that has one. */
function killer({ limits, quotas }: WorkerSpec): LimitsSpec | null {
  const all = [...quotas.map((quota) => quota.limits), ...(limits === null ? [] : [limits])];
  return all.findLast(({ values }) => values[KILLS] !== undefined) ?? null;
}

/**
 * What follows when the kernel killed the main process at a memory limit: the first step of the memory policies that ends a run,
 * since that has happened; null where none does: an exit like any other.
 */
export function answerToOom(spec: WorkerSpec): LimitAnswer | null {
  const step = killer(spec)?.responses.memory.steps.find(({ policy }) => ENDING.has(policy));
  return step === undefined ? null : { limit: KILLS, policy: step.policy };
}

/** Publishes that the kernel killed at a limit, where it did. */
export function publishOom(turn: Turn, exit: Exit): void {
  if (exit.oomKilled !== 'limit') return;
  const { spec } = turn.in;
  const limits = killer(spec);
  const holding = limits === spec.limits ? effectiveLimits(limits, turn.worker.limitFactors) : limits;
  const allowed = holding?.values[KILLS] ?? null;
  turn.publish('limit.exceeded', { limit: KILLS, value: null, allowed, reason: 'oom-killed' });
}

/** Raises a limit for the runs to come; nothing where it is at its cap already or is not the worker’s own. */
export function raise(turn: Turn, limit: LimitName): void {
  const { limits } = turn.in.spec;
  const { limitFactors } = turn.worker;
  const written = limits?.values[limit];
  if (limits === null || written === undefined) return;
  const factor = limitFactors[limit] ?? 1;
  const higher = raised(factor, limits.responses[familyOf(limit)]);
  const from = scaled(limit, written, factor);
  const to = scaled(limit, written, higher);
  if (to === from) return;
  turn.set({ limitFactors: { ...limitFactors, [limit]: higher } });
  turn.publish('limit.adjusted', { limit, from, to });
}
