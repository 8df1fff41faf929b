import {
  LIMIT_NAMES,
  type LimitName,
  type LimitReport,
  type LimitsSpec,
  type LimitValues,
  type Scheduler,
} from '@hsu-master/core';
import { describe, expect, test } from 'vitest';
import { weightToShares } from '../src/host/cgroup/cpu-limits.ts';
import type { Setting } from '../src/host/cgroup/limit-plan.ts';
import { LIMIT_SUPPORT } from '../src/host/cgroup/limit-support.ts';
import { formatCpus } from '../src/host/cgroup/piece.ts';
import { planLimits, planQuota, reportsWithoutAddon } from '../src/host/cgroup/plan.ts';
import {
  GiB,
  limitsOf,
  MiB,
  none,
  onTmpfs,
  onVda,
  tree2,
  trees1,
  user,
  v1,
  v2,
  vda,
} from './limit-settings.ts';

/** `file=value`, both trees. */
function written(values: LimitValues | LimitsSpec, setting: Setting): readonly string[] {
  const { writes1, writes2 } = planLimits(specOf(values), setting);
  return [...writes2, ...writes1].map(({ file, value }) => `${file}=${value}`);
}

function specOf(values: LimitValues | LimitsSpec): LimitsSpec {
  return 'responses' in values ? values : limitsOf(values);
}

function reportOf(limit: LimitName, values: LimitValues | LimitsSpec, setting: Setting): LimitReport {
  const found = planLimits(specOf(values), setting).reports.find((report) => report.limit === limit);
  if (found === undefined) throw new Error(`no report of ${limit}`);
  return found;
}

function rlimitsOf(values: LimitValues, setting: Setting) {
  return planLimits(limitsOf(values), setting).process.rlimits;
}

describe('memory', () => {
  test('v2: memory.max in whole pages, no swap unless some is given, and an OOM kill of the whole tree', () => {
    expect(written({ 'memory.max_rss': 64 * MiB + 1 }, v2())).toEqual([
      `memory.max=${64 * MiB}`,
      'memory.swap.max=0',
      'memory.oom.group=1',
    ]);
    expect(written({ 'memory.max_rss': 64 * MiB, 'memory.max_swap': MiB }, v2())).toEqual([
      `memory.max=${64 * MiB}`,
      'memory.oom.group=1',
      `memory.swap.max=${MiB}`,
    ]);
  });

  test('v2: what the kernel lacks is left away', () => {
    const setting = v2({ facilities: { countsSwap: false }, machine: { files: new Set(['memory.max']) } });
    expect(written({ 'memory.max_rss': MiB }, setting)).toEqual([`memory.max=${MiB}`]);
  });

  test('v1: memory first, then memory and swap together', () => {
    expect(written({ 'memory.max_rss': 64 * MiB, 'memory.max_swap': 8192 }, v1())).toEqual([
      `memory.limit_in_bytes=${64 * MiB}`,
      `memory.memsw.limit_in_bytes=${64 * MiB + 8192}`,
    ]);
    expect(written({ 'memory.max_rss': MiB }, v1({ facilities: { countsSwap: false } }))).toEqual([
      `memory.limit_in_bytes=${MiB}`,
    ]);
  });

  test('where swap is not counted both limits say so', () => {
    const missing = new Map([['swap', 'the kernel was booted with swapaccount=0']]);
    const values = { 'memory.max_rss': MiB, 'memory.max_swap': MiB };
    const setting = v1({ facilities: { countsSwap: false, missing } });
    expect(reportOf('memory.max_rss', values, setting)).toMatchObject({
      status: 'enforced',
      reason: expect.stringContaining('swap is not limited here: the kernel was booted with swapaccount=0'),
    });
    expect(reportOf('memory.max_swap', values, setting)).toMatchObject({
      status: 'impossible',
      reason: expect.stringContaining('swapaccount=0'),
    });
    const unexplained = v2({ facilities: { countsSwap: false } });
    expect(reportOf('memory.max_rss', values, unexplained).reason).toMatch(/swap is not limited here$/);
    expect(reportOf('memory.max_swap', values, unexplained).status).toBe('impossible');
  });

  test('v1: swap alone cannot be limited, but is counted', () => {
    expect(reportOf('memory.max_swap', { 'memory.max_swap': MiB }, v1())).toMatchObject({
      status: 'watched',
      mechanism: 'sampling',
      reason: expect.stringContaining('memory.max_rss'),
    });
  });

  test('memory.high: v2 only, elsewhere watched', () => {
    expect(written({ 'memory.high': MiB }, v2())).toEqual([`memory.high=${MiB}`]);
    expect(reportOf('memory.high', { 'memory.high': MiB }, v1())).toMatchObject({
      status: 'watched',
      reason: expect.stringContaining('soft_limit'),
    });
    expect(planLimits(limitsOf({ 'memory.high': MiB }), v1()).watched).toEqual(['memory.high']);
  });

  test('a limit above what the machine has, or above one around, says so', () => {
    const around = v2({ facilities: { above: ['memory.max 512MiB of /unit', 'pids.max 100 of /unit'] } });
    expect(reportOf('memory.max_rss', { 'memory.max_rss': 16 * GiB }, around).reason).toBe(
      'an OOM kill takes the whole tree (memory.oom.group); more than the 8GiB of this machine; around it: memory.max 512MiB of /unit',
    );
  });

  test('without a group resident memory is watched and the reason is that of the missing group', () => {
    const missing = new Map([['memory', '/unit does not have the controller memory']]);
    expect(reportOf('memory.max_rss', { 'memory.max_rss': MiB }, none({ facilities: { missing } }))).toEqual({
      limit: 'memory.max_rss',
      status: 'watched',
      mechanism: 'sampling',
      reason:
        '/unit does not have the controller memory; Linux limits resident memory by groups only; RLIMIT_RSS has no effect',
    });
  });

  test('more bytes than numbers hold exactly are as many as they hold', () => {
    expect(written({ 'memory.high': 2 ** 60 }, v2())).toEqual([`memory.high=${Number.MAX_SAFE_INTEGER}`]);
  });
});

