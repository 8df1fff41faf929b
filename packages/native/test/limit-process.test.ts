import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { native, openBench, until } from './harness.ts';
import { noProcessLimits as none } from './limits.ts';

const read = (pid: number, name: string): string => readFileSync(`/proc/${pid}/${name}`, 'utf8');

describe('limits of a living process', () => {
  it('change for the process and for all its threads', async () => {
    const bench = openBench();
    const { pid, startTime } = bench.run({
      file: process.execPath,
      argv: ['node', '-e', 'setInterval(Date, 1000)'],
    });
    const threads = (): string[] => readdirSync(`/proc/${pid}/task`);
    await until(() => threads().length > 5, 'several threads');
    const failures = native.limitProcess(pid, startTime, {
      rlimits: [
        { resource: 7, soft: 50, hard: 60 },
        { resource: 4, soft: 0, hard: 0 },
      ],
      nice: 11,
      affinity: [0],
      scheduler: { policy: 3, priority: 0 },
      ioPriority: { class: 3, level: 0 },
      oomScoreAdj: 777,
    });
    expect(failures).toEqual([]);
    expect(read(pid, 'limits')).toMatch(/^Max open files +50 +60 /m);
    expect(read(pid, 'limits')).toMatch(/^Max core file size +0 +0 /m);
    expect(read(pid, 'oom_score_adj')).toBe('777\n');
    for (const thread of threads()) {
      const after = read(pid, `task/${thread}/stat`)
        .replace(/^.*\) /, '')
        .split(' ');
      expect({ thread, nice: after[16], policy: after[38] }).toEqual({ thread, nice: '11', policy: '3' });
      expect(read(pid, `task/${thread}/status`)).toMatch(/^Cpus_allowed_list:\t0$/m);
    }
  });

  it('leave alone what is not given', async () => {
    const bench = openBench();
    const { pid, startTime, handle } = bench.run({ file: '/bin/sleep', argv: ['sleep', '60'] });
    await bench.execed(handle);
    const before = [read(pid, 'limits'), read(pid, 'oom_score_adj')];
    expect(native.limitProcess(pid, startTime, none)).toEqual([]);
    expect([read(pid, 'limits'), read(pid, 'oom_score_adj')]).toEqual(before);
  });

  it('do not change for another process that has its number now, or for one that is gone', async () => {
    const bench = openBench();
    const { pid, startTime, handle } = bench.run({ file: '/bin/sleep', argv: ['sleep', '60'] });
    await bench.execed(handle);
    const gone = [{ step: 'pidfd', errno: 3, code: 'ESRCH', call: 'pidfd_open' }];
    expect(native.limitProcess(pid, String(Number(startTime) + 1), { ...none, oomScoreAdj: 9 })).toEqual(
      gone,
    );
    expect(read(pid, 'oom_score_adj')).not.toBe('9\n');
    bench.engine.signal(handle, 9);
    await bench.exit(handle);
    expect(native.limitProcess(pid, startTime, { ...none, nice: 9 })).toEqual(gone);
  });

  it('that are refused are told one by one, and the others hold', async () => {
    const bench = openBench();
    const { pid, startTime, handle } = bench.run({ file: '/bin/sleep', argv: ['sleep', '60'] });
    await bench.execed(handle);
    const failures = native.limitProcess(pid, startTime, {
      ...none,
      rlimits: [
        { resource: 9, soft: 2, hard: 1 },
        { resource: 4, soft: 2, hard: 1 },
        { resource: 7, soft: 10, hard: 10 },
      ],
      scheduler: { policy: 0, priority: 1 },
    });
    expect(failures.map(({ call, code }) => `${call} ${code}`)).toEqual([
      'prlimit(RLIMIT_AS) EINVAL',
      'prlimit(RLIMIT_CORE) EINVAL',
      'sched_setscheduler EINVAL',
    ]);
    expect(read(pid, 'limits')).toMatch(/^Max open files +10 +10 /m);
  });

  it('never change the oom_score_adj of the master through a child that waits at its gate', () => {
    const bench = openBench();
    const before = read(process.pid, 'oom_score_adj');
    const { pid, startTime } = bench.start({ file: '/bin/true' });
    const failures = native.limitProcess(pid, startTime, { ...none, oomScoreAdj: 600 });
    expect(failures).toMatchObject([{ step: 'oom-score', code: 'EBUSY' }]);
    expect(read(process.pid, 'oom_score_adj')).toBe(before);
  });
});
