import { boolean, integer, joined, oneOrNull, text } from './check.ts';
import type { NativeLimits, NativeProcessLimits, NativeRlimit } from './native.ts';

/** `RLIM_NLIMITS` − 1 of Linux. */
const largestResource = 15;
const largestCpu = 8191;
const lowestNice = -20;
const highestNice = 19;
const largestPolicy = 6;
const largestRealTimePriority = 99;
const largestOomScoreAdj = 1000;
/** `IOPRIO_CLASS_SHIFT` of `<linux/ioprio.h>`. */
const classShift = 13;

/** What the addon receives: lists flat, `null` for what stays as it is. */
export interface CheckedProcessLimits {
  /** Resource, soft and hard limit of each; −1 is unlimited. */
  readonly rlimits: readonly number[];
  readonly nice: number | null;
  readonly affinity: readonly number[];
  readonly policy: number | null;
  readonly priority: number;
  readonly ioPriority: number | null;
  readonly oomScoreAdj: number | null;
}

export interface CheckedLimits extends CheckedProcessLimits {
  /** `''`: the master's. */
  readonly cgroup: string;
  readonly makeCgroup: boolean;
  readonly joins: string;
  readonly noNewPrivs: boolean;
}

function limitValue(value: unknown, what: string): number {
  return value === Number.POSITIVE_INFINITY ? -1 : integer(value, what, 0, Number.MAX_SAFE_INTEGER);
}

function checkRlimits(rlimits: readonly NativeRlimit[]): number[] {
  if (!Array.isArray(rlimits)) throw new TypeError('limits.rlimits must be an array');
  return rlimits.flatMap((limit: NativeRlimit, at) => [
    integer(limit.resource, `limits.rlimits[${at}].resource`, 0, largestResource),
    limitValue(limit.soft, `limits.rlimits[${at}].soft`),
    limitValue(limit.hard, `limits.rlimits[${at}].hard`),
  ]);
}

function checkAffinity(cpus: readonly number[] | null): number[] {
  if (cpus === null) return [];
  if (!Array.isArray(cpus) || cpus.length === 0) {
    throw new TypeError('limits.affinity must be an array of CPU numbers, or null');
  }
  return cpus.map((cpu, at) => integer(cpu, `limits.affinity[${at}]`, 0, largestCpu));
}

export function checkProcessLimits(limits: NativeProcessLimits): CheckedProcessLimits {
  if (typeof limits !== 'object' || limits === null) throw new TypeError('limits must be an object');
  const { nice, scheduler, ioPriority, oomScoreAdj } = limits;
  return {
    rlimits: checkRlimits(limits.rlimits),
    nice: oneOrNull(nice, 'limits.nice', lowestNice, highestNice),
    affinity: checkAffinity(limits.affinity),
    policy:
      scheduler === null ? null : integer(scheduler.policy, 'limits.scheduler.policy', 0, largestPolicy),
    priority:
      scheduler === null
        ? 0
        : integer(scheduler.priority, 'limits.scheduler.priority', 0, largestRealTimePriority),
    ioPriority:
      ioPriority === null
        ? null
        : integer(ioPriority.class, 'limits.ioPriority.class', 0, 3) * 2 ** classShift +
          integer(ioPriority.level, 'limits.ioPriority.level', 0, 7),
    oomScoreAdj: oneOrNull(oomScoreAdj, 'limits.oomScoreAdj', -largestOomScoreAdj, largestOomScoreAdj),
  };
}

export function checkLimits(limits: NativeLimits | null): CheckedLimits | null {
  if (limits === null) return null;
  const checked = checkProcessLimits(limits);
  if (limits.cgroup === '') throw new TypeError('limits.cgroup must not be empty');
  return {
    ...checked,
    cgroup: limits.cgroup === null ? '' : text(limits.cgroup, 'limits.cgroup'),
    makeCgroup: boolean(limits.makeCgroup, 'limits.makeCgroup'),
    joins: joined(limits.joins, 'limits.joins'),
    noNewPrivs: boolean(limits.noNewPrivs, 'limits.noNewPrivs'),
  };
}
