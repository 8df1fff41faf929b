import { formatLimit, type LimitsSpec, type Scheduler } from '@hsu-master/core';
import type { GroupWrite } from './facilities.ts';
import type { Setting } from './limit-plan.ts';
import {
  type Ask,
  formatCpus,
  hasFile,
  nothing,
  type Piece,
  type Refusal,
  refuse,
  type Tier,
} from './piece.ts';

/** Microseconds; what the kernel begins with. */
const PERIOD = 100_000;
/** The kernel takes no longer period and no smaller quota. */
const LONGEST_PERIOD = 1_000_000;
const LEAST_QUOTA = 1000;

const RLIMIT_NICE = 13;
const RLIMIT_RTPRIO = 14;

/** As in `<sched.h>`. */
export const POLICIES = {
  other: 0,
  fifo: 1,
  'round-robin': 2,
  batch: 3,
  idle: 5,
} as const satisfies Record<Scheduler['policy'], number>;

/** `cpu.max_percent` and `cpu.max_cores`: the smaller holds. Infinity: neither is given. */
export function percentOf({ values }: LimitsSpec): number {
  return Math.min(values['cpu.max_percent'] ?? Infinity, (values['cpu.max_cores'] ?? Infinity) * 100);
}

export function planCpuPercent(ask: Ask): Piece {
  const { limit, value, limits, setting, tier } = ask;
  const own = limit === 'cpu.max_cores' ? value * 100 : value;
  const percent = percentOf(limits);
  const notes: string[] = [];
  if (percent < own)
    notes.push(`${limit === 'cpu.max_cores' ? 'cpu.max_percent' : 'cpu.max_cores'} is less and holds`);
  if (own > setting.machine.cpus * 100)
    notes.push(`more than the CPUs of this machine: ${setting.machine.cpus}`);
  const ceiling = ceilingOf(setting, tier);
  if (percent > ceiling) notes.push(`the groups around it leave ${formatLimit('cpu.max_percent', ceiling)}`);
  const least = (LEAST_QUOTA / LONGEST_PERIOD) * 100;
  if (percent < least) notes.push(`the kernel gives no less than ${formatLimit('cpu.max_percent', least)}`);
  return { ...nothing, writes: quotaWrites(percent, tier, setting), notes };
}

/**
 * The writes that hold a group to this much of one core.
 * @param percent of one core; Infinity: as much as there is.
 */
export function quotaWrites(percent: number, tier: Tier, setting: Setting): readonly GroupWrite[] {
  const { quota, period } = quotaOf(Math.min(percent, ceilingOf(setting, tier)));
  const limits = ['cpu.max_percent', 'cpu.max_cores'] as const;
  if (tier === 2) {
    const value = `${quota ?? 'max'} ${period}`;
    return [{ controller: 'cpu', file: 'cpu.max', value, neutral: `max ${PERIOD}`, limits }];
  }
  const writes: GroupWrite[] = [
    { controller: 'cpu', file: 'cpu.cfs_period_us', value: String(period), neutral: String(PERIOD), limits },
    { controller: 'cpu', file: 'cpu.cfs_quota_us', value: String(quota ?? -1), neutral: '-1', limits },
  ];
  return writes.filter(({ file }) => hasFile(setting, file));
}

/** A longer period for what would be too small a quota of the ordinary one. */
function quotaOf(percent: number): { quota: number | null; period: number } {
  if (percent === Infinity) return { quota: null, period: PERIOD };
  const quota = Math.round((percent / 100) * PERIOD);
  if (quota >= LEAST_QUOTA) return { quota, period: PERIOD };
  const long = Math.round((percent / 100) * LONGEST_PERIOD);
  return { quota: Math.max(LEAST_QUOTA, long), period: LONGEST_PERIOD };
}

/** v1 refuses a group more than its parent has. */
function ceilingOf({ machine, quotas }: Setting, tier: Tier): number {
  if (tier !== 1) return Infinity;
  return Math.min(machine.cpuCeiling ?? Infinity, ...quotas.map(({ limits }) => percentOf(limits)));
}

export function planCpuWeight({ value, tier }: Ask): Piece {
  const weight = Math.min(10_000, Math.max(1, Math.round(value)));
  const write: GroupWrite =
    tier === 2
      ? {
          controller: 'cpu',
          file: 'cpu.weight',
          value: String(weight),
          neutral: '100',
          limits: ['cpu.weight'],
        }
      : {
          controller: 'cpu',
          file: 'cpu.shares',
          value: String(weightToShares(weight)),
          neutral: '1024',
          limits: ['cpu.weight'],
        };
  return { ...nothing, writes: [write] };
}