describe('cpu', () => {
  test.each([
    [20, '20000 100000'],
    [250, '250000 100000'],
    [1, '1000 100000'],
    [0.5, '5000 1000000'],
    [0.01, '1000 1000000'],
  ])('v2: %d %% of a core is %s', (percent, value) => {
    expect(written({ 'cpu.max_percent': percent }, v2())).toEqual([`cpu.max=${value}`]);
  });

  test('v1: period, then quota', () => {
    expect(written({ 'cpu.max_cores': 1.5 }, v1())).toEqual([
      'cpu.cfs_period_us=100000',
      'cpu.cfs_quota_us=150000',
    ]);
  });

  test('of percent and cores the smaller holds, and the other says so', () => {
    const values = { 'cpu.max_percent': 20, 'cpu.max_cores': 2 };
    expect(written(values, v2())).toEqual(['cpu.max=20000 100000']);
    expect(reportOf('cpu.max_cores', values, v2())).toMatchObject({
      status: 'enforced',
      reason: 'cpu.max_percent is less and holds',
    });
    expect(reportOf('cpu.max_percent', values, v2()).reason).toBe('');
    expect(
      reportOf('cpu.max_percent', { 'cpu.max_percent': 90, 'cpu.max_cores': 0.5 }, v2()).reason,
    ).toContain('cpu.max_cores is less');
  });

  test('more than there is, less than the kernel gives, and what the groups around leave', () => {
    expect(reportOf('cpu.max_cores', { 'cpu.max_cores': 64 }, v2()).reason).toContain(
      'CPUs of this machine: 4',
    );
    expect(reportOf('cpu.max_percent', { 'cpu.max_percent': 0.01 }, v2()).reason).toContain(
      'no less than 0.1%',
    );
    const quotas = [{ kind: 'group', id: 'all', limits: limitsOf({ 'cpu.max_cores': 1 }) }] as const;
    const held = v1({ setting: { quotas }, machine: { cpuCeiling: 150 } });
    expect(written({ 'cpu.max_percent': 200 }, held)).toContain('cpu.cfs_quota_us=100000');
    expect(reportOf('cpu.max_percent', { 'cpu.max_percent': 200 }, held).reason).toContain('leave 100%');
    const unlimited = [{ kind: 'group', id: 'all', limits: limitsOf({}) }] as const;
    expect(
      written(
        { 'cpu.max_percent': 200 },
        v1({ setting: { quotas: unlimited }, machine: { cpuCeiling: 150 } }),
      ),
    ).toContain('cpu.cfs_quota_us=150000');
    // v2 takes it, and the group around holds it.
    expect(written({ 'cpu.max_percent': 200 }, v2({ setting: { quotas } }))).toEqual([
      'cpu.max=200000 100000',
    ]);
  });

  test('a kernel without CPU bandwidth control leaves it to sampling', () => {
    const setting = v2({ machine: { files: new Set(['cpu.weight']) } });
    expect(reportOf('cpu.max_percent', { 'cpu.max_percent': 20 }, setting)).toMatchObject({
      status: 'watched',
      reason: expect.stringMatching(/^this kernel has no cpu.max;/),
    });
  });

  test.each([
    [1, 10],
    [100, 1024],
    [10_000, 102_400],
    [0.01, 2],
    [1_000_000, 262_144],
  ])('a weight of %d is %d shares', (weight, shares) => {
    expect(weightToShares(weight)).toBe(shares);
  });

  test('weights: cpu.weight, cpu.shares, and nothing without groups', () => {
    expect(written({ 'cpu.weight': 50 }, v2())).toEqual(['cpu.weight=50']);
    expect(written({ 'cpu.weight': 50 }, v1())).toEqual(['cpu.shares=512']);
    expect(reportOf('cpu.weight', { 'cpu.weight': 50 }, none())).toMatchObject({
      status: 'impossible',
      reason: expect.stringMatching(/^no cpu group;/),
    });
  });

  test('CPU time ends each process by RLIMIT_CPU and is summed for the tree', () => {
    expect(rlimitsOf({ 'cpu.max_time': 1500 }, none())).toEqual([{ resource: 0, soft: 2, hard: 7 }]);
    expect(reportOf('cpu.max_time', { 'cpu.max_time': 1500 }, v2())).toMatchObject({
      status: 'watched',
      mechanism: 'sampling, RLIMIT_CPU',
    });
    const tight = none({
      facilities: { rights: { ...user, rlimits: new Map([[0, { soft: 1, hard: 1 }]]) } },
    });
    expect(rlimitsOf({ 'cpu.max_time': 9000 }, tight)).toEqual([{ resource: 0, soft: 1, hard: 1 }]);
    expect(reportOf('cpu.max_time', { 'cpu.max_time': 9000 }, tight).reason).toContain('only 1s');
  });

  test('niceness goes up freely and down by right', () => {
    expect(planLimits(limitsOf({ 'cpu.nice': 5 }), none({ facilities: { rights: user } })).process.nice).toBe(
      5,
    );
    expect(planLimits(limitsOf({ 'cpu.nice': -5 }), none()).process.nice).toBe(-5);
    expect(reportOf('cpu.nice', { 'cpu.nice': -5 }, none({ facilities: { rights: user } }))).toMatchObject({
      status: 'impossible',
      reason: expect.stringContaining('CAP_SYS_NICE'),
    });
    const allowed = { ...user, rlimits: new Map([[13, { soft: 25, hard: 25 }]]) };
    expect(
      planLimits(limitsOf({ 'cpu.nice': -5 }), none({ facilities: { rights: allowed } })).process.nice,
    ).toBe(-5);
    expect(reportOf('cpu.nice', { 'cpu.nice': -6 }, none({ facilities: { rights: allowed } })).status).toBe(
      'impossible',
    );
  });

  test('niceness says between whom it counts', () => {
    const nice = { 'cpu.nice': 5 };
    expect(reportOf('cpu.nice', nice, v2()).reason).toContain('within the worker’s own cpu group');
    const grouped = { ...nice, 'cpu.weight': 50 };
    expect(reportOf('cpu.nice', grouped, v1()).reason).toContain('within the worker’s own cpu group');
    // A v1 group is joined by who has limits of the CPU only.
    expect(reportOf('cpu.nice', nice, v1()).reason).toBe('each process may make itself nicer');
    expect(reportOf('cpu.nice', nice, none({ machine: { groupsSessions: true } })).reason).toContain(
      'session',
    );
    expect(reportOf('cpu.nice', nice, none()).reason).toBe('each process may make itself nicer');
  });

  test('affinity: the CPUs that the master has as well, by a set of the group and for each process', () => {
    const spec = limitsOf({ 'cpu.affinity': 3 }, { affinity: [3, 1, 0, 9] });
    expect(written(spec, v2())).toEqual(['cpuset.cpus=0-1,3']);
    expect(written(spec, v1())).toEqual(['cpuset.mems=0', 'cpuset.cpus=0-1,3']);
    expect(written(spec, none())).toEqual([]);
    expect(planLimits(spec, none()).process.affinity).toEqual([3, 1, 0]);
    expect(reportOf('cpu.affinity', spec, none())).toMatchObject({
      status: 'enforced',
      mechanism: 'sched_setaffinity',
      reason: expect.stringContaining('without 9, which the master may not use'),
    });
    const neutral = [v2(), v1()].map((setting) => {
      const { writes1, writes2 } = planLimits(spec, setting);
      return [...writes2, ...writes1].map((write) => write.neutral);
    });
    expect(neutral).toEqual([['\n'], ['0', '0-3']]);
  });

  test('affinity to CPUs that the master has none of is impossible', () => {
    const spec = limitsOf({ 'cpu.affinity': 1 }, { affinity: [9] });
    expect(reportOf('cpu.affinity', spec, v2())).toMatchObject({
      status: 'impossible',
      reason: 'the master itself may use the CPUs 0-3 only',
    });
    expect(reportOf('cpu.affinity', { 'cpu.affinity': 1 }, v2()).status).toBe('impossible');
  });

  test('affinity and scheduler need no number to be given', () => {
    const spec = limitsOf({}, { affinity: [0], scheduler: { policy: 'batch', priority: 0 } });
    expect(planLimits(spec, none()).reports.map(({ limit }) => limit)).toEqual([
      'cpu.affinity',
      'cpu.scheduler',
    ]);
  });

  test.each([
    ['other', 0],
    ['fifo', 1],
    ['round-robin', 2],
    ['batch', 3],
    ['idle', 5],
  ] as const)('the class %s is number %d', (policy, number) => {
    const priority = number === 1 || number === 2 ? 10 : 0;
    const spec = limitsOf({ 'cpu.scheduler': priority }, { scheduler: { policy, priority } });
    expect(planLimits(spec, none()).process.scheduler).toEqual({ policy: number, priority });
  });

  test('a class that is not named is the ordinary one', () => {
    expect(planLimits(limitsOf({ 'cpu.scheduler': 0 }), none()).process.scheduler).toEqual({
      policy: 0,
      priority: 0,
    });
  });

  describe('real time', () => {
    const scheduler: Scheduler = { policy: 'fifo', priority: 20 };
    const fifo = limitsOf({ 'cpu.scheduler': 20 }, { scheduler });

    test('takes a right, or RLIMIT_RTPRIO', () => {
      expect(reportOf('cpu.scheduler', fifo, none({ facilities: { rights: user } })).status).toBe(
        'impossible',
      );
      const allowed = { ...user, rlimits: new Map([[14, { soft: 20, hard: 20 }]]) };
      expect(reportOf('cpu.scheduler', fifo, none({ facilities: { rights: allowed } })).status).toBe(
        'enforced',
      );
    });

    test('v2: the kernel may refuse it in a group, which is said', () => {
      expect(reportOf('cpu.scheduler', fifo, v2())).toMatchObject({
        status: 'enforced',
        reason: expect.stringContaining('CONFIG_RT_GROUP_SCHED'),
      });
    });

    test('v1: keeps out of groups that have no real-time budget, and of what is joined to them', () => {
      expect(planLimits(fifo, v1()).avoids).toEqual(['cpu']);
      expect(planLimits(fifo, v1({ facilities: { trees1: trees1(undefined, true) } })).avoids).toEqual([
        'cpu',
        'cpuacct',
      ]);
      expect(planLimits(fifo, v1({ machine: { files: new Set(['cpu.shares']) } })).avoids).toEqual([]);
      expect(planLimits(fifo, v1({ facilities: { trees1: trees1(['memory']) } })).avoids).toEqual([]);
    });

    test('v1: is impossible where its own or a quota’s CPU limits take such a group', () => {
      const limited = limitsOf({ 'cpu.scheduler': 20, 'cpu.max_percent': 50 }, { scheduler });
      expect(reportOf('cpu.scheduler', limited, v1())).toMatchObject({
        status: 'impossible',
        reason: expect.stringContaining('cpu.rt_runtime_us'),
      });
      const quotas = [{ kind: 'namespace', id: 'all', limits: limitsOf({ 'cpu.weight': 50 }) }] as const;
      expect(reportOf('cpu.scheduler', fifo, v1({ setting: { quotas } })).status).toBe('impossible');
    });
  });
});

