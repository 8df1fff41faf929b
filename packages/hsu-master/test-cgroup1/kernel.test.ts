import { readFileSync } from 'node:fs';
import { creature } from '@hsu-master/testkit';
import { afterAll, describe, expect } from 'vitest';
import {
  allGroups,
  cgroupNumbers,
  cgroupOf,
  entering,
  makeGroup,
  membersOf,
  readCgroup,
  removeGroup,
  writeCgroup,
} from '../test/cgroups.ts';
import { eventually } from '../test/drive.ts';
import { stateOf } from '../test/proc.ts';
import { CONTROLLERS, hindrance, it, rootOf, STEM } from './groups.ts';

const why = hindrance();

describe.skipIf(why !== null)(`cgroup v1 of this machine${why === null ? '' : ` (skipped: ${why})`}`, () => {
  afterAll(() => {
    expect(allGroups().filter((folder) => folder.includes(STEM))).toEqual([]);
  });

  it('has the controllers, and this process in a group of each', () => {
    for (const controller of CONTROLLERS) {
      const group = cgroupOf(process.pid, controller);
      expect(group.startsWith(rootOf(controller))).toBe(true);
      expect(membersOf(group)).toContain(process.pid);
    }
  });

  it('makes groups and removes them with all that is below and in them, without a trace', async ({
    stage,
    groups,
  }) => {
    const below = makeGroup(groups.pids, 'below');
    const sleeper = stage.launch(creature('print', 'up', 'sleep'), { through: entering(below) });
    await sleeper.line(/^up$/);
    expect(cgroupOf(sleeper.pid, 'pids')).toBe(below);
    await removeGroup(groups.pids);
    expect(await sleeper.end()).toEqual({ code: null, signal: 'SIGKILL' });
    expect(allGroups()).not.toContain(groups.pids);
    expect(allGroups()).not.toContain(below);
  });

  it('kills what takes more memory than its group may', async ({ stage, groups }) => {
    writeCgroup(groups.memory, 'memory.limit_in_bytes', 32 << 20);
    const hog = stage.launch(creature('hog', '64', 'sleep'), { through: entering(groups.memory) });
    expect(await hog.end()).toEqual({ code: null, signal: 'SIGKILL' });
    expect(cgroupNumbers(groups.memory, 'memory.oom_control').oom_kill).toBeGreaterThanOrEqual(1);
  });

  it('refuses a process more than its group may have', async ({ stage, groups }) => {
    writeCgroup(groups.pids, 'pids.max', 10);
    const bomb = stage.launch(creature('forks', '40', 'sleep'), { through: entering(groups.pids) });
    expect(await bomb.line(/^forks/)).toBe('forks 9 EAGAIN');
  });

  it('holds a processor to its share', async ({ stage, groups }) => {
    writeCgroup(groups.cpu, 'cpu.cfs_period_us', 100_000);
    writeCgroup(groups.cpu, 'cpu.cfs_quota_us', 20_000);
    stage.launch(creature('spin'), { through: entering(groups.cpu, groups.cpuacct) });
    await eventually(() => (cgroupNumbers(groups.cpu, 'cpu.stat').nr_throttled ?? 0) > 10);
    const { nr_periods = 0 } = cgroupNumbers(groups.cpu, 'cpu.stat');
    const used = Number(readCgroup(groups.cpuacct, 'cpuacct.usage')) / 1e6;
    expect(used / (nr_periods * 100)).toBeLessThan(0.3);
  });

  it('freezes and thaws', async ({ stage, groups }) => {
    const spinner = stage.launch(creature('spin'), { through: entering(groups.freezer) });
    await eventually(() => membersOf(groups.freezer).includes(spinner.pid));
    writeCgroup(groups.freezer, 'freezer.state', 'FROZEN');
    await eventually(() => readCgroup(groups.freezer, 'freezer.state') === 'FROZEN');
    expect(stateOf(spinner.pid)).toBe('D');
    spinner.signal('SIGKILL');
    expect(readFileSync(`/proc/${spinner.pid}/stat`, 'latin1')).not.toBe('');
    writeCgroup(groups.freezer, 'freezer.state', 'THAWED');
    expect(await spinner.end()).toEqual({ code: null, signal: 'SIGKILL' });
  });
});
