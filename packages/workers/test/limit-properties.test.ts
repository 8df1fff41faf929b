import { LIMIT_NAMES, type LimitName, type LimitsSpec } from '@hsu-master/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { GroupWrite } from '../src/host/cgroup/facilities.ts';
import type { LimitPlan, ProcessPlan } from '../src/host/cgroup/limit-plan.ts';
import { planLive } from '../src/host/cgroup/live-limits.ts';
import { orderMemory1 } from '../src/host/cgroup/memory-limits.ts';
import { keyOf, planLimits, planQuota } from '../src/host/cgroup/plan.ts';
import { noProcessPlan, RLIMIT_NAMES } from '../src/host/cgroup/process-limits.ts';
import { parseList } from '../src/host/cgroup/rights.ts';
import { anyLimits, anySetting, limitsOf } from './limit-settings.ts';

const givenIn = ({ values }: LimitsSpec): readonly LimitName[] =>
  LIMIT_NAMES.filter((limit) => values[limit] !== undefined);

function setOnProcess({
  rlimits,
  nice,
  affinity,
  scheduler,
  oomScoreAdj,
  noNewPrivs,
}: ProcessPlan): LimitName[] {
  const set: LimitName[] = rlimits.flatMap(({ resource }) => RLIMIT_NAMES.get(resource) ?? []);
  if (nice !== null) set.push('cpu.nice');
  if (affinity !== null) set.push('cpu.affinity');
  if (scheduler !== null) set.push('cpu.scheduler');
  if (oomScoreAdj !== null) set.push('process.oom_score_adj');
  if (noNewPrivs) set.push('process.no_new_privs');
  return set;
}

const held = ({ writes1, writes2, process }: LimitPlan): ReadonlySet<LimitName> =>
  new Set([...[...writes1, ...writes2].flatMap(({ limits }) => limits), ...setOnProcess(process)]);

test('each limit that is given has one report, in the order of the table', () => {
  fc.assert(
    fc.property(anyLimits, anySetting, (limits, setting) => {
      for (const plan of [planLimits(limits, setting), planQuota(limits, setting)]) {
        expect(plan.reports.map(({ limit }) => limit)).toEqual(givenIn(limits));
      }
    }),
  );
});

test('what is called enforced is set somewhere, and what is set is called enforced', () => {
  fc.assert(
    fc.property(anyLimits, anySetting, fc.boolean(), (limits, setting, isQuota) => {
      const plan = isQuota ? planQuota(limits, setting) : planLimits(limits, setting);
      const all = held(plan);
      for (const { limit, status } of plan.reports) {
        const isOff = limit === 'process.no_new_privs' && limits.values[limit] === 0;
        // RLIMIT_CPU holds each process, its limit is the tree’s.
        if (limit === 'cpu.max_time' || isOff) continue;
        expect([limit, all.has(limit)]).toEqual([limit, status === 'enforced']);
      }
    }),
  );
});

test('nothing is written that is not there', () => {
  fc.assert(
    fc.property(anyLimits, anySetting, fc.boolean(), (limits, setting, isQuota) => {
      const plan = isQuota ? planQuota(limits, setting) : planLimits(limits, setting);
      const { tree2, trees1 } = setting.facilities;
      for (const { controller } of plan.writes2) expect(tree2?.controllers).toContain(controller);
      for (const { controller } of plan.writes1) expect([...trees1.keys()]).toContain(controller);
      const { files } = setting.machine;
      // A cpuset and its memory nodes come together, as memory and its sum with swap do.
      const bound = ['cpuset.mems', 'memory.memsw.limit_in_bytes', 'memory.swap.max'];
      const written = [...plan.writes1, ...plan.writes2].map(({ file }) => file);
      if (files !== null) expect([...files, ...bound]).toEqual(expect.arrayContaining(written));
    }),
  );
});

test('a file, or a device’s entry in it, is written once', () => {
  fc.assert(
    fc.property(anyLimits, anySetting, (limits, setting) => {
      const { writes1, writes2 } = planLimits(limits, setting);
      const keys = [...writes1, ...writes2].map(keyOf);
      expect(new Set(keys).size).toBe(keys.length);
    }),
  );
});

