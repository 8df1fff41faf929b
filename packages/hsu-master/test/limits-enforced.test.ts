import { readFileSync } from 'node:fs';
import { creature } from '@hsu-master/testkit';
import { describe, expect } from 'vitest';
import { eventually, factor, it, TIMED } from './drive.ts';
import { ordinary } from './ordinary.ts';
import { childrenOf, isAlive, stateOf } from './proc.ts';

/** What this system limits each process to by itself is there without cgroups and without rights. */
const FLAGS = ['--containment', 'off'];
const monitoring = { interval: `${100 * factor}ms` };
const never = { policy: 'never' };

/** Says what the system tells of it, and of a child of it. */
const TELLS = ['/proc/self/limits', '/proc/self/oom_score_adj', '/proc/self/status', '/proc/self/stat'];

describe.concurrent('limits that need no cgroups, as an ordinary user', () => {
  it('hold from the first instruction, and for children', async ({ stage, skip }) => {
    const limits = {
      memory: { max_virtual: '512MiB', max_heap: '256MiB', max_locked: 0 },
      cpu: { nice: 5, affinity: '0', scheduler: 'batch', max_time: '100s' },
      process: { max_file_descriptors: 64, max_core_size: 0, oom_score_adj: 300, no_new_privs: true },
    };
    const command = ['sh', '-c', `cat ${TELLS.join(' ')}`];
    const master = stage.run(
      [{ id: 'tells', command, limits, restart: never }],
      FLAGS,
      ordinary(stage, skip),
    );
    expect((await master.end()).code).toBe(0);
    const told = master.matching(/^tells \| /).map((line) => line.replace('tells | ', ''));
    expect(told).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^Max cpu time +100 +\d+ +seconds/),
        expect.stringMatching(/^Max address space +536870912 +536870912 +bytes/),
        expect.stringMatching(/^Max data size +268435456 +268435456 +bytes/),
        expect.stringMatching(/^Max locked memory +0 +0 +bytes/),
        expect.stringMatching(/^Max open files +64 +64 +files/),
        expect.stringMatching(/^Max core file size +0 +0 +bytes/),
        '300',
        expect.stringMatching(/^NoNewPrivs:\s+1$/),
        expect.stringMatching(/^Cpus_allowed_list:\s+0$/),
      ]),
    );
    // Fields 19 and 41 of proc(5): the niceness, and the class, 3 being SCHED_BATCH.
    const stat = told.find((line) => /^\d+ \(cat\)/.test(line))?.split(' ') ?? [];
    expect([stat[18], stat[40]]).toEqual(['5', '3']);
    expect(master.matching(/its limit/)).toEqual([]);
  });

  it('are felt by who exceeds them', async ({ stage, skip }) => {
    const master = stage.run(
      [
        {
          id: 'virtual',
          command: creature('map', '512', 'sleep'),
          limits: { memory: { max_virtual: '64MiB' } },
        },
        { id: 'heap', command: creature('hog', '64', 'sleep'), limits: { memory: { max_heap: '32MiB' } } },
        {
          id: 'locked',
          command: creature('lock', '4', 'sleep'),
          limits: { memory: { max_locked: '64KiB' } },
        },
        {
          id: 'files',
          command: creature('opens', '64', 'sleep'),
          limits: { process: { max_file_descriptors: 16 }, monitoring },
        },
        {
          id: 'time',
          command: creature('spin'),
          limits: { cpu: { max_time: '1s', policy: 'immediate_kill' } },
          restart: never,
        },
      ],
      FLAGS,
      ordinary(stage, skip),
    );
    await master.line(/^virtual +\| map 512 ENOMEM$/);
    await master.line(/^heap +\| hog 64 ENOMEM$/);
    await master.line(/^locked +\| lock 4 (ENOMEM|EAGAIN|EPERM)$/);
    await master.line(/^files +\| opens 13 EMFILE$/);
    await master.line(/^files: has reached its limit process.max_file_descriptors of 16$/);
    await master.line(/^time: killed by the kernel at its limit cpu\.max_time of 1s$/);
    await master.line(/^time: failed for good: .*cpu\.max_time: killed by SIGXCPU \(out of CPU time\) after/);
    expect((await master.stop()).code).toBe(0);
    expect(stage.processes()).toEqual([]);
  });

  it('take rights that an ordinary user lacks: each is named once, and the worker runs', async ({
    stage,
    skip,
  }) => {
    const limits = { cpu: { scheduler: 'fifo' }, process: { oom_score_adj: -500 } };
    const nicer = { cpu: { nice: -5 } };
    const command = creature('print', 'up', 'pause', '50', 'exit', '1');
    const restart = { delay: '1ms', max_retries: 2 };
    const master = stage.run(
      [
        { id: 'urgent', command, limits, restart },
        { id: 'nicer', command, limits: nicer, restart },
        { id: 'other', command: creature('sleep') },
      ],
      FLAGS,
      ordinary(stage, skip),
    );
    for (const id of ['urgent', 'nicer']) await master.line(new RegExp(`^${id}: failed too often`));
    if (process.getuid?.() === 0 || !hasRights()) {
      expect(master.matching(/: its limit /).toSorted()).toEqual([
        expect.stringMatching(/^nicer: its limit cpu.nice cannot be kept: .*CAP_SYS_NICE$/),
        expect.stringMatching(/^urgent: its limit cpu.scheduler cannot be kept: .*CAP_SYS_NICE$/),
        expect.stringMatching(/^urgent: its limit process.oom_score_adj cannot be kept: .*CAP_SYS_RESOURCE$/),
      ]);
    }
    expect((await master.stop()).code).toBe(0);
  });
});

