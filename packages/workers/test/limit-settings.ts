import {
  LIMIT_NAMES,
  type LimitName,
  type LimitResponse,
  type LimitsSpec,
  type LimitValues,
} from '@hsu-master/core';
import fc from 'fast-check';
import type { Device, DeviceLookup } from '../src/host/cgroup/devices.ts';
import type { Controller1, Facilities, Rights } from '../src/host/cgroup/facilities.ts';
import type { Machine, Setting } from '../src/host/cgroup/limit-plan.ts';

export const MiB = 1024 * 1024;
export const GiB = 1024 * MiB;

const response: LimitResponse = {
  warning: null,
  spikeTolerance: 0,
  sustained: 0,
  steps: [],
  adjust: { factor: 1.5, cap: 2 },
};

/** Limits with these values; what is no number is given apart. */
export function limitsOf(values: LimitValues, rest: Partial<LimitsSpec> = {}): LimitsSpec {
  return {
    values,
    affinity: null,
    scheduler: null,
    ioPaths: [],
    tempDirectory: '/tmp/worker',
    required: false,
    responses: {
      memory: response,
      cpu: response,
      io: response,
      process: response,
      network: response,
      storage: response,
    },
    throttlePercent: 10,
    monitoring: { enabled: true, interval: 10_000, retention: 60_000 },
    alerts: null,
    ...rest,
  };
}

export const vda: Device = { id: '254:0', name: 'vda', weighs: 'bfq' };
export const onVda: DeviceLookup = { path: '/srv', devices: [vda], reason: '' };
export const onTmpfs: DeviceLookup = { path: '/run', devices: [], reason: 'on a tmpfs, which is memory' };

const root: Rights = {
  uid: 0,
  resource: true,
  nice: true,
  cpus: [0, 1, 2, 3],
  rlimits: new Map(),
  oomScoreAdj: 0,
};

/** An ordinary user with the limits of one. */
export const user: Rights = {
  ...root,
  uid: 1000,
  resource: false,
  nice: false,
  rlimits: new Map([[7, { soft: 1024, hard: 4096 }]]),
};

const machine: Machine = {
  cpus: 4,
  totalMemory: 8 * GiB,
  pageSize: 4096,
  memoryNodes: '0',
  maxOpenFiles: 1_048_576,
  corePattern: 'core',
  niceness: 0,
  groupsSessions: false,
  files: null,
  cpuCeiling: null,
};

const CONTROLLERS1 = ['memory', 'cpu', 'cpuacct', 'cpuset', 'pids', 'blkio', 'freezer'] as const;

/** The same directory for joined controllers. */
export function trees1(names: readonly Controller1[] = CONTROLLERS1, isJoined = false): Facilities['trees1'] {
  const directory = (name: string): string => (isJoined && name.startsWith('cpu') ? 'cpu,cpuacct' : name);
  return new Map(names.map((name) => [name, `/sys/fs/cgroup/${directory(name)}/base`]));
}

export function tree2(
  controllers: readonly string[] = ['cpu', 'memory', 'io', 'pids', 'cpuset'],
): Facilities['tree2'] {
  return { base: '/sys/fs/cgroup/base', controllers: new Set(controllers), canKill: true, canFreeze: true };
}

const facilities: Facilities = {
  tree2: null,
  trees1: new Map(),
  countsSwap: true,
  missing: new Map(),
  origin: 'test',
  rights: root,
  above: [],
};

interface Given {
  readonly facilities?: Partial<Facilities>;
  readonly machine?: Partial<Machine>;
  readonly setting?: Partial<Setting>;
}

function settingOf(given: Given): Setting {
  return {
    facilities: { ...facilities, ...given.facilities },
    machine: { ...machine, ...given.machine },
    devices: [onVda],
    isRoot: false,
    quotas: [],
    ...given.setting,
  };
}

/** A machine with cgroup v2, with v1, and without either. */
export const v2 = (given: Given = {}): Setting =>
  settingOf({ ...given, facilities: { tree2: tree2(), ...given.facilities } });
export const v1 = (given: Given = {}): Setting =>
  settingOf({ ...given, facilities: { trees1: trees1(), ...given.facilities } });
export const none = (given: Given = {}): Setting => settingOf(given);

const ranges: Readonly<Record<LimitName, fc.Arbitrary<number>>> = Object.fromEntries(
  LIMIT_NAMES.map((limit) => [limit, rangeOf(limit)]),
) as Record<LimitName, fc.Arbitrary<number>>;

function rangeOf(limit: LimitName): fc.Arbitrary<number> {
  switch (limit) {
    case 'cpu.nice':
      return fc.integer({ min: -20, max: 19 });
    case 'process.oom_score_adj':
      return fc.integer({ min: -1000, max: 1000 });
    case 'process.no_new_privs':
      return fc.constantFrom(0, 1);
    case 'cpu.max_percent':
    case 'cpu.max_cores':
      return fc.double({ min: 0.001, max: 2000, noNaN: true });
    case 'cpu.weight':
    case 'io.weight':
      return fc.integer({ min: 1, max: 10_000 });
    default:
      return fc.oneof(fc.integer({ min: 0, max: 100_000 }), fc.maxSafeNat());
  }
}

