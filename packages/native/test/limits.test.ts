import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { NativeLimits } from '../src/index.ts';
import { group, lacks, lacksControllers, members, setting, titled } from './groups.ts';
import { isRoot, openBench, outputOf, runProgram, shell, spawnOptions, until } from './harness.ts';
import { limits } from './limits.ts';

const nobody = 65_534;
const masterOomScore = (): string => readFileSync('/proc/self/oom_score_adj', 'utf8');

function own(file: string): { file: string; argv: string[] } {
  return { file: '/bin/cat', argv: ['cat', `/proc/self/${file}`] };
}

/** The kernel kills all that share the memory of the one that it has chosen; a child shares ours until its exec. */
async function startsWithoutMemory(cgroup: string | null): Promise<void> {
  const bench = openBench();
  const place = cgroup ?? group('memory');
  setting(place, cgroup === null ? 'memory.limit_in_bytes' : 'memory.max', 1);
  const joins = cgroup === null ? [join(place, 'cgroup.procs')] : [];
  for (const oomScoreAdj of [null, 1000]) {
    // Who is born there may lack the memory for its very first step.
    const given = limits({ cgroup, joins, oomScoreAdj });
    const spawned = bench.engine.spawn(spawnOptions({ file: '/bin/true', limits: given }));
    if (spawned.ok) bench.engine.release(spawned.value.handle, true);
    const failure = spawned.ok ? await bench.failure(spawned.value.handle) : spawned.failure;
    expect(failure).toMatchObject({ code: 'ENOMEM' });
  }
}

