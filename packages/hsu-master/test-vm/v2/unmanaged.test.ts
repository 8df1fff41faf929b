import { describe, expect } from 'vitest';
import { cgroupOf, readCgroup } from '../../test/cgroups.ts';
import { it } from '../../test/drive.ts';
import { Foreign } from '../../test/foreign-forks.ts';
import { isAlive } from '../../test/proc.ts';

describe('limits of what others started by cgroup v2', () => {
  it('hold where it may be moved, outlive a killed master, and end with the watch; nobody is killed', async ({
    stage,
  }) => {
    const foreign = await Foreign.begin(stage);
    const { pid } = foreign;
    const home = cgroupOf(pid);
    const limits = { process: { max_processes: 10 }, cpu: { max_percent: 50 }, memory: { max_rss: '64MB' } };
    const unmanaged = { discovery: { pid_file: 'foreign.pid' }, control: { can_move: true, limits } };
    const run = () =>
      stage.run(
        [{ id: 'web', type: 'unmanaged', unit: { unmanaged } }],
        ['--state-dir', stage.path('state')],
      );
    const first = run();
    await first.line(new RegExp(`^web: found \\(pid ${pid},`));
    const group = cgroupOf(pid);
    expect(group).toMatch(/\/lent\.\d+$/);
    expect(readCgroup(group, 'pids.max')).toBe('10');
    expect(readCgroup(group, 'cpu.max')).toMatch(/^50000 100000$/);
    expect(readCgroup(group, 'memory.max')).toBe('64000000');
    expect(await foreign.forks()).toMatch(/^forks \d EAGAIN$/);
    await first.stop('SIGKILL');
    expect(await foreign.forks()).toMatch(/^forks \d EAGAIN$/);
    const second = run();
    await second.line(new RegExp(`^web: found \\(pid ${pid},`));
    expect(await foreign.forks()).toMatch(/^forks \d EAGAIN$/);
    expect(await second.stop()).toEqual({ code: 0, signal: null });
    expect(isAlive(pid)).toBe(true);
    expect(cgroupOf(pid)).toBe(home);
    expect(await foreign.forks()).toBe('forks 40 ok');
  });
});
