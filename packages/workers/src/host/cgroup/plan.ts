import { LIMIT_NAMES, type LimitName, type LimitReport, type LimitsSpec } from '@hsu-master/core';
import { planAffinity, planCpuPercent, planCpuWeight, planNice, planScheduler } from './cpu-limits.ts';
import type { Controller1, GroupWrite } from './facilities.ts';
import { planIoWeight, planRate } from './io-limits.ts';
import type { LimitPlan, ProcessPlan, Setting } from './limit-plan.ts';
import { type Controller, LIMIT_SUPPORT, SAMPLING, type Support } from './limit-support.ts';
import { diesWhole, planHigh, planMaxRss, planMaxSwap } from './memory-limits.ts';
import { type Ask, hasFile, nothing, type Piece, type Refusal, type Tier } from './piece.ts';
import {
  noProcessPlan,
  planMaxProcesses,
  planNoNewPrivs,
  planOomScore,
  planRlimit,
  planTempSize,
} from './process-limits.ts';

type Planner = (ask: Ask) => Piece | Refusal;

const onlyWatched: Planner = () => nothing;

const PLANNERS: Readonly<Record<LimitName, Planner>> = {
  'memory.max_rss': planMaxRss,
  'memory.high': planHigh,
  'memory.max_swap': planMaxSwap,
  'memory.max_virtual': planRlimit,
  'memory.max_heap': planRlimit,
  'memory.max_locked': planRlimit,
  'memory.max_working_set': onlyWatched,
  'cpu.max_percent': planCpuPercent,
  'cpu.max_cores': planCpuPercent,
  'cpu.weight': planCpuWeight,
  'cpu.max_time': planRlimit,
  'cpu.nice': planNice,
  'cpu.affinity': planAffinity,
  'cpu.scheduler': planScheduler,
  'io.weight': planIoWeight,
  'io.max_read_bps': planRate,
  'io.max_write_bps': planRate,
  'io.max_read_ops': planRate,
  'io.max_write_ops': planRate,
  'process.max_processes': planMaxProcesses,
  'process.max_file_descriptors': planRlimit,
  'process.max_child_processes': onlyWatched,
  'process.max_core_size': planRlimit,
  'process.oom_score_adj': planOomScore,
  'process.no_new_privs': planNoNewPrivs,
  'process.no_desktop': onlyWatched,
  'network.max_connections': onlyWatched,
  'network.max_bandwidth': onlyWatched,
  'storage.max_temp_size': planTempSize,
  'storage.max_log_size': onlyWatched,
};

const NAMES1: Readonly<Record<Controller, Controller1>> = {
  memory: 'memory',
  cpu: 'cpu',
  cpuset: 'cpuset',
  io: 'blkio',
  pids: 'pids',
};

/** A limit and what became of it. */
interface Planned {
  readonly tier: Tier;
  readonly piece: Piece;
  readonly report: LimitReport;
}

/** What the limits of a worker come down to here; null: it has none of its own, only the budgets around it. */
export function planLimits(limits: LimitsSpec | null, setting: Setting): LimitPlan {
  const planned =
    limits === null ? [] : given(limits).map(([limit, value]) => planOne(limit, value, limits, setting));
  const plan = gather(planned);
  return { ...plan, writes2: [...plan.writes2, ...diesWhole(limits, setting)] };
}

/** What a budget that several workers share comes down to: the limits of its group. What belongs to a process it cannot hold. */
export function planQuota(limits: LimitsSpec, setting: Setting): LimitPlan {
  // Around it are only those that come before it.
  const at = setting.quotas.findIndex((quota) => quota.limits === limits);
  const quotas = at === -1 ? setting.quotas : setting.quotas.slice(0, at);
  const own = { ...setting, quotas };
  return gather(given(limits).map(([limit, value]) => planShared(limit, value, limits, own)));
}

/** What becomes of limits where no addon is: nothing of a process or its group is set, and nothing is measured. */
export function reportsWithoutAddon(limits: LimitsSpec): readonly LimitReport[] {
  return given(limits).map(([limit]) => report(limit, 'impossible', '', ['takes the native addon']));
}

function given({ values, affinity, scheduler }: LimitsSpec): readonly (readonly [LimitName, number])[] {
  return LIMIT_NAMES.flatMap((limit): (readonly [LimitName, number])[] => {
    const value = values[limit];
    if (value !== undefined) return [[limit, value]];
    if (limit === 'cpu.affinity' && affinity !== null) return [[limit, affinity.length]];
    return limit === 'cpu.scheduler' && scheduler !== null ? [[limit, scheduler.priority]] : [];
  });
}

function planOne(limit: LimitName, value: number, limits: LimitsSpec, setting: Setting): Planned {
  const { tier, support, why } = choose(limit, setting);
  const settled = (status: LimitReport['status'], mechanism: string, reasons: readonly string[]) =>
    report(limit, status, mechanism, [...reasons, ...above(limit, setting)]);
  // Where only sampling or nothing is left there are no files to write; rlimits are nevertheless set for the CPU time.
  const isHeld = support.status === 'enforced' || isOfProcess(limit, setting);
  const ask: Ask = { limit, value, limits, setting, tier, isQuota: false };
  const made = isHeld ? PLANNERS[limit](ask) : nothing;
  if ('refused' in made) {
    const mechanism = made.refused === 'watched' ? SAMPLING : '';
    return { tier, piece: nothing, report: settled(made.refused, mechanism, [made.reason]) };
  }
  const reasons = [...why, support.note, ...made.notes];
  return { tier, piece: made, report: settled(support.status, made.mechanism ?? support.mechanism, reasons) };
}

