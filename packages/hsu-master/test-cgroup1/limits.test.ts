import { existsSync } from 'node:fs';
import { creature } from '@hsu-master/testkit';
import { describe, expect } from 'vitest';
import { cgroupNumbers, membersOf, readCgroup } from '../test/cgroups.ts';
import { eventually, factor, it, type Launched, type Stage, TIMED } from '../test/drive.ts';
import { cpuTimeOf, isAlive, stateOf } from '../test/proc.ts';
import {
  goesFirst,
  groupOf,
  groupsOf,
  hindrance,
  stateOption,
  type View,
  views,
  viewWithout,
} from './groups.ts';

const why = hindrance();
const suffix = why === null ? '' : ` (skipped: ${why})`;
const never = { policy: 'never' };
const monitoring = { interval: `${200 * factor}ms` };
/** A child of the leader that nobody can trace: two new sessions, and no environment to read. */
const HIDDEN = ['orphan', '{', 'session', 'wipe', 'orphan', '{', 'session', 'print', 'up', 'sleep', '}', '}'];
const ESCAPEE = creature(...HIDDEN, 'sleep');

function run(stage: Stage, view: View, content: Parameters<Stage['config']>[0]): Launched {
  return stage.run(content, stateOption(stage), { through: view.through });
}

/** Ends a master that has nobody to mourn. */
async function stops(stage: Stage, master: Launched): Promise<void> {
  expect(await master.stop()).toEqual({ code: 0, signal: null });
  expect(stage.processes()).toEqual([]);
  expect(groupsOf(stage)).toEqual([]);
}

async function takesDirectWrites(stage: Stage): Promise<boolean> {
  const probe = stage.launch(creature('write-direct', stage.path('probe'), '1'));
  await probe.end();
  return probe.stdout === 'write-direct 1 ok\n';
}

/** Percent of one core that processes use while `span` milliseconds pass. */
async function percentOf(pids: readonly number[], span: number): Promise<number> {
  const used = () => pids.reduce((sum, pid) => sum + cpuTimeOf(pid), 0);
  const since = performance.now();
  const before = used();
  await eventually(() => performance.now() - since >= span);
  return ((used() - before) / (performance.now() - since)) * 100;
}

