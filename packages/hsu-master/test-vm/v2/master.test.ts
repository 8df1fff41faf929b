import { creature } from '@hsu-master/testkit';
import { describe, expect } from 'vitest';
import { cgroupOf, groupsIn, removeGroup } from '../../test/cgroups.ts';
import { eventually, it, type Launched, type LaunchOptions, type Stage } from '../../test/drive.ts';
import { isAlive } from '../../test/proc.ts';
import { CGROUPS, delegate, giveStage, ORDINARY, ordinaryIn } from '../guest.ts';

const restart = { delay: '10ms', backoff_rate: 1, max_retries: 0 };

function workers(): readonly object[] {
  const sleeper = (id: string) => ({ id, command: creature('print', 'up', 'sleep'), restart });
  return [sleeper('first'), { ...sleeper('second'), depends_on: ['first'] }];
}

/** Starts two workers, loses one, gets it back, stops. */
async function lives(stage: Stage, options: LaunchOptions): Promise<{ master: Launched; pid: number }> {
  const master = stage.run(workers(), [], options);
  await master.started('second');
  const first = await master.started('first');
  process.kill(first, 'SIGKILL');
  const again = await master.started('first', 2);
  expect(again).not.toBe(first);
  await eventually(() => !isAlive(first));
  return { master, pid: again };
}

async function stops(stage: Stage, master: Launched): Promise<void> {
  expect(await master.stop()).toEqual({ code: 0, signal: null });
  expect(stage.leftOvers()).toEqual([]);
}

describe('a master on a kernel with cgroup v2', () => {
  it('starts, restarts and stops programs as root, and leaves no group', async ({ stage }) => {
    const before = groupsIn(CGROUPS);
    const { master } = await lives(stage, {});
    await stops(stage, master);
    expect(groupsIn(CGROUPS)).toEqual(before);
  });

  it('does so as an ordinary user whom no group was given', async ({ stage }) => {
    giveStage(stage);
    const before = groupsIn(CGROUPS);
    const { master } = await lives(stage, { uid: ORDINARY });
    await stops(stage, master);
    expect(groupsIn(CGROUPS)).toEqual(before);
  });

  it('does so as an ordinary user in a group of that user’s own', async ({ stage }) => {
    giveStage(stage);
    const { group, inside } = delegate('master-test');
    try {
      const { master, pid } = await lives(stage, ordinaryIn(inside));
      expect(cgroupOf(pid).startsWith(group)).toBe(true);
      await stops(stage, master);
      expect(groupsIn(group)).toEqual([group, inside]);
    } finally {
      await removeGroup(group);
    }
  });
});