describe('io', () => {
  const rates = {
    'io.max_read_bps': 1000.9,
    'io.max_write_bps': 2000,
    'io.max_read_ops': 30,
    'io.max_write_ops': 0,
  };

  test('v2: one line per rate and device', () => {
    expect(written(rates, v2())).toEqual([
      'io.max=254:0 rbps=1000',
      'io.max=254:0 wbps=2000',
      'io.max=254:0 riops=30',
      'io.max=254:0 wiops=2',
    ]);
  });

  test('v1: one file per rate', () => {
    expect(written(rates, v1())).toEqual([
      'blkio.throttle.read_bps_device=254:0 1000',
      'blkio.throttle.write_bps_device=254:0 2000',
      'blkio.throttle.read_iops_device=254:0 30',
      'blkio.throttle.write_iops_device=254:0 2',
    ]);
  });

  test('more operations than the kernel counts are as many as it counts', () => {
    expect(written({ 'io.max_read_ops': 2 ** 40 }, v1())).toEqual([
      'blkio.throttle.read_iops_device=254:0 4294967295',
    ]);
  });

  test('several devices, each once', () => {
    const vdb = { id: '254:16', name: 'vdb', weighs: null };
    const devices = [onVda, { path: '/var', devices: [vda, vdb], reason: '' }, onTmpfs];
    const setting = v2({ setting: { devices } });
    expect(written({ 'io.max_read_bps': 1000 }, setting)).toEqual([
      'io.max=254:0 rbps=1000',
      'io.max=254:16 rbps=1000',
    ]);
    expect(reportOf('io.max_read_bps', { 'io.max_read_bps': 1000 }, setting).reason).toBe(
      'rbps of each device; on vda, vdb; not for /run: on a tmpfs, which is memory',
    );
  });

  test('without a disk it is impossible, and the path is named', () => {
    for (const limit of ['io.max_write_bps', 'io.weight'] as const) {
      const on = (devices: readonly (typeof onTmpfs)[]) =>
        reportOf(limit, { [limit]: 100 }, v2({ setting: { devices } }));
      expect(on([onTmpfs])).toMatchObject({
        status: 'impossible',
        reason: '/run: on a tmpfs, which is memory',
      });
      expect(on([]).reason).toBe('no path is given whose disk it is for');
    }
  });

  test('without a group the rates are watched', () => {
    expect(planLimits(limitsOf(rates), none()).watched).toEqual(Object.keys(rates));
  });

  test('what the kernel writes back later is counted only where one v2 group has memory and disk', () => {
    const both = reportOf('io.max_write_ops', rates, v2()).reason;
    const ioOnly = v2({ facilities: { tree2: tree2(['io']), trees1: trees1(['memory']) } });
    expect(both).not.toContain('writes back later');
    expect(reportOf('io.max_write_ops', rates, ioOnly).reason).toContain('writes back later');
    expect(reportOf('io.max_read_ops', rates, ioOnly).reason).not.toContain('writes back later');
    expect(reportOf('io.max_write_bps', rates, v1()).reason).toContain('writes back later');
  });

  const withWays = (...ways: readonly ('bfq' | 'cfq' | 'iocost' | null)[]) => {
    const devices = ways.map((weighs, at) => ({ id: `8:${at}`, name: `sd${at}`, weighs }));
    return { setting: { devices: [{ path: '/srv', devices, reason: '' }] } };
  };

  test.each([
    ['bfq', 50, 'io.bfq.weight=50', 'blkio.bfq.weight=50'],
    ['bfq', 10_000, 'io.bfq.weight=1000', 'blkio.bfq.weight=1000'],
    ['cfq', 50, 'io.weight=default 50', 'blkio.weight=250'],
    ['cfq', 1, 'io.weight=default 1', 'blkio.weight=10'],
    ['cfq', 9000, 'io.weight=default 9000', 'blkio.weight=1000'],
    ['iocost', 50, 'io.weight=default 50', null],
    [null, 50, null, null],
  ] as const)('a weight under %s: %d', (way, weight, in2, in1) => {
    const values = { 'io.weight': weight };
    expect(written(values, v2(withWays(way)))).toEqual(in2 === null ? [] : [in2]);
    expect(written(values, v1(withWays(way)))).toEqual(in1 === null ? [] : [in1]);
  });

  test('weights name the disks that they do and do not count on', () => {
    expect(reportOf('io.weight', { 'io.weight': 50 }, v2(withWays('bfq', 'iocost', null)))).toEqual({
      limit: 'io.weight',
      status: 'enforced',
      mechanism: 'cgroup2 io.bfq.weight, io.weight',
      reason: 'where bfq or iocost shares the disk; on sd0, sd1; not on sd2: that takes bfq or iocost',
    });
    expect(reportOf('io.weight', { 'io.weight': 50 }, v1(withWays(null)))).toMatchObject({
      status: 'impossible',
      reason: 'no weights on sd0: that takes bfq or cfq',
    });
    const noFile = v2({ ...withWays('bfq'), machine: { files: new Set(['io.max']) } });
    expect(reportOf('io.weight', { 'io.weight': 50 }, noFile).status).toBe('impossible');
  });
});

