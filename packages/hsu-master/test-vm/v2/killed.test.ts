import { dirname } from 'node:path';
import { creature } from '@hsu-master/testkit';
import { describe, expect } from 'vitest';
import { runs } from '../../test/adoption.ts';
import { allGroups, cgroupOf, groupsIn, membersOf } from '../../test/cgroups.ts';
import { eventually, it, type Launched, type Stage } from '../../test/drive.ts';
import { isAlive } from '../../test/proc.ts';

const COUNT = 14;
const ids = Array.from({ length: COUNT }, (_, index) => `w${index}`);
/** A moment in which the master can be killed while it stops them. */
const TAKES_TIME = ['on-term', '{', 'pause', '700', 'exit', '0', '}'];
/** Half of them have a child that nobody would find without the group. */
const HIDES = ['orphan', '{', 'session', 'wipe', 'print', 'hidden', 'sleep', '}'];
const workers = ids.map((id, index) => ({
  id,
  command: creature(...TAKES_TIME, ...(index % 2 === 0 ? HIDES : []), 'print', 'up', 'sleep'),
  // Who hides does not hear SIGTERM.
  stop_timeout: '2s',
  worker_group: index % 3 === 0 ? 'third' : undefined,
}));
const config = { groups: { third: { limits: { process: { max_processes: 500 } } } }, workers };

/** Waits until all run, each once, and nobody lives in a group but they. */
async function settled(
  stage: Stage,
  master: Launched,
  leaderOf = (id: string) => runs(master, id),
): Promise<readonly number[]> {
  const leaders = await Promise.all(ids.map(leaderOf));
  const base = dirname(cgroupOf(leaders[1] ?? 0));
  // Some have yet to see what forked them end.
  await eventually(() => membersOf(base).length === COUNT * 1.5);
  // The base, the quota, the runs.
  expect(groupsIn(base)).toHaveLength(2 + COUNT);
  for (const group of groupsIn(base).filter((one) => /\/w\d+$/.test(one))) {
    expect(membersOf(group).length).toBe(Number(/\d+$/.exec(group)?.[0]) % 2 === 0 ? 2 : 1);
  }
  expect(stage.processes().filter(({ command }) => command.includes('sleep'))).toHaveLength(COUNT * 1.5);
  return membersOf(base);
}

describe('a master that is killed', () => {
  it('while it starts, while all run, while it stops: the next one leaves no group and no double', async ({
    stage,
  }) => {
    const before = allGroups();
    const starting = stage.run(config);
    await starting.started('w5');
    await starting.stop('SIGKILL');
    const begun = stage.processes().map(({ pid }) => pid);
    expect(begun.length).toBeGreaterThan(0);

    const running = stage.run(config);
    const first = await settled(stage, running);
    expect(begun.filter((pid) => isAlive(pid) && !first.includes(pid))).toEqual([]);
    await running.stop('SIGKILL');
    expect(first.filter(isAlive)).toEqual(first);

    const stopping = stage.run(config);
    const second = await settled(stage, stopping);
    expect(new Set(second)).toEqual(new Set(first));
    stopping.signal('SIGINT');
    await stopping.until('all are asked', () => stopping.matching(/^w\d+: stopping$/).length === COUNT);
    await stopping.stop('SIGKILL');

    const last = stage.run(config);
    // What was asked to end does so first.
    await settled(stage, last, (id) => last.started(id));
    expect(second.filter(isAlive)).toEqual([]);
    expect((await last.stop()).code).toBe(0);
    expect(stage.leftOvers()).toEqual([]);
    expect(allGroups()).toEqual(before);
  });
});
