import {
  LIMIT_NAMES,
  type LimitName,
  type LimitReport,
  type LimitsSpec,
  type QuotaSpec,
} from '@hsu-master/core';
import type {
  WindowsCpuControl,
  WindowsFailure,
  WindowsJobLimits,
  WindowsPriority,
} from '@hsu-master/native';
import type { Support } from '../cgroup/limit-support.ts';

/** What the limits of a worker come down to here. */
export interface JobPlan {
  readonly job: WindowsJobLimits;
  readonly cpu: WindowsCpuControl;
  /** JOB_OBJECT_UILIMIT_*. */
  readonly desktop: number;
  /** Bytes each second. */
  readonly network: number | null;
  readonly reports: readonly LimitReport[];
}

/** What this system and its master can do. */
export interface JobMeans {
  readonly isWine: boolean;
  readonly processors: number;
  /** SeIncreaseBasePriorityPrivilege, asked for when it is needed. */
  mayRaisePriority(): boolean;
}

export const NO_JOB_PLAN: JobPlan = { job: {}, cpu: null, desktop: 0, network: null, reports: [] };

/** What one limit comes down to. */
interface Piece {
  readonly job?: WindowsJobLimits;
  readonly cpu?: WindowsCpuControl;
  readonly desktop?: number;
  readonly network?: number;
  readonly status: LimitReport['status'];
  readonly mechanism: string;
  readonly reason: string;
}

type Wanted = Pick<LimitsSpec, 'values' | 'affinity' | 'scheduler'>;

interface Ask {
  readonly value: number;
  readonly limits: Wanted;
  readonly means: JobMeans;
}

const SAMPLING = 'sampling';

/** Windows takes a most only beside a least; this is what it gives to every process. */
const LEAST_WORKING_SET = 200 * 1024;
/** Every JOB_OBJECT_UILIMIT_ there is. */
const WHOLE_DESKTOP = 0xff;

const enforced = (
  mechanism: string,
  reason: string,
  set: Pick<Piece, 'job' | 'cpu' | 'desktop' | 'network'>,
): Piece => ({
  status: 'enforced',
  mechanism: `job ${mechanism}`,
  reason,
  ...set,
});
const watched = (reason: string) => (): Piece => ({ status: 'watched', mechanism: SAMPLING, reason });
const impossible = (reason: string) => (): Piece => ({ status: 'impossible', mechanism: '', reason });

const noRates = watched('Windows limits no rates of a disk: what the tree reads and writes is counted');

