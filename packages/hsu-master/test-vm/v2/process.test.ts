import { chmodSync, copyFileSync, existsSync, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { creature } from '@hsu-master/testkit';
import { describe, expect, it as plain } from 'vitest';
import { cgroupNumbers, cgroupOf, membersOf, readCgroup } from '../../test/cgroups.ts';
import { eventually, factor, it, TIMED } from '../../test/drive.ts';
import { isAlive } from '../../test/proc.ts';
import { ORDINARY, oneMaster } from '../guest.ts';

const restart = 'never';

/** A field of proc_pid_stat(5), which counts from 1; those behind the name. */
function statOf(pid: number, field: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[field - 3]);
}

function statusOf(pid: number, row: string): string {
  const text = readFileSync(`/proc/${pid}/status`, 'latin1');
  return new RegExp(`^${row}:\\s*(.*)$`, 'm').exec(text)?.[1] ?? '';
}

const SCHED_IDLE = 5;
const SCHED_ROUND_ROBIN = 2;

describe('limits of processes', () => {
  const one = oneMaster('process', (stage) => {
    const setuid = stage.path('id');
    copyFileSync('/usr/bin/id', setuid);
    chmodSync(setuid, 0o4755);
    chmodSync(stage.folder, 0o755);
    const privileged = { command: [setuid, '-u'], user: String(ORDINARY), restart };
    const crash = (id: string, max_core_size: string) => ({
      id,
      command: ['sh', '-c', `mkdir -p ${id} && cd ${id} && exec "$@"`, 'sh', ...creature('crash', '11')],
      limits: { process: { max_core_size } },
      restart,
    });
    return [
      {
        id: 'nice',
        command: creature('child', '{', 'sleep', '}', 'print', 'up', 'sleep'),
        limits: {
          cpu: { nice: 7, affinity: '1', scheduler: 'idle' },
          process: { oom_score_adj: 321, no_new_privs: true },
        },
      },
      {
        id: 'urgent',
        command: creature('sleep'),
        limits: { cpu: { nice: -5, scheduler: { policy: 'round-robin', priority: 3 } } },
      },
      {
        id: 'descriptors',
        command: creature('opens', '100', 'sleep'),
        limits: { process: { max_file_descriptors: 32 } },
      },
      { id: 'privileged', ...privileged },
      { id: 'unprivileged', ...privileged, limits: { process: { no_new_privs: true } } },
      crash('dumps', '8MiB'),
      crash('dumpless', '0'),
      {
        id: 'forks',
        command: creature('forks', '40', 'sleep'),
        limits: { process: { max_processes: 10, policy: 'log' }, monitoring: { interval: '1s' } },
      },
    ];
  });

  plain('nice, affinity and scheduler are those of the whole tree', async () => {
    await one.master.line(/^nice +\| up/);
    const pid = await one.master.started('nice');
    const group = cgroupOf(pid);
    const members = membersOf(group);
    expect(members).toHaveLength(2);
    for (const member of members) {
      expect(statOf(member, 19)).toBe(7);
      expect(statOf(member, 41)).toBe(SCHED_IDLE);
      expect(statusOf(member, 'Cpus_allowed_list')).toBe('1');
    }
    expect(readCgroup(group, 'cpuset.cpus')).toBe('1');
    const urgent = await one.master.started('urgent');
    expect(statOf(urgent, 41)).toBe(SCHED_ROUND_ROBIN);
    expect(statOf(urgent, 40)).toBe(3);
  });

  plain('oom_score_adj is set, and no_new_privs holds against set-user-ID', async () => {
    const pid = await one.master.started('nice');
    expect(readFileSync(`/proc/${pid}/oom_score_adj`, 'utf8').trim()).toBe('321');
    expect(statusOf(pid, 'NoNewPrivs')).toBe('1');
    await one.master.line(/^privileged +\| 0$/);
    await one.master.line(new RegExp(`^unprivileged +\\| ${ORDINARY}$`));
  });

  plain('max_file_descriptors refuses one more', async () => {
    const line = await one.master.line(/^descriptors +\| opens/);
    expect(line).toMatch(/opens (\d+) EMFILE$/);
    // Its standard streams are descriptors, too.
    expect(line).toContain('opens 29 ');
  });

  plain('max_core_size bounds core dumps, 0 forbids them', async () => {
    await one.master.line(/^dumps: killed by SIGSEGV \(core dumped\)/);
    await one.master.line(/^dumpless: killed by SIGSEGV after/);
    expect(statSync(one.stage.path('dumps', 'core')).size).toBeLessThanOrEqual(8 << 20);
    expect(existsSync(one.stage.path('dumpless', 'core'))).toBe(false);
  });

  plain('max_processes refuses a fork, and that is said', async () => {
    await one.master.line(/^forks +\| forks 9 EAGAIN/);
    await one.master.line(/^forks: has reached its limit process\.max_processes of 10/);
    expect(membersOf(cgroupOf(await one.master.started('forks')))).toHaveLength(10);
  });
});

describe('want of memory of the whole system', () => {
  it('G5: the master is the last to be killed, its workers are as any other, whatever they fork at once', async ({
    stage,
  }) => {
    const ids = Array.from({ length: 8 }, (_, index) => `w${index}`);
    const master = stage.run(ids.map((id) => ({ id, command: creature('forks', '8', 'sleep') })));
    for (const id of ids) await master.line(new RegExp(`^${id} +\\| forks 8 ok`));
    const scoreOf = (pid: number) => readFileSync(`/proc/${pid}/oom_score_adj`, 'utf8').trim();
    const base = dirname(cgroupOf(await master.started('w0')));
    expect(scoreOf(master.pid)).toBe('-900');
    expect(membersOf(base)).toHaveLength(9 * ids.length);
    expect(membersOf(base).filter((pid) => scoreOf(pid) !== '0')).toEqual([]);
    expect((await master.stop()).code).toBe(0);
  });
});

describe('a fork bomb', () => {
  it(
    'A13: stops at max_processes, the master answers within a second, and it dies whole',
    TIMED,
    async ({ stage }) => {
      const master = stage.run([
        { id: 'bomb', command: creature('bomb'), limits: { process: { max_processes: 30 } } },
        { id: 'other', command: creature('sleep'), restart: { delay: '10ms' } },
      ]);
      const group = cgroupOf(await master.started('bomb'));
      await eventually(() => (cgroupNumbers(group, 'pids.events').max ?? 0) > 100);
      expect(readCgroup(group, 'pids.current')).toBe('30');
      const other = await master.started('other');
      const since = performance.now();
      process.kill(other, 'SIGKILL');
      await master.line(/^other: killed by SIGKILL/);
      await master.started('other', 2);
      expect(performance.now() - since).toBeLessThan(1000 * factor);
      const bombs = membersOf(group);
      expect(bombs).toHaveLength(30);
      expect((await master.stop()).code).toBe(0);
      expect(bombs.filter(isAlive)).toEqual([]);
      expect(existsSync(group)).toBe(false);
      expect(stage.leftOvers()).toEqual([]);
    },
  );
});
