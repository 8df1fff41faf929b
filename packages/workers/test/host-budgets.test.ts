import type { Exit, LimitsSpec, LimitValues, QuotaSpec, UsageDetail } from '@hsu-master/core';
import { loadNative } from '@hsu-master/native';
import { attachRequest, creature, creaturePath } from '@hsu-master/testkit';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { acquireContainment, type Containment } from '../src/host/cgroup/acquire.ts';
import { createNativeHost, type NativeHost } from '../src/host/native.ts';
import { realClock } from '../src/real-clock.ts';
import { type Differs, newMark, Watched } from './host-watch.ts';
import { limitsOf, MiB } from './limit-settings.ts';

const TIME = 20_000 * Number(process.env.HSU_TIME_FACTOR ?? 1);
const PLAIN: UsageDetail = {
  pss: false,
  connections: false,
  pressure: false,
  descriptors: false,
  peak: false,
};
const loaded = loadNative({});
const clock = realClock();
const sleeper = creature('print', 'up', 'sleep');

function find(): Containment {
  return acquireContainment({ instance: `budgets-${process.pid}`, mayMove: true, mayAskSystemd: false });
}

const probed = loaded.ok && process.getuid?.() === 0 ? find() : null;
const { tree2 = null, trees1 = new Map() } = probed?.facilities ?? {};
probed?.release();
const has = (controller: 'pids' | 'memory' | 'cpu'): boolean =>
  tree2?.controllers.has(controller) === true || trees1.has(controller);

const shared = (values: LimitValues, id = 'team'): QuotaSpec => ({
  kind: 'group',
  id,
  limits: limitsOf(values),
});

