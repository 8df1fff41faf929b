import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { creature } from '@hsu-master/testkit';
import { describe, expect, it as plain } from 'vitest';
import { cgroupNumbers, cgroupOf, membersOf, readCgroup } from '../../test/cgroups.ts';
import { eventually, it } from '../../test/drive.ts';
import { isAlive, stateOf } from '../../test/proc.ts';
import { CGROUPS, oneMaster } from '../guest.ts';

/** Two sessions away from its leader, with nothing left in its environment. */
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
const restart = { delay: '10ms' };

describe('trees in groups', () => {
  const one = oneMaster('trees', [
    { id: 'hider', command: creature(...ESCAPEE, 'sleep'), restart },
    { id: 'left', command: creature(...ESCAPEE, 'pause', '1000', 'exit', '0'), restart: 'never' },
  ]);

  plain('A6: an escapee that is two sessions away dies with its leader', async () => {
    const { master } = one;
    const pid = await master.started('hider');
    await master.line(/^hider +\| hidden/);
    const group = cgroupOf(pid);
    await eventually(() => membersOf(group).length === 2);
    const hidden = membersOf(group).find((member) => member !== pid) ?? 0;
    process.kill(pid, 'SIGKILL');
    const again = await master.started('hider', 2);
    expect(isAlive(hidden)).toBe(false);
    await eventually(() => membersOf(cgroupOf(again)).length === 2);
    expect(master.matching(/belongs to no worker/)).toEqual([]);
  });

  plain('and is ended when its leader has gone without it', async () => {
    await one.master.line(/^left: exit 0 after .*; 1 process of its tree still there/);
    await one.master.line(/^left: completed/);
    const groups = dirname(cgroupOf(await one.master.started('hider', 2)));
    expect(existsSync(`${groups}/left`)).toBe(false);
  });
});

describe('the end of trees in groups', () => {
  it('A6: leaves none of an escapee that hears nothing', async ({ stage }) => {
    const master = stage.run([
      { id: 'hider', command: creature('ignore', 'TERM', ...ESCAPEE, 'sleep'), stop_timeout: '1s' },
    ]);
    await master.line(/^hider +\| hidden/);
    const group = cgroupOf(await master.started('hider'));
    await eventually(() => membersOf(group).length === 2);
    const members = membersOf(group);
    expect((await master.stop()).code).toBe(0);
    expect(members.filter(isAlive)).toEqual([]);
    expect(existsSync(group)).toBe(false);
  });

  it('A9: reaches stopped processes and frozen ones', async ({ stage }) => {
    const child = ['child', '{', 'on-term', '{', 'print', 'child', 'exit', '0', '}', 'stop', 'sleep', '}'];
    const master = stage.run([
      { id: 'stopped', command: creature(...child, 'stop', 'sleep'), stop_timeout: '60s' },
    ]);
    const group = cgroupOf(await master.started('stopped'));
    await eventually(() => membersOf(group).filter((pid) => stateOf(pid) === 'T').length === 2);
    expect((await master.stop()).code).toBe(0);
    expect(master.stdout).toMatch(/^stopped: ended \(SIGTERM\)/m);
    expect(master.stdout).toMatch(/^stopped +\| child$/m);
    expect(master.stdout).not.toMatch(/SIGKILL/);
  });
});

describe('budgets', () => {
  it('workers of one group share its memory, and the greedy one dies whole', async ({ stage }) => {
    const member = (id: string, ...words: readonly string[]) => ({
      id,
      command: creature(...words),
      worker_group: 'web',
      restart: 'never',
    });
    const there = stage.path('there');
    const master = stage.run({
      groups: {
        web: { limits: { memory: '48MiB' } },
        batch: { limits: { process: { max_processes: 12 } } },
      },
      workers: [
        {
          ...member('modest', 'hog', '16', 'pidfile', there, 'print', 'up', 'sleep'),
          ready: { exec: ['test', '-f', there] },
        },
        {
          ...member('greedy', 'child', '{', 'hog', '40', 'sleep', '}', 'sleep'),
          depends_on: 'modest',
        },
        { ...member('first', 'forks', '7', 'sleep'), worker_group: 'batch' },
        { ...member('second', 'forks', '7', 'sleep'), worker_group: 'batch' },
      ],
    });
    const modest = await master.started('modest');
    const group = dirname(cgroupOf(modest));
    expect(readCgroup(group, 'memory.max')).toBe(String(48 << 20));
    await master.line(/^(first|second) +\| forks [0-6] EAGAIN/);
    expect(membersOf(dirname(cgroupOf(await master.started('first'))))).toHaveLength(12);
    await master.line(
      /^greedy: killed by the kernel at the limit of its group "web", memory\.max_rss of 48MiB/,
    );
    await master.line(/^greedy: killed by SIGKILL \(out of memory: at a limit that it shares\)/);
    await master.line(/^modest +\| up/);
    expect(isAlive(modest)).toBe(true);
    expect(cgroupNumbers(group, 'memory.events').oom_kill).toBeGreaterThan(0);
    expect((await master.stop()).code).toBe(0);
    expect(existsSync(group)).toBe(false);
  });
});

describe('a limit that cannot be enforced', () => {
  const limits = { memory: '32MiB', network: { max_bandwidth: '1MB/s' } };

  it('G9: fails the start where limits are required', async ({ stage }) => {
    const strict = { memory: '32MiB', required: true };
    const workers = [{ id: 'strict', command: creature('print', 'up', 'sleep'), limits: strict }];
    const master = stage.run(workers, ['--containment', 'off']);
    expect(await master.line(/^strict: failed for good/)).toContain(
      'memory.max_rss is required and only watched here',
    );
    expect((await master.end()).code).toBe(1);
    expect(master.stdout).not.toMatch(/started/);
  });

  it('G9: is said once where they are not', async ({ stage }) => {
    const master = stage.run([{ id: 'lax', command: creature('sleep'), limits, restart }]);
    for (const life of [1, 2, 3]) {
      const pid = await master.started('lax', life);
      expect(readCgroup(cgroupOf(pid), 'memory.max')).toBe(String(32 << 20));
      if (life < 3) process.kill(pid, 'SIGKILL');
    }
    expect(master.matching(/its limit/)).toEqual([
      'lax: its limit network.max_bandwidth cannot be kept: cgroups have no controller for the network',
    ]);
    expect((await master.stop()).code).toBe(0);
    expect(cgroupOf(process.pid)).toBe(CGROUPS);
  });
});