describe('process', () => {
  test('processes: pids.max of either, else watched', () => {
    expect(written({ 'process.max_processes': 20 }, v2())).toEqual(['pids.max=20']);
    expect(written({ 'process.max_processes': 20 }, v1())).toEqual(['pids.max=20']);
    expect(written({ 'process.max_processes': 2 ** 30 }, v1())).toEqual(['pids.max=4194304']);
    expect(reportOf('process.max_processes', { 'process.max_processes': 20 }, none())).toMatchObject({
      status: 'watched',
      reason: expect.stringContaining('RLIMIT_NPROC counts all processes of the user'),
    });
  });

  test('rlimits by number, soft and hard', () => {
    const values = {
      'memory.max_virtual': GiB,
      'memory.max_heap': MiB,
      'memory.max_locked': 4096,
      'process.max_file_descriptors': 100,
      'process.max_core_size': 0,
    };
    expect(rlimitsOf(values, none())).toEqual([
      { resource: 9, soft: GiB, hard: GiB },
      { resource: 2, soft: MiB, hard: MiB },
      { resource: 8, soft: 4096, hard: 4096 },
      { resource: 7, soft: 100, hard: 100 },
      { resource: 4, soft: 0, hard: 0 },
    ]);
  });

  test('above the master’s own hard limit takes a right; what there is holds', () => {
    const values = { 'process.max_file_descriptors': 9000 };
    expect(rlimitsOf(values, none({ facilities: { rights: user } }))).toEqual([
      { resource: 7, soft: 4096, hard: 4096 },
    ]);
    expect(
      reportOf('process.max_file_descriptors', values, none({ facilities: { rights: user } })),
    ).toMatchObject({
      status: 'enforced',
      reason: expect.stringMatching(/only 4096, .*RLIMIT_NOFILE.*CAP_SYS_RESOURCE/),
    });
    expect(rlimitsOf(values, none())).toEqual([{ resource: 7, soft: 9000, hard: 9000 }]);
  });

  test('nobody has more open files than fs.nr_open', () => {
    const values = { 'process.max_file_descriptors': 2_000_000 };
    expect(rlimitsOf(values, none())).toEqual([{ resource: 7, soft: 1_048_576, hard: 1_048_576 }]);
    expect(reportOf('process.max_file_descriptors', values, none()).reason).toContain('fs.nr_open');
  });

  test('root locks as much as it wants', () => {
    const setting = none({ setting: { isRoot: true } });
    expect(reportOf('memory.max_locked', { 'memory.max_locked': 1 }, setting)).toMatchObject({
      status: 'impossible',
      reason: 'RLIMIT_MEMLOCK does not hold for root',
    });
  });

  test('cores: a program that takes them may know the limit or not', () => {
    const values = { 'process.max_core_size': 0 };
    const ignorant = none({ machine: { corePattern: '|/bin/keep %p' } });
    expect(reportOf('process.max_core_size', values, ignorant)).toMatchObject({
      status: 'impossible',
      reason: expect.stringContaining('|/bin/keep %p'),
    });
    const told = none({ machine: { corePattern: '|/lib/systemd-coredump %p %c' } });
    expect(reportOf('process.max_core_size', values, told)).toMatchObject({
      status: 'enforced',
      reason: expect.stringContaining('which decides'),
    });
  });

  test('oom_score_adj goes up freely and down by right', () => {
    const as = (score: number, setting: Setting) =>
      planLimits(limitsOf({ 'process.oom_score_adj': score }), setting).process.oomScoreAdj;
    expect(as(500, none({ facilities: { rights: user } }))).toBe(500);
    expect(as(-500, none({ facilities: { rights: user } }))).toBeNull();
    expect(as(-500, none())).toBe(-500);
  });

  test('no_new_privs is set or not', () => {
    const as = (flag: number) => planLimits(limitsOf({ 'process.no_new_privs': flag }), none());
    expect(as(1).process.noNewPrivs).toBe(true);
    expect(as(0).process.noNewPrivs).toBe(false);
    expect(as(0).reports[0]?.reason).toBe('off: nothing is set');
  });
});