const PLANNERS: Readonly<Record<LimitName, (ask: Ask) => Piece>> = {
  'memory.max_rss': ({ value }) =>
    enforced('JobMemoryLimit', 'counts committed memory: an allocation beyond it fails', {
      job: { jobMemory: value },
    }),
  'memory.high': watched('jobs have no such mark'),
  'memory.max_swap': impossible('Windows does not count the paging file of a tree'),
  'memory.max_virtual': ({ value }) =>
    enforced('ProcessMemoryLimit', 'of each process; counts committed memory, not address space', {
      job: { processMemory: value },
    }),
  'memory.max_heap': impossible('Windows counts committed memory only: memory.max_virtual is for that'),
  'memory.max_locked': impossible('jobs do not limit locked memory'),
  'memory.max_working_set': ({ value }) =>
    enforced('WorkingSet', 'of each process: what is beyond it goes to the paging file', {
      job: { workingSet: [Math.min(LEAST_WORKING_SET, value), value] },
    }),
  'cpu.max_percent': ({ value, means }) => hardCap(value, means),
  'cpu.max_cores': ({ value, means }) => hardCap(100 * value, means),
  'cpu.weight': ({ value, limits }) => weight(value, limits),
  'cpu.max_time': ({ value }) => ({
    status: 'watched',
    mechanism: `${SAMPLING}, job PerJobUserTimeLimit`,
    reason: 'the job ends the tree by its user time; all of its time is summed',
    job: { jobTime: value },
  }),
  'cpu.nice': ({ value, means }) => priority(classOfNice(value), means),
  'cpu.affinity': ({ limits }) => affinity(limits.affinity ?? []),
  'cpu.scheduler': ({ limits, means }) => priority(classOfScheduler(limits), means),
  'io.weight': impossible('jobs do not share disks by weight'),
  'io.max_read_bps': noRates,
  'io.max_write_bps': noRates,
  'io.max_read_ops': noRates,
  'io.max_write_ops': noRates,
  'process.max_processes': ({ value }) =>
    enforced(
      'ActiveProcessLimit',
      'counts processes and no threads, the console host of Windows among them',
      {
        job: { activeProcesses: value },
      },
    ),
  'process.max_file_descriptors': watched('Windows limits no handles; those of the tree are counted'),
  'process.max_child_processes': watched('jobs count all processes together'),
  'process.max_core_size': impossible('dumps are made by Windows Error Reporting, by its own settings'),
  'process.oom_score_adj': impossible('Windows kills nobody for want of memory'),
  'process.no_new_privs': impossible('no program gets rights by being started on Windows'),
  'process.no_desktop': () => enforced('UIRestrictions', '', { desktop: WHOLE_DESKTOP }),
  'network.max_connections': watched('Windows has no such limit'),
  'network.max_bandwidth': ({ value }) =>
    enforced('NetRateControl', 'what the tree sends; what it receives is not held back', { network: value }),
  'storage.max_temp_size': watched('the directory is measured'),
  'storage.max_log_size': watched('the files are measured'),
};

/** What becomes of each limit, and what is to be set. */
export function planJob(limits: LimitsSpec, means: JobMeans): JobPlan {
  let plan = NO_JOB_PLAN;
  for (const [limit, value] of given(limits)) {
    const piece = withoutWine(limit, PLANNERS[limit]({ value, limits, means }), means);
    const { status, mechanism, reason } = piece;
    plan = {
      job: { ...plan.job, ...piece.job },
      cpu: stricter(plan.cpu, piece.cpu ?? null),
      desktop: plan.desktop | (piece.desktop ?? 0),
      network: piece.network ?? plan.network,
      reports: [...plan.reports, { limit, status, mechanism, reason }],
    };
  }
  return plan;
}

const ANY_MEANS: JobMeans = { isWine: false, processors: 1, mayRaisePriority: () => true };

/** What holds each limit on Windows at best, where the number does not matter. */
export function windowsSupport(limit: LimitName): Omit<Support, 'file'> {
  const limits: Wanted = { values: { [limit]: 1 }, affinity: [0], scheduler: null };
  const { status, mechanism, reason } = PLANNERS[limit]({ value: 1, limits, means: ANY_MEANS });
  return { status, mechanism, note: status === 'enforced' ? '' : reason };
}

/** What becomes of the limits of a budget that several workers share. */
export function reportsOfQuota({ kind, id, limits }: QuotaSpec): readonly LimitReport[] {
  const reason = 'budgets of several workers are not held on Windows yet';
  return given(limits).map(([limit]) => ({
    limit,
    quota: { kind, id },
    status: 'impossible',
    mechanism: '',
    reason,
  }));
}

/** The plan after Windows has refused some of it. */
export function withRefusals(plan: JobPlan, refusals: ReadonlyMap<string, WindowsFailure>): JobPlan {
  if (refusals.size === 0) return plan;
  const reports = plan.reports.map((report): LimitReport => {
    const refusal = refusals.get(report.mechanism);
    if (refusal === undefined) return report;
    const reason = `${report.mechanism} is refused: ${refusal.call} answers ${refusal.code} (${refusal.error})`;
    const fallback = PLANNERS_WATCH.has(report.limit);
    return fallback
      ? { ...report, status: 'watched', mechanism: SAMPLING, reason }
      : { ...report, status: 'impossible', mechanism: '', reason };
  });
  return { ...plan, reports };
}

