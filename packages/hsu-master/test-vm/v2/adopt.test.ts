import { creature } from '@hsu-master/testkit';
import { describe, expect } from 'vitest';
import { Premises, runsOn } from '../../test/adoption.ts';
import { allGroups, cgroupOf, readCgroup } from '../../test/cgroups.ts';
import { eventually, it } from '../../test/drive.ts';
import { childrenOf, defunctChildrenOf, isAlive } from '../../test/proc.ts';

/** Ends with 7 when it is told to. */
const ENDS = ['sh', '-c', 'trap "exit 7" USR1; echo up; while :; do sleep 0.2; done'];
const once = { policy: 'never' };
const workers = [
  { id: 'held', command: creature('print', 'up', 'sleep'), limits: { memory: '48MiB' }, namespace: 'prod' },
  { id: 'ends', command: ENDS, restart: once },
  { id: 'late', command: ENDS, restart: once },
];
const config = { namespaces: { prod: { limits: { process: { max_processes: 50 } } } }, workers };

describe('cgroup v2', () => {
  it('a run goes on under the next master in its group, with its limits and those around it', async ({
    stage,
  }) => {
    const before = allGroups();
    const { flags } = new Premises(stage);
    const first = stage.run(config, flags);
    const pids = new Map<string, number>();
    for (const { id } of workers) pids.set(id, await first.started(id));
    await first.until('all are up', () => first.matching(/\| up$/).length === workers.length);
    const held = pids.get('held') ?? 0;
    const group = cgroupOf(held);
    await first.stop('SIGKILL');
    const second = stage.run(config, flags);
    for (const { id } of workers) expect(await runsOn(second, id)).toBe(pids.get(id));
    expect(cgroupOf(held)).toBe(group);
    expect(readCgroup(group, 'memory.max')).toBe(String(48 * 2 ** 20));
    expect(readCgroup(`${group}/..`, 'pids.max')).toBe('50');
    process.kill(pids.get('ends') ?? 0, 'SIGUSR1');
    // This kernel tells it only as long as init has not reaped it.
    await second.line(/^ends: exit (7|unknown) after/);
    expect((await second.stop()).code).toBe(0);
    expect(stage.leftOvers()).toEqual([]);
    await eventually(() => allGroups().length === before.length);
    expect(allGroups()).toEqual(before);
  });

  it('another program in the same process finds its group and all others again', async ({ stage }) => {
    const before = allGroups();
    const { flags } = new Premises(stage);
    const master = stage.run(config, flags);
    const pids = new Map<string, number>();
    for (const { id } of workers) pids.set(id, await master.started(id));
    await master.until('all are up', () => master.matching(/\| up$/).length === workers.length);
    const own = cgroupOf(master.pid);
    const group = cgroupOf(pids.get('held') ?? 0);
    for (let round = 0; round < 2; round += 1) {
      const asked = stage.hsu(['upgrade', stage.path('config.yaml'), ...flags]);
      expect((await asked.end()).code).toBe(0);
      expect(cgroupOf(master.pid)).toBe(own);
      expect(cgroupOf(pids.get('held') ?? 0)).toBe(group);
    }
    expect(childrenOf(master.pid).filter((pid) => ![...pids.values()].includes(pid))).toEqual([]);
    expect([...pids.values()].every(isAlive)).toBe(true);
    process.kill(pids.get('late') ?? 0, 'SIGUSR1');
    await master.line(/^late: exit 7 /);
    expect(defunctChildrenOf(master.pid)).toEqual([]);
    await master.stop();
    expect(stage.leftOvers()).toEqual([]);
    await eventually(() => allGroups().length === before.length);
    expect(allGroups()).toEqual(before);
  });
});