describe('a program that is spawned with limits', () => {
  it('has the resource limits it was given, one on open files before any other', async () => {
    const bench = openBench();
    const given = [
      { resource: 0, soft: 100, hard: 200 },
      { resource: 4, soft: 0, hard: 0 },
      { resource: 7, soft: 33, hard: 44 },
      { resource: 9, soft: 2 ** 33, hard: Number.POSITIVE_INFINITY },
    ];
    const seen = await outputOf(bench, { ...own('limits'), nofile: 77, limits: limits({ rlimits: given }) });
    expect(seen).toMatch(/^Max cpu time +100 +200 /m);
    expect(seen).toMatch(/^Max core file size +0 +0 /m);
    expect(seen).toMatch(/^Max open files +33 +44 /m);
    expect(seen).toMatch(/^Max address space +8589934592 +unlimited /m);
  });

  it('has the niceness it was given, its session too where sessions are scheduled as one each', async () => {
    const bench = openBench();
    const seen = await outputOf(bench, {
      ...shell('cut -d" " -f19 /proc/self/stat; cat /proc/self/autogroup 2>/dev/null || echo nice 7'),
      limits: limits({ nice: 7 }),
    });
    expect(seen).toMatch(/^7\n.*nice 7\n$/);
  });

  it('has the processors, the scheduling class and the I/O priority it was given', async () => {
    const bench = openBench();
    const given = limits({
      affinity: [0],
      scheduler: { policy: 3, priority: 0 },
      ioPriority: { class: 2, level: 6 },
    });
    const seen = await outputOf(bench, {
      ...shell('grep ^Cpus_allowed_list: /proc/self/status; cut -d" " -f41 /proc/self/stat; ionice -p $$'),
      limits: given,
    });
    expect(seen).toBe('Cpus_allowed_list:\t0\n3\nbest-effort: prio 6\n');
  });

  it('may not gain privileges where it was told so, whatever its user', async () => {
    const bench = openBench();
    const user = isRoot ? { uid: nobody, gid: nobody, groups: [] } : {};
    const seen = await outputOf(bench, { ...own('status'), ...user, limits: limits({ noNewPrivs: true }) });
    expect(seen).toMatch(/^NoNewPrivs:\t1$/m);
    expect(await outputOf(bench, { ...own('status'), limits: null })).toMatch(/^NoNewPrivs:\t0$/m);
  });

  it('has its oom_score_adj from birth, and the master keeps its own', async () => {
    const bench = openBench();
    const before = masterOomScore();
    const started = Array.from({ length: 20 }, (_, at) =>
      bench.start({ ...own('oom_score_adj'), stdout: 'capture', limits: limits({ oomScoreAdj: 500 + at }) }),
    );
    for (const [at, { pid }] of started.entries()) {
      expect(readFileSync(`/proc/${pid}/oom_score_adj`, 'utf8')).toBe(`${500 + at}\n`);
    }
    expect(masterOomScore()).toBe(before);
    for (const { handle } of started) bench.engine.release(handle, true);
    for (const [at, { handle }] of started.entries()) {
      await bench.exit(handle);
      await bench.ended(handle);
      expect(bench.output(handle)).toBe(`${500 + at}\n`);
    }
    expect(masterOomScore()).toBe(before);
  });

  it('with an oom_score_adj is our child and leads its group, like any other', async () => {
    const bench = openBench();
    const spawned = bench.run({
      ...shell('echo $PPID; ulimit -n; kill -9 $$'),
      nofile: 55,
      limits: limits({ oomScoreAdj: 1000 }),
    });
    expect(await bench.exit(spawned.handle)).toMatchObject({ signal: 'SIGKILL', groupEmpty: true });
    await bench.ended(spawned.handle);
    expect(bench.output(spawned.handle)).toBe(`${process.pid}\n55\n`);
    const threads = readdirSync('/proc/self/task');
    const children = threads.map((thread) => readFileSync(`/proc/self/task/${thread}/children`, 'utf8'));
    // Neither it nor who stood behind it.
    expect(children.join('')).toBe('');
  });

  const noMemory1 = lacks('memory');
  it.runIf(noMemory1 === null)(
    titled('is told to lack memory where its group has none for it, and the master lives: v1', noMemory1),
    () => startsWithoutMemory(null),
  );
  const noMemory2 = lacksControllers('memory');
  it.runIf(noMemory2 === null)(
    titled('is told to lack memory where its group has none for it, and the master lives: v2', noMemory2),
    () => startsWithoutMemory(group(null)),
  );

  it('with an oom_score_adj leaves when it is turned away at its gate', async () => {
    const bench = openBench();
    const { handle } = bench.start({ file: '/bin/true', limits: limits({ oomScoreAdj: 10 }) });
    bench.engine.release(handle, false);
    expect(await bench.failure(handle)).toMatchObject({ step: 'gate', code: 'ECANCELED' });
  });

  it.runIf(isRoot)('has limits that its own user could not set', async () => {
    const bench = openBench();
    const seen = await outputOf(bench, {
      ...shell('cut -d" " -f19 /proc/self/stat; id -u'),
      uid: nobody,
      gid: nobody,
      groups: [],
      limits: limits({ nice: -5 }),
    });
    expect(seen).toBe(`-5\n${nobody}\n`);
  });

  it.runIf(isRoot)('does not start when its user has as many processes as it may', async () => {
    const bench = openBench();
    const user = { uid: 54_321, gid: nobody, groups: [] };
    const sleeper = bench.run({ file: '/bin/sleep', argv: ['sleep', '60'], ...user });
    await bench.execed(sleeper.handle);
    const rlimits = [{ resource: 6, soft: 0, hard: 0 }];
    const { handle } = bench.run({ file: '/bin/true', ...user, limits: limits({ rlimits }) });
    expect(await bench.failure(handle)).toMatchObject({ step: 'exec', code: 'EAGAIN' });
  });

  const refused: [string, Partial<NativeLimits>, object][] = [
    [
      'a soft limit above the hard one',
      { rlimits: [{ resource: 9, soft: 5, hard: 4 }] },
      { step: 'rlimit', code: 'EINVAL', call: 'prlimit(RLIMIT_AS)' },
    ],
    [
      'a priority that its class has not',
      { scheduler: { policy: 0, priority: 5 } },
      { step: 'scheduler', code: 'EINVAL', call: 'sched_setscheduler' },
    ],
    [
      'a processor that does not exist',
      { affinity: [8191] },
      { step: 'affinity', code: 'EINVAL', call: 'sched_setaffinity' },
    ],
    [
      'a group to join that does not exist',
      { joins: ['/no/such/tasks'] },
      { step: 'cgroup', code: 'ENOENT', call: 'open' },
    ],
  ];
  it.each(refused)('is not started with %s, and the failure names the call', async (_, change, failure) => {
    const bench = openBench();
    const { handle } = bench.run({ file: '/bin/true', limits: limits(change) });
    expect(await bench.failure(handle)).toMatchObject(failure);
  });

  it('is not even made in a group that does not exist, or is none', () => {
    const { engine } = openBench();
    const attempt = (cgroup: string) =>
      engine.spawn({
        ...own('stat'),
        env: [],
        cwd: null,
        umask: null,
        uid: null,
        gid: null,
        groups: null,
        stdout: 'null',
        stderr: 'null',
        listens: [],
        shellFallback: false,
        nofile: null,
        dieWithMaster: false,
        limits: limits({ cgroup }),
      });
    expect(attempt('/no/such')).toMatchObject({ failure: { step: 'cgroup', code: 'ENOENT', call: 'open' } });
    expect(attempt('/tmp')).toMatchObject({ failure: { step: 'cgroup', code: 'EBADF', call: 'clone3' } });
  });

  it.runIf(isRoot)('by an ordinary user has what that user may give, and the rest is refused', async () => {
    const result = await runProgram('ordinary-limits', [], { uid: nobody, gid: nobody }).closed;
    expect(result.stderr).toBe('');
    expect(result.stdout.split('\n')).toEqual([
      'milder: 9 900 idle 20',
      'nice: EACCES',
      'real-time: EPERM',
      'real-time I/O: EPERM',
      'a higher hard limit: EPERM',
      'a better oom_score_adj: EACCES',
      'own child, living: none',
      'a process of root: nice EPERM, oom-score EACCES, rlimit EPERM',
      '',
    ]);
  });
});