/** As the kernel’s cpu_weight_write_u64 and systemd’s cgroup_cpu_weight_to_shares: what is ordinary there is ordinary here. */
export function weightToShares(weight: number): number {
  return Math.min(262_144, Math.max(2, Math.round((weight * 1024) / 100)));
}

export function planNice({ value, limits, setting }: Ask): Piece | Refusal {
  const { facilities, machine } = setting;
  const nice = Math.min(19, Math.max(-20, Math.round(value)));
  if (!mayBeNice(nice, machine.niceness, setting)) {
    return refuse(`below the master’s own ${machine.niceness} it takes CAP_SYS_NICE`);
  }
  const isGrouped =
    facilities.tree2?.controllers.has('cpu') === true ||
    (facilities.trees1.has('cpu') && isInCpuGroup(limits, setting));
  const notes: string[] = [];
  if (isGrouped) notes.push('counts within the worker’s own cpu group; between workers cpu.weight does');
  else if (machine.groupsSessions)
    notes.push('counts within the worker’s session while kernel.sched_autogroup_enabled is on');
  return { ...nothing, process: { nice }, notes };
}

/** Whether niceness may go from one level to another: up always, down by right or as far as RLIMIT_NICE says. */
export function mayBeNice(to: number, from: number, { facilities: { rights } }: Setting): boolean {
  if (to >= from || rights.nice) return true;
  return 20 - to <= (rights.rlimits.get(RLIMIT_NICE)?.soft ?? 0);
}

export function planAffinity({ limits, setting, tier, isQuota }: Ask): Piece | Refusal {
  const { facilities, machine } = setting;
  const wanted = limits.affinity ?? [];
  const own = facilities.rights.cpus;
  const affinity = wanted.filter((cpu) => own.includes(cpu));
  const lacking = wanted.filter((cpu) => !own.includes(cpu));
  if (affinity.length === 0) {
    return refuse(`the master itself may use the CPUs ${formatCpus(own)} only`);
  }
  const cpus: GroupWrite = {
    controller: 'cpuset',
    file: 'cpuset.cpus',
    value: formatCpus(affinity),
    // An empty line takes the parent’s; v1 lets no set with processes be empty.
    neutral: tier === 2 ? '\n' : formatCpus(own),
    limits: ['cpu.affinity'],
  };
  const nodes = machine.memoryNodes;
  const mems: GroupWrite = { ...cpus, file: 'cpuset.mems', value: nodes, neutral: nodes };
  const writes = { 0: [], 1: [mems, cpus], 2: [cpus] }[tier];
  const missing =
    lacking.length === 0 ? [] : [`without ${formatCpus(lacking)}, which the master may not use`];
  return { ...nothing, writes, process: isQuota ? {} : { affinity }, notes: missing };
}

export function planScheduler({ limits, setting }: Ask): Piece | Refusal {
  const { policy, priority } = limits.scheduler ?? { policy: 'other', priority: 0 };
  const scheduler = { policy: POLICIES[policy], priority };
  if (!isRealTime(policy)) return { ...nothing, process: { scheduler } };
  const { rights, tree2, trees1 } = setting.facilities;
  if (!rights.nice && priority > (rights.rlimits.get(RLIMIT_RTPRIO)?.soft ?? 0)) {
    return refuse('real-time classes take CAP_SYS_NICE');
  }
  if (tree2?.controllers.has('cpu') === true) {
    const note = 'a kernel with CONFIG_RT_GROUP_SCHED refuses it in a cpu group';
    return { ...nothing, process: { scheduler }, notes: [note] };
  }
  const tree = trees1.get('cpu');
  if (tree === undefined || setting.machine.files?.has('cpu.rt_runtime_us') === false) {
    return { ...nothing, process: { scheduler } };
  }
  // A new group has no real-time budget and could have some only if all above it gave theirs away.
  if (isInCpuGroup(limits, setting)) {
    return refuse(
      'its other CPU limits take a cgroup v1, in which cpu.rt_runtime_us leaves nothing for real time',
    );
  }
  const avoids = trees1.get('cpuacct') === tree ? (['cpu', 'cpuacct'] as const) : (['cpu'] as const);
  return {
    ...nothing,
    process: { scheduler },
    avoids,
    notes: ['kept out of the cpu group, whose cpu.rt_runtime_us is 0'],
  };
}

function isRealTime(policy: Scheduler['policy']): boolean {
  return policy === 'fifo' || policy === 'round-robin';
}

/** v1: groups are joined where there is something to write only. */
function isInCpuGroup(limits: LimitsSpec, { quotas }: Setting): boolean {
  return [limits, ...quotas.map((quota) => quota.limits)].some(
    (one) => percentOf(one) < Infinity || one.values['cpu.weight'] !== undefined,
  );
}
