import type { LimitName, LimitsSpec, LimitValues, Scheduler } from '@hsu-master/core';
import { describe, expect, test } from 'vitest';
import type { GroupWrite } from '../src/host/cgroup/facilities.ts';
import type { Setting } from '../src/host/cgroup/limit-plan.ts';
import { limitsOfStep, planLive, planThrottle, withDenials } from '../src/host/cgroup/live-limits.ts';
import { planLimits } from '../src/host/cgroup/plan.ts';
import { limitsOf, MiB, none, user, v1, v2 } from './limit-settings.ts';

const asText = (writes: readonly GroupWrite[]): readonly string[] =>
  writes.map(({ file, value }) => `${file}=${value}`);

function between(from: LimitValues | null, to: LimitValues, setting: Setting) {
  return change(from === null ? null : limitsOf(from), limitsOf(to), setting);
}

/** From the plan that the tree was begun with. */
function change(from: LimitsSpec | null, to: LimitsSpec, setting: Setting) {
  return planLive(from === null ? null : planLimits(from, setting), to, setting);
}

const written = (from: LimitValues | null, to: LimitValues, setting: Setting): readonly string[] => {
  const { writes1, writes2 } = between(from, to, setting).writes;
  return [...asText(writes2), ...asText(writes1)];
};

function statusOf(limit: LimitName, live: ReturnType<typeof planLive>) {
  return live.plan.reports.find((report) => report.limit === limit);
}

describe('files of a living group', () => {
  test('only what differs is written', () => {
    const from = { 'memory.max_rss': 64 * MiB, 'process.max_processes': 9 };
    const to = { 'memory.max_rss': 32 * MiB, 'process.max_processes': 9 };
    expect(written(from, to, v2())).toEqual([`memory.max=${32 * MiB}`]);
  });

  test('what is lifted is set to what a new group has', () => {
    const from = {
      'memory.max_rss': MiB,
      'cpu.max_percent': 20,
      'cpu.weight': 50,
      'io.weight': 50,
      'io.max_read_bps': 1000,
      'process.max_processes': 9,
    };
    expect(written(from, {}, v2())).toEqual([
      'memory.max=max',
      'memory.swap.max=max',
      'memory.oom.group=0',
      'cpu.max=max 100000',
      'cpu.weight=100',
      'io.bfq.weight=100',
      'io.max=254:0 rbps=max',
      'pids.max=max',
    ]);
    expect(written(from, {}, v1())).toEqual([
      'cpu.cfs_quota_us=-1',
      'cpu.shares=1024',
      'blkio.bfq.weight=100',
      'blkio.throttle.read_bps_device=254:0 0',
      'pids.max=max',
      'memory.memsw.limit_in_bytes=-1',
      'memory.limit_in_bytes=-1',
    ]);
  });

  test('a tree without limits gets some', () => {
    expect(written(null, { 'memory.max_rss': MiB }, v1())).toEqual([
      `memory.limit_in_bytes=${MiB}`,
      `memory.memsw.limit_in_bytes=${MiB}`,
    ]);
  });

  test('v1: memory goes first where it falls, and last where it rises above the sum with swap', () => {
    const at = (bytes: number): LimitValues => ({ 'memory.max_rss': bytes });
    expect(written(at(64 * MiB), at(32 * MiB), v1())).toEqual([
      `memory.limit_in_bytes=${32 * MiB}`,
      `memory.memsw.limit_in_bytes=${32 * MiB}`,
    ]);
    expect(written(at(32 * MiB), at(64 * MiB), v1())).toEqual([
      `memory.memsw.limit_in_bytes=${64 * MiB}`,
      `memory.limit_in_bytes=${64 * MiB}`,
    ]);
  });

  test('v1: a longer period goes before the quota, a shorter one after', () => {
    const at = (percent: number): LimitValues => ({ 'cpu.max_percent': percent });
    expect(written(at(20), at(0.5), v1())).toEqual(['cpu.cfs_period_us=1000000', 'cpu.cfs_quota_us=5000']);
    expect(written(at(0.5), at(20), v1())).toEqual(['cpu.cfs_quota_us=20000', 'cpu.cfs_period_us=100000']);
    expect(written(null, at(0.5), v1())).toEqual(['cpu.cfs_period_us=1000000', 'cpu.cfs_quota_us=5000']);
  });
});

test('a rate that is lifted is lifted where it was, whatever disks are asked for now', () => {
  const before = planLimits(limitsOf({ 'io.max_read_bps': 1000 }), v2());
  const { writes } = planLive(before, limitsOf({}), v2({ setting: { devices: [] } }));
  expect(asText(writes.writes2)).toEqual(['io.max=254:0 rbps=max']);
});

