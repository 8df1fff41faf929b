import { existsSync, mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { group, lacks } from './groups.ts';
import { folder, isAlive, native, openBench, runProgram, shell, spawnOptions, until } from './harness.ts';
import { limits } from './limits.ts';

const pidsOf = (numbers: string): number[] => numbers.trim().split(' ').map(Number);

describe('processes that are made while the master does something else', () => {
  it('are collected once, each with its handle, in the order in which they were submitted', async () => {
    const bench = openBench();
    const marker = join(folder(), 'ran');
    const handles = Array.from({ length: 100 }, () =>
      bench.engine.submit(spawnOptions(shell('echo > "$1"', marker))),
    );
    const collected = bench.engine.collect();
    expect(collected.map(({ handle }) => handle)).toEqual(handles);
    expect(bench.engine.collect()).toEqual([]);
    for (const { handle, result } of collected) {
      if (!result.ok) throw new Error(result.failure.code);
      const { pid, startTime } = result.value;
      expect(native.identify(pid)).toMatchObject({ pid, startTime });
      bench.engine.release(handle, false);
    }
    for (const handle of handles) expect(await bench.failure(handle)).toMatchObject({ code: 'ECANCELED' });
    expect(existsSync(marker)).toBe(false);
  });

  it('fail each by itself', async () => {
    const { engine, exit } = openBench();
    const good = spawnOptions({ file: '/bin/true' });
    const bad = { ...good, limits: limits({ cgroup: '/no/such' }) };
    const handles = [engine.submit(good), engine.submit(bad), engine.submit(good)];
    const collected = engine.collect();
    expect(collected.map(({ handle, result }) => [handle, result.ok])).toEqual([
      [handles[0], true],
      [handles[1], false],
      [handles[2], true],
    ]);
    for (const { handle, result } of collected) if (result.ok) engine.release(handle, true);
    expect(await exit(handles[0] as number)).toMatchObject({ code: 0 });
    expect(await exit(handles[2] as number)).toMatchObject({ code: 0 });
  });

  it('are kept for who collects when another is spawned meanwhile', async () => {
    const bench = openBench();
    const handle = bench.engine.submit(spawnOptions({ file: '/bin/true' }));
    const other = bench.run({ file: '/bin/true' });
    expect(bench.engine.collect()).toMatchObject([{ handle, result: { ok: true } }]);
    bench.engine.release(handle, true);
    await Promise.all([bench.exit(handle), bench.exit(other.handle)]);
  });

  it('leave without having run, and are reaped, when the engine is closed before they are collected', () => {
    const marker = join(folder(), 'ran');
    const { engine } = openBench();
    const before = new Set(native.processTable().map(({ pid }) => pid));
    for (let at = 0; at < 50; at += 1) engine.submit(spawnOptions(shell('echo > "$1"', marker)));
    engine.close();
    const children = native
      .processTable()
      .filter(({ pid, ppid }) => ppid === process.pid && !before.has(pid));
    expect(children).toEqual([]);
    expect(existsSync(marker)).toBe(false);
  });

  it('leave without having run when the master is killed before they are collected', async () => {
    const marker = join(folder(), 'ran');
    const master = runProgram('gated', [marker, '20', 'submit']);
    const pids = pidsOf((await master.said(/gated ([\d ]+)\n/))[1] ?? '');
    expect(pids.length).toBeGreaterThan(0);
    master.child.kill('SIGKILL');
    await until(() => !pids.some(isAlive), 'all processes left their gates');
    expect(existsSync(marker)).toBe(false);
  });
});

const v2 = lacks(null);
describe.runIf(v2 === null)('a process whose group is yet to be made', () => {
  it('begins in it', async () => {
    const bench = openBench();
    const cgroup = join(group(null), 'new');
    const { handle } = bench.run({
      ...shell('grep ^0:: /proc/self/cgroup'),
      limits: limits({ cgroup, makeCgroup: true }),
    });
    await Promise.all([bench.exit(handle), bench.ended(handle)]);
    rmdirSync(cgroup);
    expect(bench.output(handle).trim().endsWith('/new')).toBe(true);
  });

  it('is not made where the name is taken, or nothing can be made', () => {
    const { engine } = openBench();
    const cgroup = join(group(null), 'taken');
    mkdirSync(cgroup);
    const attempt = (path: string) =>
      engine.spawn(spawnOptions({ file: '/bin/true', limits: limits({ cgroup: path, makeCgroup: true }) }));
    expect(attempt(cgroup)).toMatchObject({ failure: { step: 'cgroup', code: 'EEXIST', call: 'mkdir' } });
    expect(attempt(join(cgroup, 'a', 'b'))).toMatchObject({
      failure: { step: 'cgroup', call: 'mkdir', code: 'ENOENT' },
    });
    rmdirSync(cgroup);
  });
});