describe('what no kernel holds', () => {
  test.each(['process.max_child_processes', 'network.max_connections', 'storage.max_log_size'] as const)(
    '%s is watched everywhere',
    (limit) => {
      for (const setting of [v2(), v1(), none()]) {
        expect(planLimits(limitsOf({ [limit]: 1 }), setting).watched).toEqual([limit]);
      }
    },
  );

  test('network.max_bandwidth is impossible everywhere', () => {
    for (const setting of [v2(), v1(), none()]) {
      expect(reportOf('network.max_bandwidth', { 'network.max_bandwidth': 1 }, setting)).toMatchObject({
        status: 'impossible',
        mechanism: '',
        reason: 'cgroups have no controller for the network',
      });
    }
  });

  test('a temporary directory must be there to be watched', () => {
    const values = { 'storage.max_temp_size': MiB };
    expect(reportOf('storage.max_temp_size', values, none()).status).toBe('watched');
    expect(reportOf('storage.max_temp_size', limitsOf(values, { tempDirectory: null }), none()).status).toBe(
      'impossible',
    );
  });
});

describe('hosts between', () => {
  test('a hybrid host: limits by v1 where v2 has no controllers', () => {
    const hybrid = v1({ facilities: { tree2: tree2([]) } });
    expect(written({ 'memory.max_rss': MiB, 'process.max_processes': 5 }, hybrid)).toEqual([
      `memory.limit_in_bytes=${MiB}`,
      `memory.memsw.limit_in_bytes=${MiB}`,
      'pids.max=5',
    ]);
  });

  test('each controller is taken where it is', () => {
    const mixed = v2({ facilities: { tree2: tree2(['pids']), trees1: trees1(['memory']) } });
    const { writes1, writes2 } = planLimits(
      limitsOf({ 'memory.max_rss': MiB, 'process.max_processes': 5, 'cpu.weight': 5 }),
      mixed,
    );
    expect(writes2.map(({ file }) => file)).toEqual(['pids.max']);
    expect(writes1.map(({ file }) => file)).toEqual(['memory.limit_in_bytes', 'memory.memsw.limit_in_bytes']);
  });

  test('the reason of a missing group: by its name in v2, in v1, or the general one', () => {
    const because = (missing: [string, string][]) =>
      reportOf(
        'io.max_read_bps',
        { 'io.max_read_bps': 1 },
        none({ facilities: { missing: new Map(missing) } }),
      ).reason;
    expect(
      because([
        ['io', 'a'],
        ['blkio', 'b'],
        ['', 'c'],
      ]),
    ).toMatch(/^a;/);
    expect(
      because([
        ['blkio', 'b'],
        ['', 'c'],
      ]),
    ).toMatch(/^b;/);
    expect(because([['', 'c']])).toMatch(/^c;/);
  });

  test('a write names the limits that were given and hang on it', () => {
    const limitsIn = (values: LimitValues) =>
      planLimits(limitsOf(values), v2()).writes2.map(({ file, limits }) => [file, limits]);
    expect(limitsIn({ 'cpu.max_percent': 5 })).toEqual([['cpu.max', ['cpu.max_percent']]]);
    expect(limitsIn({ 'cpu.max_percent': 5, 'cpu.max_cores': 1 })).toEqual([
      ['cpu.max', ['cpu.max_percent', 'cpu.max_cores']],
    ]);
    expect(limitsIn({ 'memory.max_rss': MiB })).toEqual([
      ['memory.max', ['memory.max_rss']],
      ['memory.swap.max', []],
      ['memory.oom.group', []],
    ]);
  });
});