describe('throttling', () => {
  const throttled = (percent: number, limits: LimitsSpec | null, setting: Setting) => {
    const plan = planThrottle(percent, limits, setting);
    if (plan === null) return null;
    return [plan.apply, plan.restore].map(({ writes2, writes1 }) => asText([...writes2, ...writes1]));
  };

  test('is a CPU quota, and restores the one there was', () => {
    expect(throttled(10, null, v2())).toEqual([['cpu.max=10000 100000'], ['cpu.max=max 100000']]);
    expect(throttled(10, limitsOf({ 'cpu.max_cores': 2 }), v2())).toEqual([
      ['cpu.max=10000 100000'],
      ['cpu.max=200000 100000'],
    ]);
    expect(throttled(10, limitsOf({}), v1())).toEqual([
      ['cpu.cfs_period_us=100000', 'cpu.cfs_quota_us=10000'],
      ['cpu.cfs_period_us=100000', 'cpu.cfs_quota_us=-1'],
    ]);
  });

  test('v1: a longer period comes first and goes last', () => {
    expect(throttled(0.5, limitsOf({ 'cpu.max_percent': 50 }), v1())).toEqual([
      ['cpu.cfs_period_us=1000000', 'cpu.cfs_quota_us=5000'],
      ['cpu.cfs_quota_us=50000', 'cpu.cfs_period_us=100000'],
    ]);
  });

  test('does not give more than the limit', () => {
    expect(throttled(50, limitsOf({ 'cpu.max_percent': 20 }), v2())).toEqual([
      ['cpu.max=20000 100000'],
      ['cpu.max=20000 100000'],
    ]);
  });

  test('is no matter of quotas without a cpu group, nor for who was kept out of it', () => {
    expect(throttled(10, null, none())).toBeNull();
    expect(throttled(10, null, v2({ machine: { files: new Set(['cpu.weight']) } }))).toBeNull();
    const fifo = limitsOf({ 'cpu.scheduler': 5 }, { scheduler: { policy: 'fifo', priority: 5 } });
    expect(throttled(10, fifo, v1())).toBeNull();
  });
});

