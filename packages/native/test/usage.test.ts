import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { NativeLimits, NativeTree, NativeTreeUsage } from '../src/index.ts';
import { group, lacks, lacksControllers, setting, titled } from './groups.ts';
import { isRoot, native, openBench, runProgram, shell, timeFactor, until } from './harness.ts';
import { limits } from './limits.ts';

const nothing = { pss: false, connections: false, pressure: false, descriptors: false, peak: false };
const everything = { pss: true, connections: true, pressure: true, descriptors: true, peak: true };
/** Takes memory until it is stopped. */
const eat = 'const kept = []; for (;;) kept.push(Buffer.alloc(1 << 20, 1))';
const place = (change: Partial<NativeTree>): NativeTree => ({
  cgroup: null,
  controllers: {},
  pids: [],
  ...change,
});

type Told = Pick<NativeTreeUsage, 'processes' | 'group'>;

const told = ({ processes, group: of }: NativeTreeUsage): Told => ({ processes, group: of });

function sample(tree: Partial<NativeTree>, detail = nothing): Told {
  const [usage] = native.sampleTrees([place(tree)], detail);
  if (!usage) throw new Error('no tree');
  return told(usage);
}

function processOf(pid: number, detail = nothing) {
  return sample({ pids: [pid] }, detail).processes[0];
}