describe.each(why === null ? views() : [])(`limits by cgroup v1, $name${suffix}`, (view) => {
  it('G5: who takes too much memory is killed, and the line says by what limit', async ({ stage }) => {
    const limits = { memory: '32MiB', monitoring };
    const master = run(stage, view, [
      { id: 'hog', command: creature('hog', '64', 'sleep'), limits, restart: never },
      { id: 'other', command: creature('print', 'up', 'sleep') },
    ]);
    await master.line(/^hog: killed by SIGKILL \(out of memory: at its limit\) after/);
    await master.line(/^hog: failed for good/);
    expect(master.matching(/^hog: killed by the kernel at its limit memory.max_rss of 32MiB$/)).toHaveLength(
      1,
    );
    const other = await master.started('other');
    expect(isAlive(other)).toBe(true);
    await stops(stage, master);
  });

  it('a killed hog is started again with more memory, and then has enough', async ({ stage }) => {
    const memory = { max_rss: '32MiB', policy: 'restart_adjusted', adjust: { factor: 2, max_factor: 4 } };
    const limits = { memory, monitoring };
    const restart = { delay: '10ms', max_retries: 3 };
    const master = run(stage, view, [
      { id: 'hog', command: creature('hog', '48', 'sleep'), limits, restart },
    ]);
    await master.line(/^hog: its limit memory.max_rss is raised from 32MiB to 64MiB$/);
    await master.line(/^hog +\| hog 48 ok$/);
    const pid = await master.started('hog', 2);
    const group = groupOf(stage, pid, 'memory') as string;
    expect(readCgroup(group, 'memory.limit_in_bytes')).toBe(String(64 << 20));
    await stops(stage, master);
  });

  it('G5: who has not even the memory to start is refused, and the master lives', async ({ stage }) => {
    const restart = { delay: '1ms', max_retries: 2 };
    const master = run(stage, view, [
      { id: 'tiny', command: creature('sleep'), limits: { memory: 1 }, restart },
      {
        id: 'scored',
        command: creature('sleep'),
        limits: { memory: 1, process: { oom_score_adj: 500 } },
        restart,
      },
      { id: 'other', command: creature('print', 'up', 'sleep') },
    ]);
    await master.line(/^tiny: failed too often/);
    await master.line(/^scored: failed too often/);
    await master.started('other');
    expect(master.matching(/^(tiny|scored): cannot start .*no memory for it/)).toHaveLength(6);
    expect((await master.stop()).code).toBe(1);
    expect(stage.processes()).toEqual([]);
    expect(groupsOf(stage)).toEqual([]);
  });

  it('G5: who starts in a group that is full takes none but its own along', async ({ stage }) => {
    const hog = { command: creature('hog', '12', 'sleep'), worker_group: 'web', restart: never };
    const restart = { delay: '1ms', backoff_rate: 1, max_retries: 50 };
    const master = run(stage, view, {
      groups: { web: { limits: { memory: '64MiB' } } },
      workers: [
        ...['a', 'b', 'c', 'd', 'e'].map((id) => ({ id, ...hog })),
        { id: 'grows', command: creature('grow', '20', '10', 'sleep'), worker_group: 'web', restart: never },
        { id: 'often', command: creature('exit', '1'), worker_group: 'web', restart },
      ],
    });
    await master.line(/: killed by the kernel at the limit of its group "web", memory.max_rss of 64MiB$/);
    await master.line(/^often: failed too often/);
    await stops(stage, master);
  });

  it('a spinner is held to 20 % of a core', TIMED, async ({ stage }) => {
    const master = run(stage, view, [{ id: 'spin', command: creature('spin'), limits: { cpu: '20%' } }]);
    const pid = await master.started('spin');
    goesFirst(stage, pid);
    const percent = await percentOf([pid], 3000 * factor);
    expect(percent).toBeGreaterThan(17);
    expect(percent).toBeLessThan(23);
    const group = groupOf(stage, pid, 'cpu') as string;
    expect(cgroupNumbers(group, 'cpu.stat').nr_throttled).toBeGreaterThan(20);
    const counted = groupOf(stage, pid, 'cpuacct');
    expect(counted === null).toBe(view.through.length === 0);
    if (counted !== null) {
      const told = Number(readCgroup(counted, 'cpuacct.usage')) / 1e6;
      expect(Math.abs(told - cpuTimeOf(pid))).toBeLessThan(100 * factor);
    }
    await stops(stage, master);
  });

  it(
    'A13: a fork bomb is contained, the master answers, and it is killed whole',
    TIMED,
    async ({ stage }) => {
      const process_ = { max_processes: 40, policy: 'immediate_kill', sustained_time: `${1000 * factor}ms` };
      const limits = { cpu: '30%', process: process_, monitoring };
      const master = run(stage, view, [
        { id: 'bomb', command: creature('print', 'lit', 'bomb'), limits, restart: never },
        { id: 'other', command: creature('print', 'up', 'sleep'), restart: { delay: 0 } },
      ]);
      const group = groupOf(stage, await master.started('bomb'), 'pids') as string;
      await eventually(() => (cgroupNumbers(group, 'pids.events').max ?? 0) > 0);
      expect(membersOf(group).length).toBeLessThanOrEqual(40);
      const other = await master.started('other');
      const since = performance.now();
      process.kill(other, 'SIGKILL');
      await master.started('other', 2);
      expect(performance.now() - since).toBeLessThan(1000 * factor);
      await master.line(/^bomb: stopping it for its limit: processes and threads \d+ of 40/);
      await master.line(/^bomb: failed for good/);
      await eventually(() => !existsSync(group));
      expect(stage.leftOvers()).toHaveLength(1);
      await stops(stage, master);
    },
  );

  it('a writer is held to its bytes per second', TIMED, async ({ stage, skip }) => {
    if (!(await takesDirectWrites(stage))) skip(`${stage.folder} takes no direct writes`);
    const command = creature('write-direct', stage.path('written'), '12', 'sleep');
    const io = { max_write_bps: '4MiB/s' };
    const since = performance.now();
    const master = run(stage, view, [{ id: 'writer', command, cwd: stage.folder, limits: { io } }]);
    await master.line(/^writer +\| write-direct 12 ok$/);
    expect(performance.now() - since).toBeGreaterThan(2500);
    await stops(stage, master);
  });

  it('a writer that is held back dies at once all the same', TIMED, async ({ stage, skip }) => {
    if (!(await takesDirectWrites(stage))) skip(`${stage.folder} takes no direct writes`);
    const command = creature('write-direct', stage.path('written'), '8', 'sleep');
    const io = { max_write_bps: '64KiB/s' };
    const worker = { id: 'writer', command, cwd: stage.folder, limits: { io }, stop_timeout: '200ms' };
    const master = run(stage, view, [worker]);
    const pid = await master.started('writer');
    await eventually(() => stateOf(pid) === 'D');
    const since = performance.now();
    await stops(stage, master);
    // One of its eight writes alone takes 16 seconds.
    expect(performance.now() - since).toBeLessThan(5000 * factor);
  });

  it('affinity holds, also against the program itself', async ({ stage }) => {
    const script =
      'grep Cpus_allowed_list /proc/self/status; taskset -pc 0-4095 $$ >/dev/null; grep Cpus_allowed_list /proc/self/status; exec sleep 1000';
    const limits = { cpu: { affinity: '0' } };
    const master = run(stage, view, [{ id: 'one', command: ['sh', '-c', script], limits }]);
    await master.until('both lines', () => master.matching(/Cpus_allowed_list/).length === 2);
    for (const line of master.matching(/Cpus_allowed_list/)) expect(line).toMatch(/Cpus_allowed_list:\s+0$/);
    await stops(stage, master);
  });

  it('A6: a child of two new sessions without an environment dies with its worker, not with the master', async ({
    stage,
  }) => {
    const master = run(stage, view, [
      {
        id: 'escapee',
        command: ESCAPEE,
        cwd: stage.folder,
        restart: { delay: '10ms' },
        limits: { memory: '1GiB' },
      },
    ]);
    await master.line(/^escapee +\| up/);
    process.kill(await master.started('escapee'), 'SIGKILL');
    await master.started('escapee', 2);
    await master.until('the second', () => master.matching(/^escapee +\| up/).length === 2);
    expect(stage.leftOvers()).toHaveLength(2);
    expect(master.matching(/belongs to no worker/)).toEqual([]);
    await stops(stage, master);
  });

  it('A9: a stopped worker is killed with its group when its grace is over', async ({ stage }) => {
    const stubborn = creature('ignore', 'TERM', 'print', 'up', 'stop', 'sleep');
    const limits = { process: { max_processes: 10 } };
    const master = run(stage, view, [{ id: 'still', command: stubborn, limits, stop_timeout: '200ms' }]);
    const pid = await master.started('still');
    await master.line(/^still +\| up/);
    await eventually(() => stateOf(pid) === 'T');
    await stops(stage, master);
    expect(master.matching(/^still: did not end within .*; killed with SIGKILL$/)).toHaveLength(1);
  });

  it(
    'two workers of a group share its CPU, and the namespace around it bounds both',
    TIMED,
    async ({ stage }) => {
      const worker = { command: creature('spin'), namespace: 'prod', worker_group: 'web' };
      const master = run(stage, view, {
        namespaces: { prod: { limits: { cpu: '30%' } } },
        groups: { web: { limits: { cpu: '80%', process: { max_processes: 50 } } } },
        workers: [
          { id: 'first', ...worker },
          { id: 'second', ...worker },
        ],
      });
      const pids = [await master.started('first'), await master.started('second')] as const;
      goesFirst(stage, pids[0]);
      const percent = await percentOf(pids, 3000 * factor);
      expect(percent).toBeGreaterThan(26);
      expect(percent).toBeLessThan(34);
      expect(groupOf(stage, pids[0], 'cpu')).toMatch(/\/ns\.prod\/grp\.web\/first$/);
      await stops(stage, master);
    },
  );

  it('two workers of a group share its memory: one of them has to go', async ({ stage }) => {
    const worker = { worker_group: 'web', restart: never };
    const hog = creature('hog', '40', 'sleep');
    // Were both to take theirs at once, the kernel might kill the second before the first is gone.
    const whenFirstHasIt = `until grep -q ok "$0"; do sleep 0.05; done; exec "$@"`;
    const firstSays = stage.path('state', 'logs', 'workers', 'first-stdout.log');
    const master = run(stage, view, {
      groups: { web: { limits: { memory: '64MiB' } } },
      workers: [
        { id: 'first', ...worker, command: hog },
        { id: 'second', ...worker, command: ['sh', '-c', whenFirstHasIt, firstSays, ...hog] },
      ],
    });
    const killed = await master.line(
      /^(first|second): killed by SIGKILL \(out of memory: at a limit that it shares\)/,
    );
    await master.line(killed.startsWith('first') ? /^second +\| hog 40 ok$/ : /^first +\| hog 40 ok$/);
    expect(
      master.matching(/: killed by SIGKILL \(out of memory: at a limit that it shares\) after \S+$/),
    ).toHaveLength(1);
    await stops(stage, master);
  });

  it(
    'a throttled worker runs at its share, then freely again, and ends when asked',
    TIMED,
    async ({ stage }) => {
      const limits = { cpu: { max_percent: '20%', policy: 'throttle' }, throttle_percent: '5%', monitoring };
      const master = run(stage, view, [{ id: 'spin', command: creature('spin'), limits }]);
      const pid = await master.started('spin');
      const quota = () => readCgroup(groupOf(stage, pid, 'cpu') as string, 'cpu.cfs_quota_us');
      await master.line(/^spin: held back to 5% of a core, since it exceeds cpu.max_percent$/);
      expect(quota()).toBe('5000');
      await master.line(/^spin: held back no longer: /);
      await master.next(/^spin: held back to 5% of a core/);
      await stops(stage, master);
      expect(isAlive(pid)).toBe(false);
    },
  );
});

describe.skipIf(why !== null)(`throttling without the cpu controller${suffix}`, () => {
  it('a watched spinner is held back by the freezer and is never left frozen', TIMED, async ({ stage }) => {
    const view = viewWithout('cpu');
    const limits = { cpu: { max_percent: '20%', policy: 'throttle' }, throttle_percent: '5%', monitoring };
    const master = run(stage, view, [{ id: 'spin', command: creature('spin'), limits }]);
    await master.line(/^spin: its limit cpu.max_percent is watched, not enforced: /);
    const pid = await master.started('spin');
    await master.line(/^spin: held back to 5% of a core/);
    const freezer = groupOf(stage, pid, 'freezer') as string;
    await eventually(() => readCgroup(freezer, 'freezer.state') === 'FROZEN');
    expect(stateOf(pid)).toBe('D');
    await stops(stage, master);
    expect(master.matching(/^spin: ended \(SIGTERM\)/)).toHaveLength(1);
  });
});