describe.concurrent('limits that nobody enforces', () => {
  it(
    'A13: a fork bomb is seen and killed whole while the master answers (tried again: it bounds real time)',
    TIMED,
    async ({ stage, skip }) => {
      const limits = { process: { max_processes: 20, policy: 'immediate_kill' }, monitoring };
      const master = stage.run(
        [
          { id: 'bomb', command: creature('print', 'lit', 'swarm', '200', '20'), limits, restart: never },
          { id: 'other', command: creature('print', 'up', 'sleep'), restart: { delay: 0 } },
        ],
        FLAGS,
        ordinary(stage, skip),
      );
      const bomb = await master.started('bomb');
      const other = await master.started('other');
      await master.line(/^bomb: stopping it for its limit: processes and threads \d+ of 20/);
      const since = performance.now();
      process.kill(other, 'SIGKILL');
      await master.started('other', 2);
      expect(performance.now() - since).toBeLessThan(1000 * factor);
      await master.line(/^bomb: failed for good/);
      expect(isAlive(bomb)).toBe(false);
      expect(stage.leftOvers()).toHaveLength(1);
      expect((await master.stop()).code).toBe(0);
      expect(stage.processes()).toEqual([]);
    },
  );

  it('A6: the throttled tree includes those that left its session, and all go on when it ends', async ({
    stage,
    skip,
  }) => {
    const limits = {
      process: { max_child_processes: 1, policy: 'throttle' },
      throttle_percent: 1,
      monitoring,
    };
    const escapee = ['child', '{', 'session', 'spin', '}'];
    const command = creature(...escapee, ...escapee, 'spin');
    const master = stage.run([{ id: 'tree', command, limits }], FLAGS, ordinary(stage, skip));
    const pid = await master.started('tree');
    await master.line(/^tree: held back to 1% of a core, since it exceeds process.max_child_processes$/);
    const tree = [pid, ...childrenOf(pid)];
    expect(tree).toHaveLength(3);
    await eventually(() => tree.every((one) => stateOf(one) === 'T'));
    expect((await master.stop()).code).toBe(0);
    expect(tree.filter(isAlive)).toEqual([]);
    expect(master.matching(/killed with SIGKILL/)).toEqual([]);
    expect(stage.processes()).toEqual([]);
  });
});

/** Whether a user that is not root has capabilities all the same. */
function hasRights(): boolean {
  return !/^CapEff:\s+0+$/m.test(readFileSync('/proc/self/status', 'utf8'));
}
