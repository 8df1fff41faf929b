import { formatLimit, type LimitName } from '@hsu-master/core';
import type { NativeRlimit } from '@hsu-master/native';
import type { GroupWrite, Rights } from './facilities.ts';
import type { ProcessPlan } from './limit-plan.ts';
import { type Ask, nothing, type Piece, type Refusal, refuse } from './piece.ts';

/** Numbers as in `<sys/resource.h>` of Linux. */
const RLIMITS = {
  'cpu.max_time': { resource: 0, name: 'RLIMIT_CPU' },
  'memory.max_heap': { resource: 2, name: 'RLIMIT_DATA' },
  'process.max_core_size': { resource: 4, name: 'RLIMIT_CORE' },
  'process.max_file_descriptors': { resource: 7, name: 'RLIMIT_NOFILE' },
  'memory.max_locked': { resource: 8, name: 'RLIMIT_MEMLOCK' },
  'memory.max_virtual': { resource: 9, name: 'RLIMIT_AS' },
} as const satisfies Partial<Record<LimitName, { resource: number; name: string }>>;

/** Seconds between SIGXCPU, which a program may catch, and SIGKILL. */
const CPU_GRACE = 5;

/** What pids.max takes at most; there are never more (PID_MAX_LIMIT of 64-bit kernels). */
const MOST_TASKS = 4_194_304;

export const noProcessPlan: ProcessPlan = {
  rlimits: [],
  nice: null,
  affinity: null,
  scheduler: null,
  ioPriority: null,
  oomScoreAdj: null,
  noNewPrivs: false,
};

/** Limits that are rlimits, by their resource. */
export const RLIMIT_NAMES: ReadonlyMap<number, LimitName> = new Map(
  Object.entries(RLIMITS).map(([limit, { resource }]) => [resource, limit as LimitName]),
);

export function planRlimit(ask: Ask): Piece | Refusal {
  const { limit, value, setting } = ask;
  const { resource, name } = RLIMITS[limit as keyof typeof RLIMITS];
  const spoiled = spoils(ask);
  if (spoiled !== null) return refuse(spoiled);
  const { machine, facilities } = setting;
  const whole = Math.max(0, limit === 'cpu.max_time' ? Math.ceil(value / 1000) : Math.floor(value));
  const most =
    resource === RLIMITS['process.max_file_descriptors'].resource ? machine.maxOpenFiles : Infinity;
  const own = facilities.rights.resource ? Infinity : hardLimit(facilities.rights, resource);
  const soft = Math.min(whole, own, most);
  const hard = Math.min(limit === 'cpu.max_time' ? whole + CPU_GRACE : whole, own, most);
  const notes = programTakesCore(ask);
  if (soft < whole) {
    const least = formatLimit(limit, limit === 'cpu.max_time' ? soft * 1000 : soft);
    const why = most < own ? 'fs.nr_open' : `the master’s hard ${name}; above it takes CAP_SYS_RESOURCE`;
    notes.push(`only ${least}, ${why}`);
  }
  return { ...nothing, process: { rlimits: [{ resource, soft, hard }] }, notes };
}

function spoils({ limit, setting: { isRoot, machine } }: Ask): string | null {
  if (limit === 'memory.max_locked' && isRoot) return 'RLIMIT_MEMLOCK does not hold for root';
  if (
    limit === 'process.max_core_size' &&
    pipesCore(machine.corePattern) &&
    !machine.corePattern.includes('%c')
  ) {
    return `kernel.core_pattern gives cores to a program whatever RLIMIT_CORE is: ${machine.corePattern}`;
  }
  return null;
}

function programTakesCore({ limit, setting: { machine } }: Ask): string[] {
  return limit === 'process.max_core_size' && pipesCore(machine.corePattern)
    ? [`kernel.core_pattern tells it to a program, which decides: ${machine.corePattern}`]
    : [];
}

function pipesCore(pattern: string): boolean {
  return pattern.startsWith('|');
}

/** What the master itself may have at most; Infinity: no limit, or not known. */
export function hardLimit({ rlimits }: Rights, resource: number): number {
  return rlimits.get(resource)?.hard ?? Infinity;
}

/** The master’s own limit, which its children have unless told otherwise. */
export function ownRlimit({ rlimits }: Rights, resource: number): NativeRlimit {
  return { resource, ...(rlimits.get(resource) ?? { soft: Infinity, hard: Infinity }) };
}

export function planMaxProcesses({ value }: Ask): Piece {
  const write: GroupWrite = {
    controller: 'pids',
    file: 'pids.max',
    value: String(Math.min(MOST_TASKS, Math.max(0, Math.floor(value)))),
    neutral: 'max',
    limits: ['process.max_processes'],
  };
  return { ...nothing, writes: [write] };
}

export function planOomScore({ value, setting: { facilities } }: Ask): Piece | Refusal {
  const oomScoreAdj = Math.min(1000, Math.max(-1000, Math.round(value)));
  const { rights } = facilities;
  return oomScoreAdj < rights.oomScoreAdj && !rights.resource
    ? refuse(`below the master’s own ${rights.oomScoreAdj} it takes CAP_SYS_RESOURCE`)
    : { ...nothing, process: { oomScoreAdj } };
}

export function planNoNewPrivs({ value }: Ask): Piece {
  return value === 0
    ? { ...nothing, notes: ['off: nothing is set'] }
    : { ...nothing, process: { noNewPrivs: true } };
}

export function planTempSize({ limits }: Ask): Piece | Refusal {
  return limits.tempDirectory === null ? refuse('the worker has no temporary directory of its own') : nothing;
}
