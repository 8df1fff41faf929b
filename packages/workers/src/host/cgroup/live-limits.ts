import type { LimitName, LimitReport, LimitsSpec } from '@hsu-master/core';
import type { NativeProcessLimits, NativeStep } from '@hsu-master/native';
import { percentOf, quotaWrites } from './cpu-limits.ts';
import type { GroupPlan, GroupWrite } from './facilities.ts';
import type { LimitPlan, Setting } from './limit-plan.ts';
import { LIMIT_SUPPORT, SAMPLING } from './limit-support.ts';
import { changeProcess } from './live-process.ts';
import { inOrder1 } from './memory-limits.ts';
import { choose, keyOf, planLimits, watchedIn } from './plan.ts';
import { noProcessPlan, RLIMIT_NAMES } from './process-limits.ts';

/** Something that the system, or the life of a process, does not allow. */
export interface Denial {
  readonly limits: readonly LimitName[];
  /** `cpu.max: EINVAL`. */
  readonly reason: string;
}

/** How a living tree gets from some limits to others. */
export interface LivePlan {
  /** What it will then be held by; its reports name what could not be changed. */
  readonly plan: LimitPlan;
  /** Only what differs, in the order of writing; what is lifted is set to its neutral value. */
  readonly writes: GroupPlan;
  /** For each living process: null or empty where nothing changes. */
  readonly process: NativeProcessLimits;
}

const noPlan: LimitPlan = {
  writes2: [],
  writes1: [],
  process: noProcessPlan,
  avoids: [],
  watched: [],
  reports: [],
};

/**
 * What changes for a tree that lives under other limits now.
 * @param from the plan in force; null: none.
 */
export function planLive(from: LimitPlan | null, to: LimitsSpec, setting: Setting): LivePlan {
  const before = from ?? noPlan;
  const after = planLimits(to, setting);
  const { process, denials } = changeProcess(before, after, setting);
  // What it was kept out of at its start it does not enter any more.
  const isOutside = (write: GroupWrite): boolean => before.avoids.some((one) => one === write.controller);
  const outside = after.writes1.filter(isOutside);
  const kept = {
    limits: outside.flatMap(({ limits }) => limits),
    reason: 'counts from the next start: it began outside the cpu group',
  };
  const { writes2, writes1 } = planChange(before, after);
  return {
    plan: withDenials(after, [...denials, kept]),
    writes: { writes2, writes1: writes1.filter((write) => !isOutside(write)) },
    process,
  };
}

/** What a group gets to be held by another plan, in the order of writing; what is lifted is set to its neutral value. */
export function planChange(before: GroupPlan, after: GroupPlan): GroupPlan {
  const writes1 = changed(before.writes1, after.writes1);
  return {
    writes2: changed(before.writes2, after.writes2),
    writes1: orderCpu1(inOrder1(writes1, before.writes1), before.writes1),
  };
}

function changed(before: readonly GroupWrite[], after: readonly GroupWrite[]): readonly GroupWrite[] {
  const old = new Map(before.map((write) => [keyOf(write), write.value]));
  const kept = new Set(after.map(keyOf));
  const lifted = before.filter((write) => !kept.has(keyOf(write)) && write.value !== write.neutral);
  return [
    ...after.filter((write) => old.get(keyOf(write)) !== write.value),
    ...lifted.map((write) => ({ ...write, value: write.neutral })),
  ];
}

/** A period that grows goes first, one that shrinks last: so the share on the way is never more than before or after. */
function orderCpu1(writes: readonly GroupWrite[], before: readonly GroupWrite[]): readonly GroupWrite[] {
  const period = writes.find(({ file }) => file === 'cpu.cfs_period_us');
  if (period === undefined) return writes;
  const was = before.find(({ file }) => file === period.file)?.value ?? period.neutral;
  const others = writes.filter((write) => write !== period);
  return Number(period.value) >= Number(was) ? [period, ...others] : [...others, period];
}

/** Holding a tree back by its CPU quota, and letting it go again. */
export interface ThrottlePlan {
  readonly apply: GroupPlan;
  readonly restore: GroupPlan;
}

