import { effectiveLimits, raised, scaled } from '../limits/adjust.ts';
import { familyOf, type LimitName } from '../limits/names.ts';
import type { LimitPolicy, LimitsSpec, QuotaSpec } from '../limits/spec.ts';
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

const holds = ({ limits }: { readonly limits: LimitsSpec | null }): boolean =>
  limits?.values[KILLS] !== undefined;

/** The innermost budget whose memory limit it was; null: the worker’s own. */
function killingQuota(spec: WorkerSpec, { oomKilled }: Exit): QuotaSpec | null {
  return oomKilled === 'limit' && holds(spec) ? null : (spec.quotas.findLast(holds) ?? null);
}

function isAtLimit({ oomKilled }: Exit): boolean {
  return oomKilled === 'limit' || oomKilled === 'quota';
}

/**
 * What follows when the kernel killed the main process at a memory limit: the first step of the memory policies that ends a run,
 * since that has happened; null where none does, or it was no such kill: an exit like any other.
 */
export function answerToOom(spec: WorkerSpec, exit: Exit): LimitAnswer | null {
  if (!isAtLimit(exit)) return null;
  const { limits } = killingQuota(spec, exit) ?? spec;
  const step = limits?.responses.memory.steps.find(({ policy }) => ENDING.has(policy));
  return step === undefined ? null : { limit: KILLS, policy: step.policy };
}

/** Publishes that the kernel killed at a limit, where it did. */
export function publishOom(turn: Turn, exit: Exit): void {
  if (!isAtLimit(exit)) return;
  const { spec } = turn.in;
  const quota = killingQuota(spec, exit);
  const holding = quota?.limits ?? effectiveLimits(spec.limits, turn.worker.limitFactors);
  turn.publish('limit.exceeded', {
    limit: KILLS,
    value: null,
    allowed: holding?.values[KILLS] ?? null,
    quota: quota === null ? null : { kind: quota.kind, id: quota.id },
    reason: 'oom-killed',
  });
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
