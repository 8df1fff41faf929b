import { basename, join } from 'node:path';
import { creature } from '@hsu-master/testkit';
import { describe, expect } from 'vitest';
import {
  cgroupNumbers,
  cgroupOf,
  deviceOf,
  entering,
  hierarchies,
  hierarchyOf,
  makeGroup,
  membersOf,
  readCgroup,
  removeGroup,
  writeCgroup,
} from '../../test/cgroups.ts';
import { eventually, it as staged } from '../../test/drive.ts';
import { CGROUPS, DISK } from '../guest.ts';

/** A test with a group of its own, which is empty and gone when it is over. */
const it = staged.extend<{ group: string }>({
  group: async ({ stage }, use) => {
    const group = makeGroup(CGROUPS, basename(stage.folder));
    await use(group);
    await removeGroup(group);
  },
});

describe('the kernel of the guest', () => {
  it('has version 2 of cgroups with every controller that limits need', () => {
    expect(hierarchies()).toHaveLength(1);
    expect(hierarchyOf('memory')?.version).toBe(2);
    expect(hierarchies()[0]?.controllers).toEqual(
      expect.arrayContaining(['cpu', 'cpuset', 'io', 'memory', 'pids']),
    );
    expect(cgroupOf(process.pid)).toBe(CGROUPS);
  });

  it('kills what takes more memory than its group may', async ({ stage, group }) => {
    writeCgroup(group, 'memory.max', 32 << 20);
    const hog = stage.launch(creature('hog', '64', 'sleep'), { through: entering(group) });
    expect(await hog.end()).toEqual({ code: null, signal: 'SIGKILL' });
    expect(cgroupNumbers(group, 'memory.events').oom_kill).toBeGreaterThanOrEqual(1);
  });

  it('refuses a process more than its group may have', async ({ stage, group }) => {
    writeCgroup(group, 'pids.max', 10);
    const bomb = stage.launch(creature('forks', '40', 'sleep'), { through: entering(group) });
    expect(await bomb.line(/^forks/)).toBe('forks 9 EAGAIN');
    expect(membersOf(group)).toHaveLength(10);
    writeCgroup(group, 'cgroup.kill', 1);
    expect(await bomb.end()).toEqual({ code: null, signal: 'SIGKILL' });
  });

  it('holds a processor to its share, and stops it', async ({ stage, group }) => {
    writeCgroup(group, 'cpu.max', '20000 100000');
    stage.launch(creature('spin'), { through: entering(group) });
    await eventually(() => (cgroupNumbers(group, 'cpu.stat').nr_throttled ?? 0) > 10);
    const { usage_usec = 0, nr_periods = 0 } = cgroupNumbers(group, 'cpu.stat');
    expect(usage_usec / (nr_periods * 100_000)).toBeLessThan(0.3);
    writeCgroup(group, 'cgroup.freeze', 1);
    await eventually(() => cgroupNumbers(group, 'cgroup.events').frozen === 1);
  });

  it('holds a writer to its bytes per second', async ({ stage, group }) => {
    writeCgroup(group, 'io.max', `${deviceOf(DISK)} wbps=${4 << 20}`);
    const since = performance.now();
    const file = join(DISK, 'written');
    const writer = stage.launch(creature('write-direct', file, '8'), { through: entering(group) });
    expect(await writer.end()).toEqual({ code: 0, signal: null });
    expect(writer.stdout).toBe('write-direct 8 ok\n');
    expect(performance.now() - since).toBeGreaterThan(1500);
    expect(readCgroup(group, 'io.stat')).toContain(`wbytes=${8 << 20}`);
  });

  it('has what two new sessions hide in its group, and kills it with that', async ({ stage, group }) => {
    const hidden = ['orphan', '{', 'session', 'orphan', '{', 'session', 'print', 'up', 'sleep', '}', '}'];
    const leader = stage.launch(creature(...hidden, 'sleep'), { through: entering(group) });
    await leader.line(/^up$/);
    // The second of the three has nothing more to do once it has forked.
    await eventually(() => membersOf(group).length === 2);
    writeCgroup(group, 'cgroup.kill', 1);
    await eventually(() => membersOf(group).length === 0);
  });
});
