import { creature } from '@hsu-master/testkit';
import { describe, expect } from 'vitest';
import { runsOn } from '../../test/adoption.ts';
import {
  allGroups,
  cgroupNumbers,
  cgroupOf,
  makeGroup,
  membersOf,
  readCgroup,
  removeGroup,
} from '../../test/cgroups.ts';
import { eventually, it, type Stage, TIMED } from '../../test/drive.ts';
import { isAlive } from '../../test/proc.ts';
import { CGROUPS, delegateBelow, giveStage, ordinaryIn, percentOfCore } from '../guest.ts';

const SECONDS = 5;
const monitoring = { interval: '500ms' };

const TWO_SPINNERS = ['child', '{', 'spin', '}', 'child', '{', 'spin', '}'];
const SAYS_SO = ['on-term', '{', 'print', 'ending', 'exit', '0', '}'];

/** Exceeds a limit that is only watched, with one child too many, for as long as it lives; says so when it is asked to end. */
const crowd = (percent: number) => ({
  id: 'crowd',
  command: creature(...TWO_SPINNERS, ...SAYS_SO, 'sleep'),
  limits: { process: { max_child_processes: 1, policy: 'throttle' }, throttle_percent: percent, monitoring },
});

describe('policy throttle', () => {
  it('holds a tree down, and lets go when its excess has ended', TIMED, async ({ stage }) => {
    const cpu = { max_percent: '60%', policy: 'throttle', spike_tolerance: 0 };
    const master = stage.run([
      crowd(15),
      {
        id: 'burner',
        command: creature('burn', '2500', 'print', 'calm', 'sleep'),
        limits: { cpu, throttle_percent: 20, monitoring },
      },
    ]);
    await master.line(/^burner: held back to 20% of a core, since it exceeds cpu\.max_percent/);
    await master.line(/^crowd: held back to 15% of a core, since it exceeds process\.max_child_processes/);
    const group = cgroupOf(await master.started('crowd'));
    const used = await percentOfCore(group, SECONDS);
    expect(used).toBeGreaterThan(12);
    expect(used).toBeLessThan(18);
    await master.line(/^burner: held back no longer: the excess of cpu\.max_percent has ended/);
    await master.line(/^burner +\| calm/);
    expect(readCgroup(cgroupOf(await master.started('burner')), 'cpu.max')).toBe('60000 100000');
    expect(master.matching(/^crowd: held back no longer/)).toEqual([]);
    expect((await master.stop()).code).toBe(0);
    expect(master.stdout).toMatch(/^crowd +\| ending$/m);
  });

  describe('where the controller of CPU was not given, by the freezer', () => {
    /** Everything but the CPU, for the ordinary user. */
    async function inGroup(
      name: string,
      stage: Stage,
      act: (inside: string) => Promise<void>,
    ): Promise<void> {
      giveStage(stage);
      const outer = makeGroup(CGROUPS, name, { 'cgroup.subtree_control': '+memory +pids' });
      try {
        await act(delegateBelow(outer, 'given').inside);
      } finally {
        await removeGroup(outer);
      }
    }

    it('holds it down, and does not keep it from ending in order', TIMED, ({ stage }) =>
      inGroup('throttle-stop', stage, async (inside) => {
        const master = stage.run([crowd(30)], [], ordinaryIn(inside));
        const group = cgroupOf(await master.started('crowd'));
        await master.line(/^crowd: held back to 30%/);
        // It pays back what it used while the master was late, so that a few seconds say little of the share.
        for (const frozen of [1, 0, 1]) {
          await eventually(() => cgroupNumbers(group, 'cgroup.events').frozen === frozen);
        }
        expect(await percentOfCore(group, 2 * SECONDS)).toBeLessThan(50);
        expect((await master.stop()).code).toBe(0);
        expect(master.stdout).toMatch(/^crowd +\| ending$/m);
        expect(stage.leftOvers()).toEqual([]);
      }),
    );

    it('leaves nothing frozen for long when the master is killed: the next one judges anew', ({ stage }) =>
      inGroup('throttle-kill', stage, async (inside) => {
        const before = allGroups();
        const first = stage.run([crowd(1)], [], ordinaryIn(inside));
        const group = cgroupOf(await first.started('crowd'));
        await first.line(/^crowd: held back to 1%/);
        await eventually(() => cgroupNumbers(group, 'cgroup.events').frozen === 1);
        const held = membersOf(group);
        await first.stop('SIGKILL');
        expect(held.filter(isAlive)).toEqual(held);
        const second = stage.run([crowd(50)], [], ordinaryIn(inside));
        await runsOn(second, 'crowd');
        expect(held.filter(isAlive)).toEqual(held);
        await eventually(() => cgroupNumbers(group, 'cgroup.events').frozen === 0);
        await second.line(/^crowd: held back to 50%/);
        expect((await second.stop()).code).toBe(0);
        expect(stage.leftOvers()).toEqual([]);
        expect(allGroups()).toEqual(before);
      }));
  });
});