describe('a program that is spawned into groups', () => {
  const v2 = lacks(null);
  const v1 = lacks('pids', 'memory', 'cpu');

  it.runIf(v2 === null)(
    titled('v2: is in it at its first instruction, and before its gate', v2),
    async () => {
      const bench = openBench();
      const cgroup = group(null);
      const { pid, handle } = bench.start({
        ...own('cgroup'),
        stdout: 'capture',
        limits: limits({ cgroup }),
      });
      expect(members(cgroup)).toEqual([pid]);
      bench.engine.release(handle, true);
      await bench.exit(handle);
      await bench.ended(handle);
      expect(bench.output(handle)).toMatch(new RegExp(`^0::.*/${basename(cgroup)}$`, 'm'));
    },
  );

  it.runIf(v2 === null)(titled('v2: also with an oom_score_adj', v2), async () => {
    const bench = openBench();
    const cgroup = group(null);
    const given = { ...shell('cat /proc/self/cgroup /proc/self/oom_score_adj') };
    const seen = await outputOf(bench, { ...given, limits: limits({ cgroup, oomScoreAdj: 321 }) });
    expect(seen).toMatch(new RegExp(`^0::.*/${basename(cgroup)}\n321$`, 'm'));
  });

  it.runIf(v1 === null)(titled('v1: is in each at its first instruction', v1), async () => {
    const bench = openBench();
    const [pids, memory, cpu] = [group('pids'), group('memory'), group('cpu')];
    const joins = [join(pids, 'tasks'), join(memory, 'cgroup.procs'), join(cpu, 'tasks')];
    const seen = await outputOf(bench, { ...own('cgroup'), limits: limits({ joins }) });
    for (const each of [pids, memory, cpu]) {
      expect(seen.match(new RegExp(`/${basename(each)}$`, 'gm')), each).toHaveLength(1);
    }
  });

  it.runIf(v1 === null)(titled('v1: comes into them while it waits at its gate', v1), async () => {
    const bench = openBench();
    const pids = group('pids');
    const { pid, handle } = bench.start({
      file: '/bin/true',
      limits: limits({ joins: [join(pids, 'tasks')] }),
    });
    await until(() => members(pids).includes(pid), 'the child is inside');
    bench.engine.release(handle, true);
    expect(await bench.exit(handle)).toMatchObject({ code: 0 });
  });

  it.runIf(v1 === null)(
    titled('v1: joins with the rights of the master, whatever its user', v1),
    async () => {
      const bench = openBench();
      const pids = group('pids');
      const user = { uid: nobody, gid: nobody, groups: [] };
      const joins = [join(pids, 'tasks')];
      const seen = await outputOf(bench, { ...own('cgroup'), ...user, limits: limits({ joins }) });
      expect(seen).toContain(basename(pids));
    },
  );

  it.runIf(v1 === null)(titled('v1: is not started when a group takes no process', v1), async () => {
    const bench = openBench();
    const cpuset = group('cpuset'); // without processors and memory
    const joins = [join(cpuset, 'tasks')];
    const { handle } = bench.run({ file: '/bin/true', limits: limits({ joins }) });
    expect(await bench.failure(handle)).toMatchObject({ step: 'cgroup', code: 'ENOSPC', call: 'write' });
  });
});

describe('a program of a protected master', () => {
  it('has the oom_score_adj from before, and so has whatever it forks at once', async () => {
    const bench = openBench();
    const before = masterOomScore();
    // More may always be had, and the old value back.
    expect(bench.engine.protect(Math.min(Number(before) + 7, 1000))).toEqual({ ok: true });
    try {
      for (let time = 0; time < 10; time += 1)
        expect(await outputOf(bench, shell('cat /proc/self/oom_score_adj; exit'))).toBe(before);
      const own = limits({ oomScoreAdj: 900 });
      expect(await outputOf(bench, { ...shell('cat /proc/self/oom_score_adj; exit'), limits: own })).toBe(
        '900\n',
      );
    } finally {
      writeFileSync('/proc/self/oom_score_adj', before);
    }
  });
});