const anyScheduler = fc.oneof(
  fc.constantFrom('other', 'batch', 'idle').map((policy) => ({ policy, priority: 0 }) as const),
  fc
    .tuple(fc.constantFrom('fifo', 'round-robin'), fc.integer({ min: 1, max: 99 }))
    .map(([policy, priority]) => ({ policy, priority }) as const),
);

export const anyLimits: fc.Arbitrary<LimitsSpec> = fc
  .record({
    values: fc.record(ranges, { requiredKeys: [] }),
    affinity: fc.option(fc.uniqueArray(fc.integer({ min: 0, max: 7 }), { minLength: 1 })),
    scheduler: fc.option(anyScheduler),
    tempDirectory: fc.option(fc.constant('/tmp/worker')),
  })
  .map(({ values, affinity, scheduler, tempDirectory }) => {
    const { 'cpu.affinity': _affinity, 'cpu.scheduler': _scheduler, ...rest } = values;
    const counted = {
      ...rest,
      ...(affinity === null ? {} : { 'cpu.affinity': affinity.length }),
      ...(scheduler === null ? {} : { 'cpu.scheduler': scheduler.priority }),
    };
    return limitsOf(counted, { affinity, scheduler, tempDirectory });
  });

const anyRlimit = fc
  .record({ soft: fc.nat(), more: fc.nat() })
  .map(({ soft, more }) => ({ soft, hard: soft + more }));

const anyRights: fc.Arbitrary<Rights> = fc.record({
  uid: fc.constantFrom(0, 1000),
  resource: fc.boolean(),
  nice: fc.boolean(),
  cpus: fc.uniqueArray(fc.integer({ min: 0, max: 7 }), { minLength: 1 }),
  rlimits: fc
    .uniqueArray(fc.tuple(fc.constantFrom(0, 2, 4, 7, 8, 9, 13, 14), anyRlimit), { selector: ([n]) => n })
    .map((entries) => new Map(entries)),
  oomScoreAdj: fc.integer({ min: -1000, max: 1000 }),
});

const anyDevice: fc.Arbitrary<Device> = fc
  .record({ minor: fc.integer({ min: 0, max: 3 }), weighs: fc.constantFrom('bfq', 'cfq', 'iocost', null) })
  .map(({ minor, weighs }) => ({ id: `8:${minor * 16}`, name: `sd${'abcd'.charAt(minor)}`, weighs }));

const FILES = [
  'memory.max',
  'memory.high',
  'memory.oom.group',
  'memory.swap.max',
  'memory.limit_in_bytes',
  'memory.memsw.limit_in_bytes',
  'cpu.max',
  'cpu.weight',
  'cpu.cfs_quota_us',
  'cpu.cfs_period_us',
  'cpu.shares',
  'cpu.rt_runtime_us',
  'cpuset.cpus',
  'cpuset.mems',
  'io.max',
  'io.weight',
  'io.bfq.weight',
  'blkio.bfq.weight',
  'blkio.weight',
  'blkio.throttle.read_bps_device',
  'pids.max',
] as const;

const anyMachine: fc.Arbitrary<Machine> = fc.record({
  cpus: fc.integer({ min: 1, max: 64 }),
  totalMemory: fc.integer({ min: 64 * MiB, max: 64 * GiB }),
  pageSize: fc.constantFrom(4096, 16_384, 65_536),
  memoryNodes: fc.constantFrom('0', '0-1'),
  maxOpenFiles: fc.constantFrom(1_048_576, 1_073_741_816),
  corePattern: fc.constantFrom('core', '|/usr/lib/systemd/systemd-coredump %P %u %c', '|/bin/keep'),
  niceness: fc.integer({ min: -20, max: 19 }),
  groupsSessions: fc.boolean(),
  files: fc.option(fc.subarray([...FILES]).map((names) => new Set<string>(names))),
  cpuCeiling: fc.option(fc.double({ min: 1, max: 400, noNaN: true })),
});

const anyFacilities: fc.Arbitrary<Facilities> = fc.record({
  tree2: fc.option(fc.subarray(['cpu', 'memory', 'io', 'pids', 'cpuset']).map(tree2)),
  trees1: fc
    .tuple(fc.subarray([...CONTROLLERS1]), fc.boolean())
    .map(([names, joined]) => trees1(names, joined)),
  countsSwap: fc.boolean(),
  missing: fc
    .uniqueArray(fc.tuple(fc.constantFrom('', 'memory', 'swap', 'blkio'), fc.constant('was not delegated')), {
      selector: ([name]) => name,
    })
    .map((entries) => new Map(entries)),
  origin: fc.constant('test'),
  rights: anyRights,
  above: fc.subarray(['memory.max 512MiB of /unit', 'blkio.weight 10 of /', 'pids.max 99 of /unit']),
});

export const anySetting: fc.Arbitrary<Setting> = fc.record({
  facilities: anyFacilities,
  machine: anyMachine,
  devices: fc.array(
    fc.oneof(
      fc.constant(onTmpfs),
      fc
        .array(anyDevice, { minLength: 1, maxLength: 2 })
        .map((devices) => ({ path: '/srv', devices, reason: '' })),
    ),
    { maxLength: 3 },
  ),
  isRoot: fc.boolean(),
  quotas: fc.array(
    anyLimits.map((limits) => ({ kind: 'group', id: 'backend', limits }) as const),
    { maxLength: 2 },
  ),
});