/** What can at least be seen where it cannot be held. */
const PLANNERS_WATCH: ReadonlySet<LimitName> = new Set([
  'memory.max_rss',
  'memory.max_virtual',
  'memory.max_working_set',
  'cpu.max_percent',
  'cpu.max_cores',
  'cpu.max_time',
  'process.max_processes',
]);

function given({ values, affinity: cpus, scheduler }: LimitsSpec): readonly (readonly [LimitName, number])[] {
  return LIMIT_NAMES.flatMap((limit): (readonly [LimitName, number])[] => {
    const value = values[limit];
    if (value !== undefined) return [[limit, value]];
    if (limit === 'cpu.affinity' && cpus !== null) return [[limit, cpus.length]];
    return limit === 'cpu.scheduler' && scheduler !== null ? [[limit, scheduler.priority]] : [];
  });
}

/** Set all the same, since what Wine accepts today it may keep tomorrow; told as what it is. */
function withoutWine(limit: LimitName, piece: Piece, { isWine }: JobMeans): Piece {
  if (!isWine || piece.status !== 'enforced') return piece;
  const reason = 'Wine accepts limits of jobs and does not keep them';
  return PLANNERS_WATCH.has(limit)
    ? { ...piece, status: 'watched', mechanism: SAMPLING, reason }
    : { ...piece, status: 'impossible', mechanism: '', reason };
}

function hardCap(percentOfCore: number, { processors }: JobMeans): Piece {
  const rate = Math.min(100, Math.max(0.01, percentOfCore / processors));
  return enforced('CpuRateControl hard cap', `${rate.toFixed(2)} % of ${processors} processors`, {
    cpu: { rate },
  });
}

/** 1 to 9, where 5 is ordinary; ours are 1 to 10000 around 100. */
function weight(value: number, { values }: Wanted): Piece {
  if (values['cpu.max_percent'] !== undefined || values['cpu.max_cores'] !== undefined)
    return impossible('a job has either a hard cap or a weight, and this one has a cap')();
  const mapped = Math.min(9, Math.max(1, Math.round(5 + 2 * Math.log10(value / 100))));
  return enforced('CpuRateControl weight', `${mapped} of 9`, { cpu: { weight: mapped } });
}

function stricter(a: WindowsCpuControl, b: WindowsCpuControl): WindowsCpuControl {
  if (a === null || b === null) return a ?? b;
  if ('rate' in a && 'rate' in b) return { rate: Math.min(a.rate, b.rate) };
  return 'rate' in a ? a : b;
}

function affinity(cpus: readonly number[]): Piece {
  if (cpus.some((cpu) => cpu > 63)) return impossible('a job names CPUs of one group of 64')();
  return enforced('Affinity', '', { job: { affinity: cpus } });
}

function classOfNice(nice: number): WindowsPriority {
  if (nice <= -15) return 'high';
  if (nice <= -5) return 'above-normal';
  if (nice < 5) return 'normal';
  return nice < 15 ? 'below-normal' : 'idle';
}

function classOfScheduler({ scheduler }: Wanted): WindowsPriority {
  switch (scheduler?.policy) {
    case 'fifo':
    case 'round-robin':
      return 'realtime';
    case 'batch':
      return 'below-normal';
    case 'idle':
      return 'idle';
    default:
      return 'normal';
  }
}

const RAISED: ReadonlySet<WindowsPriority> = new Set(['above-normal', 'high', 'realtime']);

function priority(wanted: WindowsPriority, { mayRaisePriority }: JobMeans): Piece {
  if (RAISED.has(wanted) && !mayRaisePriority())
    return impossible(`priority ${wanted} takes SeIncreaseBasePriorityPrivilege, which the master has not`)();
  return enforced('PriorityClass', wanted, { job: { priority: wanted } });
}
