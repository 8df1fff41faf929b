import { effectiveLimits, raised, scaled } from '../limits/adjust.ts';
import { familyOf, type LimitName } from '../limits/names.ts';
import { isSilent, responseTo, responseToQuota } from '../limits/response.ts';
import type { LimitPolicy, LimitsSpec, QuotaSpec } from '../limits/spec.ts';
import { type Exit, isSuccess } from './exit.ts';
import type { WorkerSpec } from './spec.ts';
import type { Turn } from './turn.ts';

/** How an excess is answered by the end of the run. */
export interface LimitAnswer {
  readonly limit: LimitName;
  readonly policy: LimitPolicy;
}

const ENDING: ReadonlySet<LimitPolicy> = new Set([
  'graceful_shutdown',
  'immediate_kill',
  'restart',
  'restart_adjusted',
]);

/** A limit at which the kernel has killed or refused, and whose it is: null, the worker’s own. */
interface Refusal {
  readonly limit: LimitName;
  readonly quota: QuotaSpec | null;
  readonly reason: 'oom-killed' | 'out-of-cpu-time' | 'fork-refused';
}

type Kill = Refusal & { readonly reason: 'oom-killed' | 'out-of-cpu-time' };

const limitsMemory = ({ limits }: { readonly limits: LimitsSpec | null }): boolean =>
  limits?.values['memory.max_rss'] !== undefined;

/** At which limit the kernel killed the main process; null: at none. */
function killOf(spec: WorkerSpec, { oomKilled, outOfCpuTime, signal }: Exit): Kill | null {
  if (oomKilled === 'limit' || oomKilled === 'quota') {
    const isOwn = oomKilled === 'limit' && limitsMemory(spec);
    // The innermost budget that limits it.
    const quota = isOwn ? null : (spec.quotas.findLast(limitsMemory) ?? null);
    return { limit: 'memory.max_rss', quota, reason: 'oom-killed' };
  }
  const isTimed = spec.limits?.values['cpu.max_time'] !== undefined;
  return isTimed && (signal === 'SIGXCPU' || outOfCpuTime === true)
    ? { limit: 'cpu.max_time', quota: null, reason: 'out-of-cpu-time' }
    : null;
}

/**
 * What follows when the kernel killed the main process at a limit, for want of memory or CPU time: the first step of that family’s
 * policies that ends a run, since that has happened; null where none does, or it was no such kill: an exit like any other.
 */
export function answerToKill(spec: WorkerSpec, exit: Exit): LimitAnswer | null {
  const kill = killOf(spec, exit);
  if (kill === null) return null;
  const { limits } = kill.quota ?? spec;
  const step = limits?.responses[familyOf(kill.limit)].steps.find(({ policy }) => ENDING.has(policy));
  return step === undefined ? null : { limit: kill.limit, policy: step.policy };
}

/** Publishes that the kernel killed at a limit, where it did. */
export function publishKill(turn: Turn, exit: Exit): void {
  const kill = killOf(turn.in.spec, exit);
  if (kill !== null) publishAt(turn, kill);
}

/**
 * Publishes that the kernel had refused a process shortly before an end that nobody asked for, which that may explain. Who ended well
 * has got over it.
 */
export function publishRefusal(turn: Turn, exit: Exit): void {
  const { limits, quotas, restart } = turn.in.spec;
  if (exit.forksRefused === undefined || isSuccess(exit, restart.successCodes)) return;
  const limit = 'process.max_processes';
  const isLimited = (one: QuotaSpec): boolean => one.limits.values[limit] !== undefined;
  const quota = exit.forksRefused === 'quota' ? (quotas.findLast(isLimited) ?? null) : null;
  const holding = quota?.limits ?? limits;
  if (holding === null) return;
  const response = quota === null ? responseTo(holding, limit) : responseToQuota(holding, limit);
  if (isSilent(response)) return;
  publishAt(turn, { limit, quota, reason: 'fork-refused' });
}

function publishAt(turn: Turn, { limit, quota, reason }: Refusal): void {
  const { limits } = turn.in.spec;
  const holding = quota?.limits ?? effectiveLimits(limits, turn.worker.limitFactors);
  turn.publish('limit.exceeded', {
    limit,
    value: null,
    allowed: holding?.values[limit] ?? null,
    quota: quota === null ? null : { kind: quota.kind, id: quota.id },
    reason,
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