/** A folder of files as the kernel would show them, for what it is not easily brought to. */
function folder(files: Readonly<Record<string, string | number>>): string {
  const path = mkdtempSync(join(tmpdir(), 'hsu-usage-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  for (const [name, value] of Object.entries(files)) setting(path, name, value);
  return path;
}

/** Stops itself when it is ready, so that nothing of it changes any more. */
async function stopped(
  bench: ReturnType<typeof openBench>,
  script: string,
  given: Partial<NativeLimits> = {},
) {
  const spawned = bench.run({ ...shell(`${script}; kill -STOP $$; sleep 60`), limits: limits(given) });
  await until(() => native.identify(spawned.pid)?.state === 'T', 'stopped');
  return spawned;
}

describe('what a process uses', () => {
  it('is what the system says of it', async () => {
    const bench = openBench();
    const { pid, startTime } = await stopped(bench, 'exec 7</dev/null 8</dev/null');
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ')
      .map(Number);
    const io = readFileSync(`/proc/${pid}/io`, 'utf8').match(/\d+/g)?.map(Number) ?? [];
    const pss = Number(/^Pss: +(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]);
    const usage = processOf(pid, everything);
    expect(usage).toEqual({
      pid,
      startTime,
      cpuMs: ((fields[11] as number) + (fields[12] as number)) * 10,
      childrenCpuMs: ((fields[13] as number) + (fields[14] as number)) * 10,
      rss: expect.any(Number),
      virtual: fields[20],
      threads: 1,
      readBytes: io[4],
      writtenBytes: io[5],
      readOps: io[2],
      writeOps: io[3],
      pss: expect.any(Number),
      descriptors: 5,
      connections: 0,
    });
    expect(usage?.rss).toBeGreaterThan(200_000);
    expect(usage?.pss).toBeGreaterThan(0);
    expect(Math.abs((usage?.pss as number) - pss * 1024)).toBeLessThan(200_000);
  });

  it('is not looked for where it was not asked for', () => {
    const usage = processOf(process.pid);
    expect(usage).toMatchObject({ pss: null, descriptors: null, connections: null });
    expect(usage?.threads).toBeGreaterThan(1);
  });

  it('grows with what it does', async () => {
    const bench = openBench();
    const { pid } = bench.run(shell('while :; do echo x; done >/dev/null'));
    await until(
      () => (processOf(pid)?.cpuMs ?? 0) >= 50 && (processOf(pid)?.writeOps ?? 0) > 100,
      'it works',
    );
    const parent = await stopped(bench, 'timeout 0.2 sh -c "while :; do :; done"');
    expect(processOf(parent.pid)?.childrenCpuMs).toBeGreaterThan(0);
  });

  it('counts connections, made by it or to it, and not what only listens', async () => {
    const bench = openBench();
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const before = processOf(process.pid, everything)?.connections as number;
    const { port } = server.address() as AddressInfo;
    const script = `const net = require('net'); net.createServer().listen(0, '::1').on('error', () => 0);
      for (let at = 0; at < 3; at++) net.connect(${port}, '127.0.0.1')`;
    const { pid } = bench.run({ file: process.execPath, argv: ['node', '-e', script] });
    await until(() => processOf(pid, everything)?.connections === 3, 'three connections');
    await until(() => processOf(process.pid, everything)?.connections === before + 3, 'three accepted');
  });

  const noSpace = isRoot && existsSync('/sbin/ip') ? null : 'needs root and /sbin/ip';
  it.runIf(noSpace === null)(
    titled('counts connections in the network namespace of each process', noSpace),
    async () => {
      const bench = openBench();
      const script = `const net = require('net'); const server = net.createServer().listen(0, '127.0.0.1', () =>
        net.connect(server.address().port, '127.0.0.1'))`;
      const inside = '/sbin/ip link set lo up; exec "$0" -e "$1"';
      const argv = ['unshare', '-n', 'sh', '-c', inside, process.execPath, script];
      const { pid } = bench.run({ file: '/usr/bin/unshare', argv });
      await until(() => {
        const [own, other] = native.sampleTrees(
          [place({ pids: [process.pid] }), place({ pids: [pid] })],
          everything,
        );
        return other?.processes[0]?.connections === 2 && own?.processes[0]?.connections !== null;
      }, 'both ends of one connection');
    },
    20_000 * timeFactor,
  );

  it('is nothing once it is gone, or dead and not yet reaped', async () => {
    const bench = openBench();
    const parent = bench.run(shell('sleep 0 & echo $!; kill -STOP $$'));
    await until(() => /\n/.test(bench.output(parent.handle)), 'it says which');
    const zombie = Number(bench.output(parent.handle));
    await until(() => native.identify(zombie)?.state === 'Z', 'a zombie');
    expect(sample({ pids: [zombie, 4_194_303] }, everything)).toEqual({ processes: [], group: null });
  });

  it.runIf(isRoot)('is told as far as an ordinary user may know it', async () => {
    const result = await runProgram('ordinary-sample', [], { uid: 65_534, gid: 65_534 }).closed;
    expect(result.stderr).toBe('');
    expect(JSON.parse(result.stdout)).toMatchObject([
      { pid: process.pid, threads: expect.any(Number), readBytes: null, pss: null, connections: null },
      { readBytes: expect.any(Number), pss: expect.any(Number), connections: 0 },
    ]);
  });
});

describe('trees', () => {
  it('are told in their order, their members once each', async () => {
    const bench = openBench();
    const one = await stopped(bench, 'true');
    const two = await stopped(bench, 'true');
    const usages = native.sampleTrees(
      [place({ pids: [two.pid, one.pid, two.pid] }), place({}), place({ pids: [two.pid] })],
      nothing,
    );
    expect(usages.map(({ processes }) => processes.map(({ pid }) => pid))).toEqual([
      [one.pid, two.pid].toSorted((a, b) => a - b),
      [],
      [two.pid],
    ]);
    expect(native.sampleTrees([], everything)).toEqual([]);
  });

  it('tell sums of their processes, all or some of them', async () => {
    const bench = openBench();
    const one = await stopped(bench, 'true');
    const two = await stopped(bench, 'true');
    const [usage] = native.sampleTrees([place({ pids: [one.pid, two.pid] })], nothing);
    expect(usage?.count).toBe(2);
    expect(usage?.total('threads')).toBe(2);
    expect(usage?.total('pss')).toBeNull();
    expect(usage?.total('rss')).toBe(usage?.processes.reduce((sum, { rss }) => sum + rss, 0));
    const some = usage?.only(({ pid }) => pid === two.pid);
    expect(some?.processes.map(({ pid }) => pid)).toEqual([two.pid]);
    expect(some?.total('rss')).toBe(usage?.processes.find(({ pid }) => pid === two.pid)?.rss);
  });

  it('that are groups which are gone have no processes and no group', () => {
    expect(sample({ cgroup: '/no/such', controllers: { memory: '/no/such' } }, everything)).toEqual({
      processes: [],
      group: null,
    });
  });

  const v2 = lacks(null);
  it.runIf(v2 === null)(titled('v2: hold all that is in their group or below it', v2), async () => {
    const bench = openBench();
    const cgroup = group(null, 'a', 'a/b');
    const top = await stopped(bench, 'true', { cgroup });
    const deep = await stopped(bench, 'true', { cgroup: join(cgroup, 'a/b') });
    const known = await stopped(bench, 'true');
    const usage = sample({ cgroup, pids: [known.pid, top.pid] }, everything);
    expect(usage.processes.map(({ pid }) => pid)).toEqual(
      [top.pid, deep.pid, known.pid].toSorted((a, b) => a - b),
    );
    expect(usage.group?.cpuMs).toBeGreaterThan(0);
    expect(sample({ cgroup }).group?.pressure).toBeNull();
  });

  const v1 = lacks('memory', 'pids', 'cpu', 'cpuacct');
  it.runIf(v1 === null)(titled('v1: hold what is in the first of their groups', v1), async () => {
    const bench = openBench();
    const [memory, pids] = [group('memory'), group('pids')];
    const joins = [join(memory, 'cgroup.procs'), join(pids, 'cgroup.procs')];
    const { pid } = await stopped(bench, 'sleep 60 & true', { joins });
    const usage = sample({ controllers: { memory, pids, other: '/' } }, everything);
    expect(usage.processes.map((each) => each.pid)).toContain(pid);
    expect(usage.processes).toHaveLength(2);
    expect(usage.group).toMatchObject({
      processes: 2,
      memoryHits: 0,
      oomKills: 0,
      processHits: 0,
      cpuMs: null,
    });
    expect(usage.group?.memory).toBeGreaterThan(0);
    expect(usage.group?.memoryPeak).toBeGreaterThanOrEqual(usage.group?.memory as number);
  });

  it.runIf(v1 === null)(
    titled('v1: count how often a limit was reached', v1),
    async () => {
      const bench = openBench();
      const controllers = {
        memory: group('memory'),
        pids: group('pids'),
        cpu: group('cpu'),
        cpuacct: group('cpuacct'),
      };
      setting(controllers.memory, 'memory.limit_in_bytes', 32 << 20);
      setting(controllers.pids, 'pids.max', 4);
      setting(controllers.cpu, 'cpu.cfs_quota_us', 20_000);
      const joins = Object.values(controllers).map((each) => join(each, 'tasks'));
      const forks = bench.run({
        ...shell('(for i in 1 2 3 4 5 6; do sleep 60 & done); while :; do :; done'),
        limits: limits({ joins }),
      });
      await until(() => {
        const seen = sample({ controllers }).group;
        return (seen?.processHits ?? 0) > 0 && (seen?.cpuThrottled ?? 0) > 0 && (seen?.cpuMs ?? 0) > 0;
      }, 'throttled, and refused a process');
      bench.engine.signalGroup(forks.handle, 9);
      await bench.exit(forks.handle);
      setting(controllers.cpu, 'cpu.cfs_quota_us', -1);
      setting(controllers.pids, 'pids.max', 'max');
      const eater = bench.run({
        file: process.execPath,
        argv: ['node', '-e', eat],
        limits: limits({ joins, oomScoreAdj: 1000 }),
      });
      expect(await bench.exit(eater.handle)).toMatchObject({ signal: 'SIGKILL' });
      const { group: seen } = sample({ controllers }, everything);
      expect(seen?.oomKills).toBeGreaterThanOrEqual(1);
      expect(seen?.memoryHits).toBeGreaterThan(0);
      expect(seen?.memoryPeak).toBeLessThanOrEqual(32 << 20);
    },
    20_000 * timeFactor,
  );

  const v2Controllers = lacksControllers('memory', 'pids', 'cpu', 'io');
  it.runIf(v2Controllers === null)(
    titled('v2: count how often a limit was reached', v2Controllers),
    async () => {
      const bench = openBench();
      const cgroup = group(null);
      setting(cgroup, 'memory.max', 32 << 20);
      setting(cgroup, 'pids.max', 4);
      setting(cgroup, 'cpu.max', '20000 100000');
      const forks = bench.run({
        ...shell('(for i in 1 2 3 4 5 6; do sleep 60 & done); while :; do :; done'),
        limits: limits({ cgroup }),
      });
      await until(() => {
        const seen = sample({ cgroup }, everything).group;
        const reached = (seen?.processHits ?? 0) > 0 && (seen?.cpuThrottled ?? 0) > 0;
        return reached && seen?.processes === 3 && (seen.pressure?.cpu?.some ?? 0) > 0;
      }, 'throttled, under pressure, and refused a process');
      bench.engine.signalGroup(forks.handle, 9);
      await bench.exit(forks.handle);
      setting(cgroup, 'cpu.max', 'max');
      setting(cgroup, 'pids.max', 'max');
      const eater = bench.run({
        file: process.execPath,
        argv: ['node', '-e', eat],
        limits: limits({ cgroup }),
      });
      expect(await bench.exit(eater.handle)).toMatchObject({ signal: 'SIGKILL' });
      const seen = sample({ cgroup }, everything).group;
      expect(seen?.oomKills).toBeGreaterThanOrEqual(1);
      expect(seen?.memoryHits).toBeGreaterThan(0);
      expect(seen?.memoryPeak).toBeLessThanOrEqual(32 << 20);
      expect(seen).toMatchObject({ swap: 0, writtenBytes: expect.any(Number), writeOps: expect.any(Number) });
      expect(seen?.pressure).toMatchObject({
        memory: { some: expect.any(Number), full: expect.any(Number) },
        io: { some: expect.any(Number) },
      });
    },
    20_000 * timeFactor,
  );
});

describe('a sampler', () => {
  function openSampler() {
    const sampler = native.openSampler();
    onTestFinished(() => sampler.close());
    return sampler;
  }

  it('says of trees what a single sample says, as often as it is asked', async () => {
    const bench = openBench();
    const { pid } = await stopped(bench, 'true');
    const other = await stopped(bench, 'true');
    const sampler = openSampler();
    const tree = sampler.enter(place({}));
    // Of what processes share each counts its part, so that it changes as strangers come and go that share it, too.
    const ofItsOwn = ({ processes, group: of }: Told) => ({
      processes: processes.map((one) => ({ ...one, pss: (one.pss ?? 0) > 0 })),
      group: of,
    });
    const single = ofItsOwn(sample({ pids: [pid, other.pid] }, everything));
    for (let times = 0; times < 3; times += 1) {
      const seen = sampler.sample([{ tree, pids: [other.pid, pid] }], everything);
      expect(seen.map(ofItsOwn)).toEqual([single]);
    }
    expect(sampler.sample([{ tree, pids: [pid] }], nothing)[0]?.processes.map((one) => one.pid)).toEqual([
      pid,
    ]);
  });

  it('has nothing of a member that is gone, of who has left and of nobody', async () => {
    const bench = openBench();
    const { pid, handle } = await stopped(bench, 'true');
    const sampler = openSampler();
    const tree = sampler.enter(place({}));
    const left = sampler.enter(place({}));
    const asked = [{ tree, pids: [pid] }];
    expect(sampler.sample(asked, nothing)[0]?.processes).toHaveLength(1);
    bench.engine.signalGroup(handle, 9);
    await bench.exit(handle);
    sampler.leave(left);
    const empty = { processes: [], group: null };
    const seen = sampler.sample([...asked, { tree: left, pids: [process.pid] }], nothing);
    expect(seen.map(told)).toEqual([empty, empty]);
    sampler.leave(tree);
    expect(sampler.sample([], nothing)).toEqual([]);
  });

  const v2 = lacks(null);
  it.runIf(v2 === null)(titled('follows a v2 group: who comes, who goes, its end', v2), async () => {
    const bench = openBench();
    const cgroup = group(null);
    mkdirSync(join(cgroup, 'a'));
    const sampler = openSampler();
    const tree = sampler.enter(place({ cgroup }));
    const pids = () => sampler.sample([{ tree, pids: [] }], nothing)[0]?.processes.map(({ pid }) => pid);
    expect(pids()).toEqual([]);
    const one = await stopped(bench, 'true', { cgroup });
    expect(pids()).toEqual([one.pid]);
    const two = await stopped(bench, 'true', { cgroup: join(cgroup, 'a') });
    expect(pids()).toEqual([one.pid, two.pid].toSorted((a, b) => a - b));
    for (const { handle } of [one, two]) {
      bench.engine.signalGroup(handle, 9);
      await bench.exit(handle);
    }
    expect(pids()).toEqual([]);
    rmdirSync(join(cgroup, 'a'));
    rmdirSync(cgroup);
    const over = sampler.sample([{ tree, pids: [] }], nothing);
    expect(over.map(told)).toEqual([{ processes: [], group: null }]);
    mkdirSync(cgroup);
  });

  const v1 = lacks('memory');
  it.runIf(v1 === null)(titled('sees a v1 group change', v1), async () => {
    const bench = openBench();
    const memory = group('memory');
    const sampler = openSampler();
    const tree = sampler.enter(place({ controllers: { memory } }));
    const seen = (detail = nothing) => sampler.sample([{ tree, pids: [] }], detail)[0];
    expect(seen()?.group).toMatchObject({ memoryHits: 0, oomKills: 0, memoryPeak: null });
    const { pid } = await stopped(bench, 'true', { joins: [join(memory, 'tasks')] });
    expect(seen()?.processes).toMatchObject([{ pid }]);
    expect(seen()?.group?.memory).toBeGreaterThan(0);
    expect(seen(everything)?.group?.memoryPeak).toBeGreaterThan(0);
  });

  it('v1: sees a kill that no refusal was counted for', () => {
    const memory = folder({
      'cgroup.procs': '',
      'memory.usage_in_bytes': 4096,
      'memory.failcnt': 0,
      'memory.memsw.failcnt': 0,
      'memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 0\n',
    });
    const sampler = openSampler();
    const tree = sampler.enter(place({ controllers: { memory } }));
    const seen = () => sampler.sample([{ tree, pids: [] }], nothing)[0]?.group;
    expect(seen()).toMatchObject({ memoryHits: 0, oomKills: 0 });
    setting(memory, 'memory.oom_control', 'oom_kill_disable 0\nunder_oom 0\noom_kill 1\n');
    expect(seen()).toMatchObject({ memoryHits: 0, oomKills: 1 });
    setting(memory, 'memory.memsw.failcnt', 3);
    expect(seen()).toMatchObject({ memoryHits: 3, oomKills: 1 });
  });

  it('v2: does not count who passes memory.high as held at a limit', () => {
    const events = (max: number) => `low 0\nhigh 7\nmax ${max}\noom 0\noom_kill 0\n`;
    const cgroup = folder({ 'cgroup.procs': '', 'memory.current': 4096, 'memory.events': events(0) });
    const sampler = openSampler();
    const tree = sampler.enter(place({ cgroup }));
    const seen = () => sampler.sample([{ tree, pids: [] }], nothing)[0]?.group;
    expect(seen()).toMatchObject({ memoryHits: 0 });
    setting(cgroup, 'memory.events', events(2));
    expect(seen()).toMatchObject({ memoryHits: 2 });
  });

  it('keeps no descriptor of this process open', async () => {
    const bench = openBench();
    const { pid } = await stopped(bench, 'true');
    const before = readdirSync('/proc/self/fd').length;
    const sampler = openSampler();
    const tree = sampler.enter(place({}));
    sampler.sample([{ tree, pids: [pid] }], everything);
    // What earlier tests had open may have been closed meanwhile.
    expect(readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(before);
  });

  it('names each process that has begun once', async () => {
    const bench = openBench();
    const sampler = openSampler();
    expect(sampler.newcomers().map(({ pid }) => pid)).toContain(process.pid);
    const { pid, startTime } = await stopped(bench, 'true');
    const of = (rows: ReturnType<typeof sampler.newcomers>) => rows.filter((row) => row.pid === pid);
    expect(of(sampler.newcomers())).toMatchObject([
      { pid, startTime, ppid: process.pid, pgid: pid, sid: pid },
    ]);
    expect(of(sampler.newcomers())).toEqual([]);
  });

  it('does nothing more when it is closed', () => {
    const sampler = native.openSampler();
    sampler.close();
    sampler.close();
    expect(() => sampler.enter(place({}))).toThrow('the sampler is closed');
    expect(() => sampler.newcomers()).toThrow('the sampler is closed');
  });
});