test('reports: a mechanism unless impossible, a reason unless enforced, and what is watched is listed', () => {
  fc.assert(
    fc.property(anyLimits, anySetting, fc.boolean(), (limits, setting, isQuota) => {
      const plan = isQuota ? planQuota(limits, setting) : planLimits(limits, setting);
      for (const { status, mechanism, reason } of plan.reports) {
        expect(mechanism === '').toBe(status === 'impossible');
        if (status !== 'enforced') expect(reason).not.toBe('');
      }
      const watched = plan.reports.filter(({ status }) => status === 'watched');
      expect(plan.watched).toEqual(watched.map(({ limit }) => limit));
    }),
  );
});

test('a quota sets nothing on a process and watches nothing', () => {
  fc.assert(
    fc.property(anyLimits, anySetting, (limits, setting) => {
      const { process, watched } = planQuota(limits, setting);
      expect({ process, watched }).toEqual({ process: noProcessPlan, watched: [] });
    }),
  );
});

/** What each file takes; the returned number is what it limits to. */
const VALUES: Readonly<Record<string, RegExp>> = {
  'memory.max': /^(\d+)$/,
  'memory.high': /^(\d+)$/,
  'memory.swap.max': /^(\d+)$/,
  'memory.oom.group': /^(1)$/,
  'memory.limit_in_bytes': /^(\d+)$/,
  'memory.memsw.limit_in_bytes': /^(\d+)$/,
  'cpu.max': /^(\d+) (100000|1000000)$/,
  'cpu.cfs_quota_us': /^(\d+)$/,
  'cpu.cfs_period_us': /^(100000|1000000)$/,
  'cpu.weight': /^(\d+)$/,
  'cpu.shares': /^(\d+)$/,
  'cpuset.cpus': /^[\d,-]+$/,
  'cpuset.mems': /^[\d,-]+$/,
  'io.max': /^8:\d+ [rw](?:bps|iops)=(\d+)$/,
  'io.weight': /^default (\d+)$/,
  'io.bfq.weight': /^(\d+)$/,
  'blkio.bfq.weight': /^(\d+)$/,
  'blkio.weight': /^(\d+)$/,
  'blkio.throttle.read_bps_device': /^8:\d+ (\d+)$/,
  'blkio.throttle.write_bps_device': /^8:\d+ (\d+)$/,
  'blkio.throttle.read_iops_device': /^8:\d+ (\d+)$/,
  'blkio.throttle.write_iops_device': /^8:\d+ (\d+)$/,
  'pids.max': /^(\d+)$/,
};

const RANGES: Readonly<Record<string, readonly [number, number]>> = {
  'cpu.max': [1000, Number.MAX_SAFE_INTEGER],
  'cpu.cfs_quota_us': [1000, Number.MAX_SAFE_INTEGER],
  'cpu.weight': [1, 10_000],
  'cpu.shares': [2, 262_144],
  'io.max': [2, Number.MAX_SAFE_INTEGER],
  'pids.max': [0, 4_194_304],
  'blkio.throttle.read_iops_device': [1, 4_294_967_295],
  'blkio.throttle.write_iops_device': [1, 4_294_967_295],
  'io.weight': [1, 10_000],
  'io.bfq.weight': [1, 1000],
  'blkio.bfq.weight': [1, 1000],
  'blkio.weight': [10, 1000],
};

test('every value is one that its file takes', () => {
  fc.assert(
    fc.property(anyLimits, anySetting, (limits, setting) => {
      const { writes1, writes2 } = planLimits(limits, setting);
      for (const { file, value } of [...writes1, ...writes2]) {
        const match = VALUES[file]?.exec(value);
        expect([file, value, match]).not.toEqual([file, value, null]);
        const [least, most] = RANGES[file] ?? [0, Number.MAX_SAFE_INTEGER];
        const number = Number(match?.[1] ?? 0);
        expect(number).toBeGreaterThanOrEqual(match?.[1] === undefined ? 0 : least);
        expect(number).toBeLessThanOrEqual(most);
        if (file.startsWith('memory.') && file !== 'memory.oom.group') {
          const isCapped = number === Number.MAX_SAFE_INTEGER;
          expect(isCapped ? 0 : number % setting.machine.pageSize).toBe(0);
        }
        if (file === 'cpuset.cpus') {
          expect(setting.facilities.rights.cpus).toEqual(expect.arrayContaining([...parseList(value)]));
        }
      }
    }),
  );
});