describe.runIf(has('pids') && has('memory'))('the native host', { timeout: TIME }, () => {
  let host: NativeHost;
  const started: Watched[] = [];
  beforeAll(() => void creaturePath());
  beforeEach(() => {
    if (!loaded.ok) throw new Error(loaded.reason);
    const environment = { PATH: process.env.PATH };
    host = createNativeHost(loaded.native, { environment, reapOrphans: false, clock, containment: find() });
  });
  afterEach(async () => {
    const all = started.splice(0);
    for (const { run } of all) run.signalTree('SIGKILL');
    for (const one of all) await one.over();
    host.close();
  }, TIME);

  function start(argv: readonly string[], differs: Differs = {}): Watched {
    const watched = new Watched(host, argv, differs);
    started.push(watched);
    return watched;
  }

  /** Its program runs and has said so, and the host has heard that it runs. */
  async function up(watched: Watched, text: string): Promise<void> {
    await watched.says(text);
    await watched.first('spawned');
  }

  async function exitOf(watched: Watched, patience?: number): Promise<Exit> {
    return (await watched.first('exited', patience)).exit;
  }

  const limited = (values: LimitValues, rest: Partial<LimitsSpec> = {}) => ({
    limits: limitsOf(values, rest),
  });
  const crowded = (count: number) => creature('forks', String(count), 'exit', '3');

  describe('a process that was refused just before the end', () => {
    test('explains it: at its own limit', async () => {
      const watched = start(crowded(9), limited({ 'process.max_processes': 4 }));
      expect(await exitOf(watched)).toMatchObject({ code: 3, forksRefused: 'limit' });
    });

    test('explains it: at that of a budget, though it has one of its own; nothing is blamed on that', async () => {
      const quotas = [shared({ 'process.max_processes': 6 })];
      const other = start(creature('forks', '2', 'sleep'), { workerId: 'a', quotas });
      await up(other, 'forks 2 ok');
      const own = limited({ 'process.max_processes': 50 });
      const full = start(creature('forks', '9', 'sleep'), { workerId: 'b', quotas, ...own });
      await up(full, 'forks 2 EAGAIN');
      expect(host.sample([full.run], PLAIN)[0]?.hits?.processes).toBe(0);
      const [budget] = other.run.budgets();
      expect(budget).toBe(full.run.budgets()[0]);
      const third = start(crowded(9), { workerId: 'c', quotas, ...own });
      expect(await exitOf(third)).toMatchObject({ code: 3, forksRefused: 'quota' });
      expect(budget?.usage()?.hits?.processes).toBeGreaterThan(0);
    });

    test('explains nothing of who was refused none', async () => {
      const watched = start(crowded(2), limited({ 'process.max_processes': 50 }));
      expect(await exitOf(watched)).not.toHaveProperty('forksRefused');
    });
  });

  test('who catches SIGXCPU and goes on is killed for its CPU time', { timeout: 5 * TIME }, async () => {
    const command = ['sh', '-c', 'trap "" XCPU; while :; do :; done'];
    const watched = start(command, limited({ 'cpu.max_time': 1000 }));
    // Five seconds more than its limit it has to end in order: as long as it takes to get six of a busy processor.
    expect(await exitOf(watched, 4 * TIME)).toMatchObject({
      signal: 'SIGKILL',
      oomKilled: null,
      outOfCpuTime: true,
    });
  });

  test('who is killed by somebody long before its CPU time is over is not', async () => {
    const watched = start(sleeper, limited({ 'cpu.max_time': 1000 }));
    await up(watched, 'up');
    process.kill(watched.recorded[0]?.pid ?? 0, 'SIGKILL');
    const exit = await exitOf(watched);
    expect(exit.signal).toBe('SIGKILL');
    expect(exit).not.toHaveProperty('outOfCpuTime');
  });

  test('budgets are reported with the limits of each run, those that cannot be held too', async () => {
    const quotas = [shared({ 'process.max_processes': 9, 'network.max_bandwidth': 1e6 })];
    const watched = start(sleeper, { quotas, ...limited({ 'process.max_processes': 5 }) });
    await watched.first('spawned');
    const quota = { kind: 'group', id: 'team' };
    const reports = watched.run.limitReports();
    expect(reports).toMatchObject([
      { limit: 'process.max_processes', status: 'enforced' },
      { limit: 'process.max_processes', status: 'enforced', quota },
      { limit: 'network.max_bandwidth', status: 'impossible', quota },
    ]);
    expect(reports[0]).not.toHaveProperty('quota');
    expect(watched.run.limitReports()).toBe(reports);
  });

  test('budgets change for all that share them, now and later', async () => {
    const before = shared({ 'process.max_processes': 3 });
    const first = start(creature('forks', '1', 'sleep'), { workerId: 'a', quotas: [before] });
    await up(first, 'forks 1 ok');
    const after = shared({ 'process.max_processes': 20, 'memory.max_rss': 64 * MiB });
    expect(host.setQuota(after)).toMatchObject([
      { limit: 'memory.max_rss', status: 'enforced', quota: { kind: 'group', id: 'team' } },
      { limit: 'process.max_processes', status: 'enforced' },
    ]);
    expect(first.run.limitReports()).toHaveLength(2);
    const second = start(creature('forks', '9', 'sleep'), { workerId: 'b', quotas: [after] });
    await up(second, 'forks 9 ok');
    const hog = start(creature('hog', '128', 'sleep'), { workerId: 'c', quotas: [after] });
    expect(await exitOf(hog)).toMatchObject({ signal: 'SIGKILL', oomKilled: 'quota' });
    host.setQuota(shared({ 'process.max_processes': 20 }));
    const again = start(creature('hog', '128', 'sleep'), { workerId: 'd', quotas: [after] });
    // As its spec says, which is what its budget becomes.
    expect(await exitOf(again)).toMatchObject({ oomKilled: 'quota' });
    const lifted = host.setQuota(shared({}));
    expect(lifted).toEqual([]);
    const free = start(creature('hog', '128', 'forks', '30', 'sleep'), {
      workerId: 'e',
      quotas: [first.run.budgets()[0]?.quota as QuotaSpec],
    });
    await up(free, 'forks 30 ok');
  });

  test('a child that is killed for a budget is no hit of the worker’s own limit', async () => {
    const quotas = [shared({ 'memory.max_rss': 48 * MiB })];
    const greedy = ['child', '{', 'hog', '128', 'sleep', '}', 'print', 'up', 'sleep'];
    const own = limited({ 'memory.max_rss': 512 * MiB });
    const sampled = async (differs: Differs): Promise<number | null> => {
      const watched = start(creature(...greedy), differs);
      await up(watched, 'up');
      const leader = watched.recorded[0];
      const isKilled = () => !watched.run.members().some(({ pid }) => pid !== leader?.pid);
      while (!isKilled()) await new Promise((resolve) => setTimeout(resolve, 20));
      return host.sample([watched.run], PLAIN)[0]?.oomKills ?? null;
    };
    // Where the whole worker is killed there is nobody left to be sampled.
    expect([0, null]).toContain(await sampled({ workerId: 'a', quotas, ...own }));
    expect([1, null]).toContain(await sampled({ workerId: 'b', ...limited({ 'memory.max_rss': 48 * MiB }) }));
  });

  test('what a tree was refused before it was found is no news', async () => {
    const mark = newMark();
    const watched = start(creature('forks', '9', 'sleep'), {
      mark,
      ...limited({ 'process.max_processes': 4, 'memory.max_rss': 64 * MiB }),
    });
    await up(watched, 'forks 3 EAGAIN');
    expect(host.sample([watched.run], PLAIN)[0]?.hits?.processes).toBeGreaterThan(0);
    const [leader] = watched.recorded;
    if (leader === undefined) throw new Error('nothing recorded');
    host.close();
    const environment = { PATH: process.env.PATH };
    if (!loaded.ok) throw new Error(loaded.reason);
    host = createNativeHost(loaded.native, { environment, reapOrphans: false, clock, containment: find() });
    started.splice(0);
    const found = host.attach(attachRequest(leader, mark), () => {});
    expect(host.sample([found], PLAIN)[0]?.hits).toMatchObject({ processes: 0, memory: 0, cpu: 0 });
    found.signalTree('SIGKILL');
    while (host.isAlive(leader)) await new Promise((resolve) => setTimeout(resolve, 10));
  });

  test('holding a tree back by turns counts as CPU that is withheld from it', async () => {
    const watched = start(creature('print', 'up', 'spin'));
    await up(watched, 'up');
    watched.run.throttle(10);
    let hits = 0;
    while (hits < 2) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      hits = host.sample([watched.run], PLAIN)[0]?.hits?.cpu ?? 0;
    }
    watched.run.throttle(null);
    expect(host.sample([watched.run], PLAIN)[0]?.hits?.cpu).toBeGreaterThanOrEqual(hits);
  });
});
