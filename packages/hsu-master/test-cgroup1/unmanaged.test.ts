import { describe, expect } from 'vitest';
import { cgroupNumbers, cgroupOf, writeCgroup } from '../test/cgroups.ts';
import type { Launched } from '../test/drive.ts';
import { Foreign } from '../test/foreign-forks.ts';
import { isAlive } from '../test/proc.ts';
import { groupOf, groupsOf, hindrance, it, stateOption, views } from './groups.ts';

const why = hindrance();
const suffix = why === null ? '' : ` (skipped: ${why})`;

function unit(control: object): object[] {
  const limits = { process: { max_processes: 10 }, cpu: { max_percent: 50 }, memory: { max_rss: '1GB' } };
  const unmanaged = { discovery: { pid_file: 'foreign.pid' }, control: { limits, ...control } };
  return [{ id: 'web', type: 'unmanaged', unit: { unmanaged } }];
}

async function attached(master: Launched, { pid }: Foreign): Promise<void> {
  await master.line(new RegExp(`^web: found \\(pid ${pid},`));
}

describe.each(why === null ? views() : [])(
  `limits of what others started by cgroup v1, $name${suffix}`,
  (view) => {
    it('hold where it may be moved, outlive a killed master, and end with the watch; nobody is killed', async ({
      stage,
    }) => {
      const foreign = await Foreign.begin(stage);
      const { pid } = foreign;
      const home = cgroupOf(pid, 'pids');
      expect(await foreign.forks()).toBe('forks 40 ok');
      const run = () => stage.run(unit({ can_move: true }), stateOption(stage), { through: view.through });
      const first = run();
      await attached(first, foreign);
      const group = groupOf(stage, pid, 'pids');
      expect(group).toMatch(/\/lent\.\d+$/);
      expect(await foreign.forks()).toMatch(/^forks \d EAGAIN$/);
      expect(cgroupNumbers(group ?? '', 'pids.events')).toMatchObject({ max: expect.any(Number) });
      expect(groupOf(stage, pid, 'cpu')).not.toBeNull();
      expect(first.matching(/max_processes|max_percent/)).toEqual([]);
      expect(first.matching(/max_rss/).join()).toContain('what it had taken before is watched');
      await first.stop('SIGKILL');
      expect(isAlive(pid)).toBe(true);
      expect(await foreign.forks()).toMatch(/^forks \d EAGAIN$/);
      const second = run();
      await attached(second, foreign);
      expect(groupOf(stage, pid, 'pids')).not.toBeNull();
      expect(await foreign.forks()).toMatch(/^forks \d EAGAIN$/);
      expect(await second.stop()).toEqual({ code: 0, signal: null });
      expect(isAlive(pid)).toBe(true);
      expect(cgroupOf(pid, 'pids')).toBe(home);
      expect(groupsOf(stage)).toEqual([]);
      expect(await foreign.forks()).toBe('forks 40 ok');
    });

    it('are watched where control does not allow to move it, which is said', async ({ stage }) => {
      const foreign = await Foreign.begin(stage);
      const home = cgroupOf(foreign.pid, 'pids');
      const master = stage.run(unit({}), stateOption(stage), { through: view.through });
      await master.line(/^web: .*max_processes .*control\.can_move is not true/);
      expect(cgroupOf(foreign.pid, 'pids')).toBe(home);
      expect(await master.stop()).toEqual({ code: 0, signal: null });
    });

    it('are watched where somebody else has it in a cgroup, which is said', async ({ stage, groups }) => {
      const foreign = await Foreign.begin(stage);
      writeCgroup(groups.pids, 'cgroup.procs', foreign.pid);
      const master = stage.run(unit({ can_move: true }), stateOption(stage), { through: view.through });
      await master.line(/^web: .*max_processes .*it is in the cgroup \S+ of somebody else/);
      expect(cgroupOf(foreign.pid, 'pids')).toBe(groups.pids);
      expect(await foreign.forks()).toBe('forks 40 ok');
      expect(await master.stop()).toEqual({ code: 0, signal: null });
      process.kill(foreign.pid, 'SIGKILL');
    });
  },
);