/** Files as they are after writes, neutral ones left out. */
function stateAfter(...steps: readonly (readonly GroupWrite[])[]): ReadonlyMap<string, string> {
  const state = new Map<string, string>();
  for (const write of steps.flat()) {
    if (write.value === write.neutral) state.delete(keyOf(write));
    else state.set(keyOf(write), write.value);
  }
  return state;
}

test('a living tree gets from any limits to any others, by what differs alone', () => {
  fc.assert(
    fc.property(anyLimits, anyLimits, anySetting, (from, to, setting) => {
      const before = planLimits(from, setting);
      const after = planLimits(to, setting);
      const { writes } = planLive(planLimits(from, setting), to, setting);
      const isOutside = ({ controller }: GroupWrite) => before.avoids.some((one) => one === controller);
      expect(stateAfter(before.writes2, writes.writes2)).toEqual(stateAfter(after.writes2));
      const entered = after.writes1.filter((write) => !isOutside(write));
      expect(stateAfter(before.writes1, writes.writes1)).toEqual(stateAfter(entered));
    }),
  );
});

test('limits that stay change nothing', () => {
  fc.assert(
    fc.property(anyLimits, anySetting, (limits, setting) => {
      const { plan, writes, process } = planLive(planLimits(limits, setting), limits, setting);
      expect(writes).toEqual({ writes1: [], writes2: [] });
      expect({ ...process, noNewPrivs: false }).toEqual(noProcessPlan);
      expect(plan.reports).toEqual(planLimits(limits, setting).reports);
    }),
  );
});

test('without a right no process is asked for what it may not: its limits go up to the master’s at most once', () => {
  fc.assert(
    fc.property(anyLimits, anyLimits, anySetting, (from, to, any) => {
      const rlimits = new Map([...any.facilities.rights.rlimits].filter(([resource]) => resource !== 13));
      const rights = { ...any.facilities.rights, resource: false, nice: false, rlimits };
      const setting = { ...any, facilities: { ...any.facilities, rights } };
      const before = planLimits(from, setting).process;
      const { process } = planLive(planLimits(from, setting), to, setting);
      for (const { resource, hard } of process.rlimits) {
        const own = rights.rlimits.get(resource)?.hard ?? Number.POSITIVE_INFINITY;
        const was = before.rlimits.find((one) => one.resource === resource)?.hard ?? own;
        expect(hard).toBeLessThanOrEqual(was);
      }
      expect(process.nice ?? 20).toBeGreaterThanOrEqual(before.nice ?? setting.machine.niceness);
      expect(process.oomScoreAdj ?? 1000).toBeGreaterThanOrEqual(before.oomScoreAdj ?? rights.oomScoreAdj);
    }),
  );
});

test('cgroup v1: on the way memory never exceeds memory and swap', () => {
  const amount = fc.oneof(fc.nat(), fc.constant(Number.POSITIVE_INFINITY));
  const pair = fc.tuple(amount, amount).map(([a, b]) => ({ memory: Math.min(a, b), both: Math.max(a, b) }));
  fc.assert(
    fc.property(pair, pair, (from, to) => {
      let now = from;
      for (const file of orderMemory1(from, to)) {
        now = { ...now, [file]: to[file] };
        expect(now.memory).toBeLessThanOrEqual(now.both);
      }
      expect(now).toEqual(to);
    }),
  );
});

test('cgroup v1: on the way the CPU share is never more than both before and after', () => {
  const cpu = fc.double({ min: 0.001, max: 400, noNaN: true });
  const share = (state: ReadonlyMap<string, string>): number => {
    const quota = Number(state.get('cpu.cfs_quota_us') ?? -1);
    return quota < 0 ? Number.POSITIVE_INFINITY : quota / Number(state.get('cpu.cfs_period_us') ?? 100_000);
  };
  fc.assert(
    fc.property(cpu, cpu, anySetting, (a, b, setting) => {
      const of = (percent: number): LimitsSpec => limitsOf({ 'cpu.max_percent': percent });
      const before = planLimits(of(a), setting);
      const state = new Map(before.writes1.map(({ file, value }) => [file, value]));
      const start = share(state);
      const end = share(new Map(planLimits(of(b), setting).writes1.map(({ file, value }) => [file, value])));
      for (const { file, value } of planLive(before, of(b), setting).writes.writes1) {
        state.set(file, value);
        expect(share(state)).toBeLessThanOrEqual(Math.max(start, end));
      }
    }),
  );
});