describe('quotas', () => {
  const shared = (values: LimitValues, setting: Setting) => planQuota(limitsOf(values), setting);

  test('hold what a group holds, without ending all for the greed of one', () => {
    const plan = shared({ 'memory.max_rss': MiB, 'process.max_processes': 9, 'cpu.max_percent': 50 }, v2());
    expect(plan.writes2.map(({ file, value }) => `${file}=${value}`)).toEqual([
      `memory.max=${MiB}`,
      'memory.swap.max=0',
      'cpu.max=50000 100000',
      'pids.max=9',
    ]);
    expect(plan.reports.map(({ status }) => status)).toEqual(['enforced', 'enforced', 'enforced']);
  });

  test('cannot hold what belongs to a process', () => {
    expect(shared({ 'memory.max_virtual': GiB, 'cpu.nice': 5 }, v2()).reports).toEqual(
      (['memory.max_virtual', 'cpu.nice'] as const).map((limit) => ({
        limit,
        status: 'impossible',
        mechanism: '',
        reason: 'belongs to each worker; several cannot share it',
      })),
    );
  });

  test('cannot be without groups', () => {
    const missing = new Map([['', 'no cgroup hierarchy is mounted']]);
    expect(shared({ 'memory.max_rss': GiB }, none({ facilities: { missing } })).reports[0]).toMatchObject({
      status: 'impossible',
      reason: 'only a group can hold several workers together; no cgroup hierarchy is mounted',
    });
  });

  test('cannot hold what only sampling would, nor what has no disk', () => {
    expect(shared({ 'memory.high': GiB }, v1()).reports[0]?.status).toBe('impossible');
    const setting = v2({ setting: { devices: [onTmpfs] } });
    expect(shared({ 'io.max_read_bps': 1 }, setting).reports[0]).toMatchObject({
      status: 'impossible',
      reason: '/run: on a tmpfs, which is memory',
    });
  });

  test('say what they write and what is around them', () => {
    const setting = v2({ facilities: { above: ['io.max 1 of /unit'] } });
    expect(shared({ 'io.weight': 50 }, setting).reports).toEqual([
      {
        limit: 'io.weight',
        status: 'enforced',
        mechanism: 'cgroup2 io.bfq.weight',
        reason: 'where bfq or iocost shares the disk; on vda; around it: io.max 1 of /unit',
      },
    ]);
  });

  test('v1: are bounded by those around them, not by those within', () => {
    const outer = limitsOf({ 'cpu.max_percent': 200 });
    const inner = limitsOf({ 'cpu.max_percent': 300 });
    const quotas = [
      { kind: 'namespace', id: 'all', limits: outer },
      { kind: 'group', id: 'some', limits: inner },
    ] as const;
    const quotaOf = (limits: LimitsSpec) =>
      planQuota(limits, v1({ setting: { quotas } })).writes1.find(({ file }) => file === 'cpu.cfs_quota_us')
        ?.value;
    expect([quotaOf(outer), quotaOf(inner), quotaOf({ ...inner })]).toEqual(['200000', '200000', '200000']);
    const lesser = limitsOf({ 'cpu.max_percent': 50 });
    const other = [quotas[0], { ...quotas[1], limits: lesser }];
    const plan = planQuota(outer, v1({ setting: { quotas: other } }));
    expect(plan.writes1.map(({ value }) => value)).toEqual(['100000', '200000']);
  });

  test('v2: a worker in a budget of memory dies whole without a limit of its own', () => {
    const quotas = [{ kind: 'group', id: 'all', limits: limitsOf({ 'memory.max_rss': GiB }) }] as const;
    const whole = (setting: Setting) => written({ 'cpu.weight': 5 }, setting).includes('memory.oom.group=1');
    expect(whole(v2({ setting: { quotas } }))).toBe(true);
    expect(whole(v2())).toBe(false);
    expect(whole(v1({ setting: { quotas } }))).toBe(false);
    expect(whole(v2({ setting: { quotas }, machine: { files: new Set(['cpu.weight']) } }))).toBe(false);
    // Also one that has no limits at all.
    expect(planLimits(null, v2({ setting: { quotas } })).writes2.map(({ file }) => file)).toEqual([
      'memory.oom.group',
    ]);
  });

  test('take CPUs by the group alone', () => {
    const spec = limitsOf({ 'cpu.affinity': 1 }, { affinity: [1] });
    const { writes2, process } = planQuota(spec, v2());
    expect([writes2.map(({ value }) => value), process.affinity]).toEqual([['1'], null]);
  });
});