/**
 * null: there is no CPU quota here; the tree can only be stopped and resumed in turns.
 * @param percent of one core; a limit that is less holds on.
 * @param limits those in force; null: none.
 */
export function planThrottle(
  percent: number,
  limits: LimitsSpec | null,
  setting: Setting,
): ThrottlePlan | null {
  const { tier } = choose('cpu.max_percent', setting);
  if (tier === 0) return null;
  if (limits !== null && planLimits(limits, setting).avoids.includes('cpu')) return null;
  const own = limits === null ? Infinity : percentOf(limits);
  const held = (share: number): GroupPlan => {
    const writes = quotaWrites(share, tier, setting);
    return { writes2: tier === 2 ? writes : [], writes1: tier === 1 ? writes : [] };
  };
  const apply = held(Math.min(percent, own));
  const restore = held(own);
  // Between two periods the order matters, see `orderCpu1`.
  return {
    apply: { ...apply, writes1: orderCpu1(apply.writes1, restore.writes1) },
    restore: { ...restore, writes1: orderCpu1(restore.writes1, apply.writes1) },
  };
}

const SLOWING: ReadonlySet<LimitName> = new Set([
  'cpu.max_percent',
  'cpu.max_cores',
  'io.max_read_bps',
  'io.max_write_bps',
  'io.max_read_ops',
  'io.max_write_ops',
]);

/** Lifts what slows a tree down. Who waits for a disk does not die before the wait is over, whatever signal came. */
export function planRelease({ writes2, writes1 }: LimitPlan): GroupPlan {
  const lifted = (writes: readonly GroupWrite[]): readonly GroupWrite[] =>
    writes
      .filter(({ limits, value, neutral }) => value !== neutral && limits.some((limit) => SLOWING.has(limit)))
      .map((write) => ({ ...write, value: write.neutral }));
  return { writes2: lifted(writes2), writes1: lifted(writes1) };
}

/**
 * The plan as it holds when some limits could not be set after all: watched where that is possible. A limit that could not be
 * lifted has a report of its own.
 */
export function withDenials(plan: LimitPlan, denials: readonly Denial[]): LimitPlan {
  const reasonsOf = (limit: LimitName): string[] =>
    denials.flatMap(({ limits, reason }) => (limits.includes(limit) ? [reason] : []));
  const reports = plan.reports.map((report) => denied(report, reasonsOf(report.limit)));
  const known = new Set(plan.reports.map(({ limit }) => limit));
  const others = new Set(denials.flatMap(({ limits }) => limits.filter((limit) => !known.has(limit))));
  const unlifted = [...others].map((limit): LimitReport => {
    const reason = `the former limit remains: ${reasonsOf(limit).join('; ')}`;
    return { limit, status: 'impossible', mechanism: '', reason };
  });
  return { ...plan, reports: [...reports, ...unlifted], watched: watchedIn(reports) };
}

function denied(report: LimitReport, reasons: readonly string[]): LimitReport {
  if (reasons.length === 0) return report;
  const { limit, reason } = report;
  const { neither } = LIMIT_SUPPORT[limit];
  const status = neither.status === 'watched' ? 'watched' : 'impossible';
  const mechanism = status === 'watched' ? SAMPLING : '';
  return { limit, status, mechanism, reason: [...reasons, reason].filter((text) => text !== '').join('; ') };
}

/** The limits that a step of making a process sets; none where the step is not about limits. */
export function limitsOfStep(step: NativeStep, { process }: LimitPlan): readonly LimitName[] {
  switch (step) {
    case 'rlimit':
      return process.rlimits.flatMap(({ resource }) => RLIMIT_NAMES.get(resource) ?? []);
    case 'nice':
      return ['cpu.nice'];
    case 'affinity':
      return ['cpu.affinity'];
    case 'scheduler':
      return ['cpu.scheduler'];
    case 'oom-score':
      return ['process.oom_score_adj'];
    case 'no-new-privs':
      return ['process.no_new_privs'];
    default:
      return [];
  }
}