describe('living processes', () => {
  test('rlimits change, and go back to the master’s own', () => {
    const from = { 'process.max_file_descriptors': 100, 'memory.max_virtual': MiB };
    const to = { 'process.max_file_descriptors': 50, 'memory.max_virtual': MiB };
    expect(between(from, to, none()).process.rlimits).toEqual([{ resource: 7, soft: 50, hard: 50 }]);
    expect(between(from, {}, none()).process.rlimits).toEqual([
      { resource: 9, soft: Infinity, hard: Infinity },
      { resource: 7, soft: Infinity, hard: Infinity },
    ]);
  });

  test('a hard limit is raised by right only; what cannot be lifted is said', () => {
    const setting = none({ facilities: { rights: user } });
    const raised = between(
      { 'process.max_file_descriptors': 100 },
      { 'process.max_file_descriptors': 200 },
      setting,
    );
    expect(raised.process.rlimits).toEqual([]);
    expect(statusOf('process.max_file_descriptors', raised)).toMatchObject({
      status: 'impossible',
      reason: expect.stringMatching(/^to raise it again takes CAP_SYS_RESOURCE;/),
    });
    const lifted = between({ 'process.max_file_descriptors': 100 }, {}, setting);
    expect(lifted.plan.reports).toEqual([
      {
        limit: 'process.max_file_descriptors',
        status: 'impossible',
        mechanism: '',
        reason: 'the former limit remains: to raise it again takes CAP_SYS_RESOURCE',
      },
    ]);
    const lowered = between(null, { 'process.max_file_descriptors': 100 }, setting);
    expect(lowered.process.rlimits).toEqual([{ resource: 7, soft: 100, hard: 100 }]);
  });

  test('niceness and oom_score_adj go up freely and down by right', () => {
    const from = { 'cpu.nice': 10, 'process.oom_score_adj': 500 };
    const to = { 'cpu.nice': 5, 'process.oom_score_adj': 100 };
    expect(between(from, to, none()).process).toMatchObject({ nice: 5, oomScoreAdj: 100 });
    expect(between(from, {}, none()).process).toMatchObject({ nice: 0, oomScoreAdj: 0 });
    expect(between({}, from, none({ facilities: { rights: user } })).process).toMatchObject({
      nice: 10,
      oomScoreAdj: 500,
    });
    const denied = between(from, to, none({ facilities: { rights: user } }));
    expect(denied.process).toMatchObject({ nice: null, oomScoreAdj: null });
    expect(statusOf('cpu.nice', denied)?.reason).toMatch(/^from 10 down takes CAP_SYS_NICE/);
    expect(statusOf('process.oom_score_adj', denied)?.reason).toMatch(
      /^from 500 down takes CAP_SYS_RESOURCE/,
    );
  });

  test('affinity changes, and goes back to the CPUs of the master', () => {
    const on = (...affinity: readonly number[]): LimitsSpec =>
      limitsOf({ 'cpu.affinity': affinity.length }, { affinity });
    expect(change(on(0), on(1, 2), none()).process.affinity).toEqual([1, 2]);
    expect(change(on(0), limitsOf({}), none()).process.affinity).toEqual([0, 1, 2, 3]);
    expect(change(on(0), on(0), none()).process.affinity).toBeNull();
  });

  test('no_new_privs neither comes nor goes while a process lives', () => {
    const set = between({}, { 'process.no_new_privs': 1 }, none());
    expect(statusOf('process.no_new_privs', set)).toMatchObject({
      status: 'impossible',
      reason: expect.stringContaining('counts from the next start'),
    });
    const lifted = between({ 'process.no_new_privs': 1 }, { 'process.no_new_privs': 0 }, none());
    expect(statusOf('process.no_new_privs', lifted)?.reason).toContain('ends with the run');
  });

  describe('scheduling class', () => {
    const as = (scheduler: Scheduler, values: LimitValues = {}): LimitsSpec =>
      limitsOf({ 'cpu.scheduler': scheduler.priority, ...values }, { scheduler });
    const fifo = as({ policy: 'fifo', priority: 10 });
    const idle = as({ policy: 'idle', priority: 0 });

    test('changes, and goes back to the ordinary one', () => {
      expect(change(idle, fifo, none()).process.scheduler).toEqual({ policy: 1, priority: 10 });
      expect(change(fifo, limitsOf({}), none()).process.scheduler).toEqual({ policy: 0, priority: 0 });
      expect(change(null, idle, none()).process.scheduler).toEqual({ policy: 5, priority: 0 });
    });

    test('who is idle stays so without a right', () => {
      const live = change(idle, as({ policy: 'batch', priority: 0 }), none({ facilities: { rights: user } }));
      expect(live.process.scheduler).toBeNull();
      expect(statusOf('cpu.scheduler', live)?.reason).toMatch(/^to leave the idle class takes CAP_SYS_NICE/);
      const allowed = { ...user, rlimits: new Map([[13, { soft: 20, hard: 20 }]]) };
      const free = change(idle, limitsOf({ 'cpu.nice': 5 }), none({ facilities: { rights: allowed } }));
      expect(free.process.scheduler).toEqual({ policy: 0, priority: 0 });
    });

    test('v1: real time and the cpu group exclude each other for the whole life', () => {
      const live = change(limitsOf({ 'cpu.weight': 50 }), fifo, v1());
      expect(live.process.scheduler).toBeNull();
      expect(statusOf('cpu.scheduler', live)?.reason).toMatch(/^counts from the next start: it began in/);
      const back = change(fifo, limitsOf({ 'cpu.weight': 50 }), v1());
      expect(asText(back.writes.writes1)).toEqual([]);
      expect(statusOf('cpu.weight', back)).toMatchObject({
        status: 'impossible',
        reason: expect.stringContaining('it began outside the cpu group'),
      });
    });
  });
});

describe('what the system refuses after all', () => {
  const plan = planLimits(
    limitsOf({ 'memory.max_rss': MiB, 'cpu.weight': 5, 'memory.max_virtual': MiB, 'memory.max_heap': MiB }),
    v2(),
  );

  test('is watched where that can be, else impossible, for the reason it gave', () => {
    const after = withDenials(plan, [
      { limits: ['memory.max_rss'], reason: 'memory.max: EBUSY' },
      { limits: ['cpu.weight'], reason: 'cpu.weight: EINVAL' },
    ]);
    expect(after.reports.map(({ limit, status, mechanism }) => [limit, status, mechanism])).toEqual([
      ['memory.max_rss', 'watched', 'sampling'],
      ['memory.max_virtual', 'enforced', 'RLIMIT_AS'],
      ['memory.max_heap', 'enforced', 'RLIMIT_DATA'],
      ['cpu.weight', 'impossible', ''],
    ]);
    expect(after.watched).toEqual(['memory.max_rss']);
    expect(after.reports[0]?.reason).toMatch(/^memory.max: EBUSY; /);
  });

  test('nothing refused is nothing changed', () => {
    expect(withDenials(plan, [])).toEqual(plan);
  });

  test.each([
    ['rlimit', ['memory.max_virtual', 'memory.max_heap']],
    ['nice', ['cpu.nice']],
    ['affinity', ['cpu.affinity']],
    ['scheduler', ['cpu.scheduler']],
    ['oom-score', ['process.oom_score_adj']],
    ['no-new-privs', ['process.no_new_privs']],
    ['exec', []],
  ] as const)('the step %s sets %j', (step, limits) => {
    expect(limitsOfStep(step, plan)).toEqual(limits);
  });
});