test.each([
  ['cgroup2', v2()],
  ['cgroup1', v1()],
  ['neither', none()],
] as const)('the table says what is planned at best: %s', (column, setting) => {
  const values = Object.fromEntries(LIMIT_NAMES.map((limit) => [limit, 10_000]));
  const all = limitsOf(values, { affinity: [0], scheduler: { policy: 'batch', priority: 0 } });
  for (const { limit, status, reason } of planLimits(all, setting).reports) {
    const support = LIMIT_SUPPORT[limit][column];
    expect([limit, status]).toEqual([limit, support.status]);
    expect(reason).toContain(support.note);
  }
});

test('without the addon every limit is impossible, and said to be', () => {
  expect(reportsWithoutAddon(limitsOf({ 'memory.max_rss': MiB, 'cpu.nice': 5 }))).toEqual(
    (['memory.max_rss', 'cpu.nice'] as const).map((limit) => ({
      limit,
      status: 'impossible',
      mechanism: '',
      reason: 'takes the native addon',
    })),
  );
});

test.each([
  [[], ''],
  [[3], '3'],
  [[2, 0, 1, 1, 5, 7, 8], '0-2,5,7-8'],
])('CPUs %j are written %j', (cpus, text) => {
  expect(formatCpus(cpus)).toBe(text);
});