/** On other systems what is not enforced must not be tried. */
function isOfProcess(limit: LimitName, { machine }: Setting): boolean {
  return LIMIT_SUPPORT[limit].controller === null && machine.supports?.[limit] === undefined;
}

function planShared(limit: LimitName, value: number, limits: LimitsSpec, setting: Setting): Planned {
  const refused = (reason: string): Planned => ({
    tier: 0,
    piece: nothing,
    report: report(limit, 'impossible', '', [reason]),
  });
  if (LIMIT_SUPPORT[limit].controller === null)
    return refused('belongs to each worker; several cannot share it');
  const { tier, support, why } = choose(limit, setting);
  if (tier === 0) return refused(['only a group can hold several workers together', ...why].join('; '));
  if (support.status !== 'enforced') return refused(support.note);
  const made = PLANNERS[limit]({ limit, value, limits, setting, tier, isQuota: true });
  if ('refused' in made) return refused(made.reason);
  // The table tells of that one whom an OOM kill takes in a worker’s own group.
  const note = limit === 'memory.max_rss' ? '' : support.note;
  const reasons = [note, ...made.notes, ...above(limit, setting)];
  return {
    tier,
    piece: made,
    report: report(limit, 'enforced', made.mechanism ?? support.mechanism, reasons),
  };
}

/** The column of the table that holds here, and why it is not one further to the left. */
export function choose(
  limit: LimitName,
  setting: Setting,
): { tier: Tier; support: Support; why: readonly string[] } {
  const other = setting.machine.supports?.[limit];
  if (other !== undefined) return { tier: 0, support: other, why: [] };
  const { controller, cgroup2, cgroup1, neither } = LIMIT_SUPPORT[limit];
  if (controller === null) return { tier: 0, support: neither, why: [] };
  const { tree2, trees1, missing } = setting.facilities;
  const tier = tree2?.controllers.has(controller) === true ? 2 : trees1.has(NAMES1[controller]) ? 1 : 0;
  if (tier === 0) {
    const why =
      missing.get(controller) ??
      missing.get(NAMES1[controller]) ??
      missing.get('') ??
      `no ${controller} group`;
    return { tier, support: neither, why: [why] };
  }
  const support = tier === 2 ? cgroup2 : cgroup1;
  return support.file === null || hasFile(setting, support.file)
    ? { tier, support, why: [] }
    : { tier: 0, support: neither, why: [`this kernel has no ${support.file}`] };
}

/** What else holds it from outside: of the master’s unit or container. */
function above(limit: LimitName, { facilities }: Setting): readonly string[] {
  const { controller } = LIMIT_SUPPORT[limit];
  if (controller === null) return [];
  const prefixes = [`${controller}.`, `${NAMES1[controller]}.`];
  return facilities.above
    .filter((text) => prefixes.some((prefix) => text.startsWith(prefix)))
    .map((text) => `around it: ${text}`);
}

function report(
  limit: LimitName,
  status: LimitReport['status'],
  mechanism: string,
  reasons: readonly string[],
): LimitReport {
  return { limit, status, mechanism, reason: reasons.filter((reason) => reason !== '').join('; ') };
}

function gather(planned: readonly Planned[]): LimitPlan {
  const writes = (tier: Tier): readonly GroupWrite[] =>
    joined(
      planned.flatMap((one) => (one.tier === tier ? one.piece.writes : [])),
      planned,
    );
  const rlimits = planned.flatMap(({ piece }) => piece.process.rlimits ?? []);
  const reports = planned.map((one) => one.report);
  return {
    writes2: writes(2),
    writes1: writes(1),
    process: planned.reduce<ProcessPlan>(
      (all, { piece }) => ({ ...all, ...piece.process, rlimits }),
      noProcessPlan,
    ),
    avoids: planned.flatMap(({ piece }) => piece.avoids),
    watched: watchedIn(reports),
    reports,
  };
}

export function watchedIn(reports: readonly LimitReport[]): readonly LimitName[] {
  return reports.filter(({ status }) => status === 'watched').map(({ limit }) => limit);
}

/** Each file once: two limits may come down to the same. */
function joined(writes: readonly GroupWrite[], planned: readonly Planned[]): readonly GroupWrite[] {
  const wanted = new Set(planned.map(({ report: { limit } }) => limit));
  const byFile = new Map<string, GroupWrite>();
  for (const write of writes) {
    const limits = [...(byFile.get(keyOf(write))?.limits ?? []), ...write.limits];
    byFile.set(keyOf(write), { ...write, limits: [...new Set(limits)].filter((limit) => wanted.has(limit)) });
  }
  return [...byFile.values()];
}

/** What a write addresses: a file, or a device’s entry in it. */
export function keyOf({ controller, file, neutral }: GroupWrite): string {
  return `${controller} ${file} ${neutral}`;
}
