import { rmdirSync } from 'node:fs';
import { creature } from '@hsu-master/testkit';
import { describe, expect } from 'vitest';
import { runsOn } from '../../test/adoption.ts';
import { allGroups, cgroupOf, groupsIn, membersOf, readCgroup, removeGroup } from '../../test/cgroups.ts';
import { it } from '../../test/drive.ts';
import { isAlive } from '../../test/proc.ts';
import { delegate, giveStage, ORDINARY, ordinaryIn } from '../guest.ts';

const restart = 'never';
const monitoring = { interval: '500ms' };
const ESCAPEE = [
  'orphan',
  '{',
  'session',
  'orphan',
  '{',
  'session',
  'wipe',
  'print',
  'hidden',
  'sleep',
  '}',
  '}',
];

const workers = [
  { id: 'hog', command: creature('hog', '64', 'sleep'), limits: { memory: '24MiB' }, restart },
  {
    id: 'forks',
    command: creature('forks', '40', 'sleep'),
    limits: { process: { max_processes: 10, max_file_descriptors: 50 } },
  },
  { id: 'spinner', command: creature('spin'), limits: { cpu: { max_percent: '20%', weight: 50 } } },
  { id: 'hider', command: creature(...ESCAPEE, 'sleep') },
];

describe('a master of an ordinary user', () => {
  it('enforces limits in a group that was given to it, also after one that was killed there', async ({
    stage,
  }) => {
    giveStage(stage);
    const { group, inside } = delegate('given');
    try {
      const before = groupsIn(group);
      const first = stage.run(workers, [], ordinaryIn(inside));
      await first.line(/^forks +\| forks 9 EAGAIN/);
      await first.line(/^hog: killed by SIGKILL \(out of memory: at its limit\)/);
      await first.line(/^hider +\| hidden/);
      const spinner = await first.started('spinner');
      expect(cgroupOf(spinner).startsWith(group)).toBe(true);
      expect(readCgroup(cgroupOf(spinner), 'cpu.max')).toBe('20000 100000');
      expect(first.matching(/its limit .* (is watched|cannot)/)).toEqual([]);
      const held = membersOf(cgroupOf(await first.started('hider')));
      await first.stop('SIGKILL');
      expect(held.filter(isAlive)).toEqual(held);

      const second = stage.run(workers, [], ordinaryIn(inside));
      await runsOn(second, 'hider');
      expect(await runsOn(second, 'spinner')).toBe(spinner);
      expect(held.filter(isAlive)).toEqual(held);
      expect(readCgroup(cgroupOf(spinner), 'cpu.max')).toBe('20000 100000');
      expect((await second.stop()).code).toBe(0);
      expect(stage.leftOvers()).toEqual([]);
      expect(groupsIn(group)).toEqual(before);
    } finally {
      await removeGroup(group);
    }
  });

  it('needs no leaf to be there already: it makes its own, and leaves the group as it was', async ({
    stage,
  }) => {
    giveStage(stage);
    const { group, inside } = delegate('bare');
    try {
      rmdirSync(inside);
      const master = stage.run(workers.slice(0, 2), [], ordinaryIn(group));
      await master.line(/^forks +\| forks 9 EAGAIN/);
      await master.line(/^hog: killed by SIGKILL \(out of memory: at its limit\)/);
      expect(cgroupOf(master.pid)).toMatch(/\.supervisor$/);
      expect((await master.stop()).code).toBe(0);
      expect(groupsIn(group)).toEqual([group]);
      expect(readCgroup(group, 'cgroup.subtree_control')).toBe('');
    } finally {
      await removeGroup(group);
    }
  });

  it('watches what it cannot enforce where no group was given to it, and says why', async ({ stage }) => {
    giveStage(stage);
    const before = allGroups();
    const watched = [
      {
        id: 'hog',
        command: creature('hog', '64', 'sleep'),
        limits: { memory: { max_rss: '24MiB', policy: 'immediate_kill' }, monitoring },
      },
      ...workers.slice(1),
    ];
    const master = stage.run(watched, [], { uid: ORDINARY });
    expect(await master.line(/^forks: its limit process\.max_processes/)).toMatch(
      /is watched, not enforced: .*cannot make .*EACCES/,
    );
    await master.line(/^spinner: its limit cpu\.max_percent is watched, not enforced: /);
    await master.line(/^spinner: its limit cpu\.weight cannot be kept: /);
    expect(master.matching(/max_file_descriptors/)).toEqual([]);
    await master.line(/^forks +\| forks 40 ok/);
    await master.line(/^hog: failed for good: ended for its limit memory\.max_rss/);
    await master.line(/^forks: exceeds its limit process\.max_processes: 41 of 10/);
    expect((await master.stop()).code).toBe(0);
    expect(stage.leftOvers()).toEqual([]);
    expect(allGroups()).toEqual(before);
  });
});
