import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import type { LimitsSpec, LimitValues } from '@hsu-master/core';
import { creature } from '@hsu-master/testkit';
import { describe, expect } from 'vitest';
import { runsOn } from '../test/adoption.ts';
import { membersOf, readCgroup, writeCgroup } from '../test/cgroups.ts';
import { eventually, factor, it, type Launched, type Stage } from '../test/drive.ts';
import { embed } from '../test/embedded.ts';
import { isAlive, stateOf } from '../test/proc.ts';
import {
  type Controller,
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
const limits = { memory: '256MiB', process: { max_processes: 20 } };
/** Says TWIN and ends if another one like it lives; takes its time to end. */
const ALONE = [
  'sh',
  '-c',
  'exec 9>"$HSU_WORKER.lock"; flock -n 9 || { echo TWIN; exit 1; }; echo alone; trap "sleep 0.3; exit" TERM; while :; do sleep 1000 & wait; done',
];

function launch(stage: Stage, view: View, config: string): Launched {
  return stage.hsu(['run', config, ...stateOption(stage)], { through: view.through });
}

function crowd(size: number): object {
  const ids = Array.from({ length: size }, (_unused, index) => `one-${index}`);
  return {
    namespaces: { prod: { limits: { memory: '4GiB' } } },
    groups: { web: { limits: { process: { max_processes: 5000 } } } },
    workers: ids.map((id) => ({
      id,
      command: ALONE,
      limits,
      ...(id.endsWith('0') ? { namespace: 'prod', worker_group: 'web' } : {}),
    })),
  };
}

/** Of its latest run. */
function pidOf(master: Launched, worker: string): number {
  const line = master.matching(new RegExp(`^${worker}: (started|runs on) \\(pid`)).at(-1);
  return Number(/pid (\d+)/.exec(line ?? '')?.[1]);
}

/** The next master finds what the killed one left, and leaves nothing itself. */
async function recovers(stage: Stage, view: View, config: string, size: number): Promise<void> {
  const next = launch(stage, view, config);
  // Who is still being stopped for the master before ends first, and is then started.
  const isUp = (id: string) => {
    const last = next.matching(new RegExp(`^${id}: (started|runs on|stopping|exit|ended|killed)`)).at(-1);
    return / (started|runs on) \(pid/.test(last ?? '') && isAlive(pidOf(next, id));
  };
  const ids = Array.from({ length: size }, (_unused, index) => `one-${index}`);
  await eventually(() => ids.every(isUp));
  expect(next.matching(/TWIN|internal error/)).toEqual([]);
  const groups = groupsOf(stage).filter((folder) => /\/one-[^/]+$/.test(folder));
  expect(groups.filter((folder) => folder.includes('~'))).toEqual([]);
  for (let index = 0; index < size; index += 1) {
    const own = groups.filter((folder) => folder.endsWith(`/one-${index}`));
    expect(own).not.toEqual([]);
    const pid = pidOf(next, `one-${index}`);
    for (const folder of own) expect(membersOf(folder)).toContain(pid);
  }
  expect(await next.stop()).toEqual({ code: 0, signal: null });
  expect(stage.processes()).toEqual([]);
  expect(groupsOf(stage)).toEqual([]);
}

describe.concurrent.each(why === null ? views() : [])(`groups of cgroup v1, $name${suffix}`, (view) => {
  it('none is left after an ordinary end, whatever the workers did meanwhile', async ({ stage }) => {
    const restart = { delay: '1ms', max_retries: 3, backoff_rate: 1 };
    const master = launch(
      stage,
      view,
      stage.config([
        { id: 'ends', command: 'true', limits },
        { id: 'crashes', command: creature('forks', '3', 'crash', '6'), limits, restart },
        { id: 'missing', command: './nothing', limits },
        { id: 'hog', command: creature('hog', '400', 'sleep'), limits, restart },
        { id: 'below', command: ['sh', '-c', BELOW], limits },
        { id: 'sleeps', command: creature('print', 'up', 'sleep'), limits },
      ]),
    );
    await master.line(/^sleeps +\| up/);
    await master.line(/^below +\| made/);
    for (const id of ['crashes', 'hog']) await master.line(new RegExp(`^${id}: failed too often`));
    await eventually(() => groupsOf(stage).every((folder) => !/(ends|crashes|missing|hog)$/.test(folder)));
    expect((await master.stop()).code).toBe(1);
    expect(stage.processes()).toEqual([]);
    expect(groupsOf(stage)).toEqual([]);
  });

  it('a master that is killed while it starts many leaves nothing that the next one does not end', async ({
    stage,
  }) => {
    const config = stage.config(crowd(30));
    for (const after of [1, 12]) {
      const first = launch(stage, view, config);
      const those = () => first.matching(/^one-\d+: (started|runs on)/);
      await first.until(`${after} of them`, () => those().length >= after);
      await first.stop('SIGKILL');
    }
    await recovers(stage, view, config, 30);
  });

  it('one that is killed when all run, and one that is killed while it stops them', async ({ stage }) => {
    const config = stage.config(crowd(10));
    const first = launch(stage, view, config);
    await first.until('all of them', () => first.matching(/^one-\d+ +\| alone$/).length === 10);
    const pids = stage.leftOvers();
    await first.stop('SIGKILL');
    expect(stage.leftOvers()).toHaveLength(pids.length);
    const second = launch(stage, view, config);
    await second.until('all of them', () => second.matching(/^one-\d+: runs on/).length === 10);
    expect(stage.leftOvers().length).toBe(pids.length);
    expect(second.matching(/TWIN/)).toEqual([]);
    second.signal('SIGTERM');
    await second.line(/^one-\d+: stopping/);
    await second.stop('SIGKILL');
    await recovers(stage, view, config, 10);
  });

  it('groups of workers that are no longer configured are removed, with whoever is in them', async ({
    stage,
  }) => {
    const first = launch(stage, view, stage.config(crowd(3)));
    await first.until('all of them', () => first.matching(/^one-\d+ +\| alone$/).length === 3);
    await first.stop('SIGKILL');
    const next = launch(stage, view, stage.config([{ id: 'new', command: creature('sleep'), limits }]));
    await next.started('new');
    await eventually(() => groupsOf(stage).every((folder) => !/(one-\d+|prod|web)$/.test(folder)));
    expect(stage.leftOvers()).toHaveLength(1);
    expect((await next.stop()).code).toBe(0);
    expect(groupsOf(stage)).toEqual([]);
  });

  it('who was left in a group without any record belongs to the run in it, and ends with it', async ({
    stage,
  }) => {
    const config = stage.config([{ id: 'sleeper', command: creature('print', 'up', 'sleep'), limits }]);
    const first = launch(stage, view, config);
    const group = groupOf(stage, await first.started('sleeper'), 'pids') as string;
    const stray = stage.launch(creature('print', 'up', 'sleep'));
    await stray.line(/^up$/);
    writeCgroup(group, 'cgroup.procs', stray.pid);
    await first.stop('SIGKILL');
    const next = launch(stage, view, config);
    await runsOn(next, 'sleeper');
    expect((await next.stop()).code).toBe(0);
    expect((await stray.end()).signal).not.toBeNull();
    expect(groupsOf(stage)).toEqual([]);
  });

  it('two masters of one file in two state directories do not touch each other', async ({ stage }) => {
    const command = creature('print', 'up', 'sleep');
    const config = stage.config([{ id: 'sleeper', command, limits }]);
    const one = launch(stage, view, config);
    const other = stage.hsu(['run', config, '--state-dir', stage.path('other')], { through: view.through });
    const pids = [await one.started('sleeper'), await other.started('sleeper')] as const;
    await one.stop('SIGKILL');
    const again = launch(stage, view, config);
    const pid = await runsOn(again, 'sleeper');
    expect(pid).toBe(pids[0]);
    expect(isAlive(pids[1])).toBe(true);
    expect((await other.stop()).code).toBe(0);
    expect(isAlive(pid)).toBe(true);
    expect((await again.stop()).code).toBe(0);
    expect(groupsOf(stage)).toEqual([]);
  });
});

/** Makes a group below its own, as a container engine would, and moves there. */
const BELOW = `
group=$(sed -n 's/^[0-9]*:pids://p' /proc/self/cgroup)
mkdir "/sys/fs/cgroup/pids$group/below" && echo 0 >"/sys/fs/cgroup/pids$group/below/cgroup.procs" && echo made
exec sleep 1000`;

describe.skipIf(why !== null).concurrent(`what others do to groups of cgroup v1${suffix}`, () => {
  const [asItIs] = views() as [View];

  it('a worker that was frozen when its master was killed runs under the next one', async ({ stage }) => {
    const view = viewWithout('cpu');
    const throttled = {
      cpu: { max_percent: '5%', policy: 'throttle' },
      throttle_percent: '1%',
      monitoring: { interval: `${200 * factor}ms` },
    };
    const config = stage.config([{ id: 'spin', command: creature('spin'), limits: throttled }]);
    const first = launch(stage, view, config);
    const pid = await first.started('spin');
    await first.line(/^spin: held back to 1% of a core/);
    const freezer = groupOf(stage, pid, 'freezer') as string;
    await eventually(() => readCgroup(freezer, 'freezer.state') === 'FROZEN');
    await first.stop('SIGKILL');
    expect(stateOf(pid)).toBe('D');
    const next = launch(stage, view, config);
    expect(await runsOn(next, 'spin')).toBe(pid);
    await eventually(() => stateOf(pid) === 'R');
    await next.line(/^spin: held back to 1% of a core/);
    expect((await next.stop()).code).toBe(0);
    expect(groupsOf(stage)).toEqual([]);
  });

  it('a worker that leaves its groups is ended with its tree all the same', async ({ stage }) => {
    const flee =
      'for procs in /sys/fs/cgroup/*/cgroup.procs; do echo 0 >"$procs"; done; echo out; exec sleep 1000';
    const restart = { delay: '1ms' };
    const master = launch(
      stage,
      asItIs,
      stage.config([{ id: 'runaway', command: ['sh', '-c', flee], limits, restart }]),
    );
    await master.line(/^runaway +\| out/);
    const pid = await master.started('runaway');
    expect(groupOf(stage, pid, 'pids')).toBeNull();
    process.kill(pid, 'SIGKILL');
    const second = await master.started('runaway', 2);
    expect((await master.stop()).code).toBe(0);
    expect(isAlive(second)).toBe(false);
    expect(stage.processes()).toEqual([]);
    expect(groupsOf(stage)).toEqual([]);
  });

  it('directories that somebody removes between two runs are made again', async ({ stage }) => {
    const master = launch(
      stage,
      asItIs,
      stage.config([
        {
          id: 'briefly',
          command: creature('pause', '100', 'exit', '1'),
          limits,
          restart: { delay: '300ms', backoff_rate: 1 },
        },
        { id: 'sleeper', command: creature('sleep') },
      ]),
    );
    await master.line(/^briefly: next try/);
    await eventually(() => groupsOf(stage).every((folder) => !folder.endsWith('briefly')));
    for (const folder of groupsOf(stage).toReversed()) {
      try {
        rmdirSync(folder);
      } catch {
        // The sleeper lives in it, or below.
      }
    }
    await master.started('briefly', 2);
    expect(master.matching(/cannot be made/)).toEqual([]);
    expect((await master.stop()).code).toBe(0);
    expect(groupsOf(stage)).toEqual([]);
  });

  it('a stranger in a group below a worker’s is taken for one of its tree', async ({ stage }) => {
    const config = stage.config([{ id: 'sleeper', command: creature('sleep'), limits }]);
    const master = launch(stage, asItIs, config);
    const below = join(groupOf(stage, await master.started('sleeper'), 'pids') as string, 'below');
    mkdirSync(below);
    const stranger = stage.launch(creature('print', 'up', 'sleep'));
    await stranger.line(/^up$/);
    writeCgroup(below, 'cgroup.procs', stranger.pid);
    expect((await master.stop()).code).toBe(0);
    expect((await stranger.end()).signal).not.toBeNull();
    expect(groupsOf(stage)).toEqual([]);
  });

  it('limits change while a worker runs: raised, lifted, and set for the first time', async ({ stage }) => {
    const worker = { id: 'live', command: creature('print', 'up', 'sleep'), limits: { memory: '64MiB' } };
    await using app = embed(stage, [worker]);
    await app.master.start();
    const { pid } = (await app.event('worker.started', 'live')).payload.process;
    const file = (controller: Controller, name: string) =>
      readCgroup(groupOf(stage, pid, controller) as string, name);
    expect(file('memory', 'memory.limit_in_bytes')).toBe(String(64 << 20));
    const limits = app.master.config.workers[0]?.limits as LimitsSpec;
    const change = (values: LimitValues) => app.master.setLimits('live', { ...limits, values });
    const more = { 'memory.max_rss': 128 << 20, 'process.max_processes': 7, 'cpu.max_percent': 30 } as const;
    const reports = change({ ...more, 'process.max_file_descriptors': 50 });
    expect(reports.map(({ status }) => status)).toEqual(['enforced', 'enforced', 'enforced', 'enforced']);
    expect([
      file('memory', 'memory.limit_in_bytes'),
      file('pids', 'pids.max'),
      file('cpu', 'cpu.cfs_quota_us'),
    ]).toEqual([String(128 << 20), '7', '30000']);
    expect(readFileSync(`/proc/${pid}/limits`, 'utf8')).toMatch(/^Max open files +50 +50 /m);
    change({ 'process.max_processes': 9 });
    expect([file('pids', 'pids.max'), file('cpu', 'cpu.cfs_quota_us')]).toEqual(['9', '-1']);
    expect(Number(file('memory', 'memory.limit_in_bytes'))).toBeGreaterThan(2 ** 60);
    expect((await app.master.stopWorker('live')).kind).toBe('done');
    // Of one that rests they hold from its next start.
    change({ 'process.max_processes': 11 });
    await app.master.startWorker('live');
    const again = (await app.event('worker.started', 'live', 2)).payload.process.pid;
    expect(readCgroup(groupOf(stage, again, 'pids') as string, 'pids.max')).toBe('11');
  });

  it('without the right to write there, limits are watched and everything else works', async ({
    stage,
    skip,
  }) => {
    const arguments_ = ['--mount', '--', '/bin/sh', '-c', READ_ONLY, 'read-only', '--'];
    if (spawnSync('unshare', [...arguments_, 'true']).status !== 0)
      skip('cgroups cannot be mounted read-only');
    const master = launch(
      stage,
      { name: 'read-only', through: ['unshare', ...arguments_] },
      stage.config([
        { id: 'sleeper', command: creature('print', 'up', 'sleep'), limits, restart: { delay: 0 } },
      ]),
    );
    await master.line(/^sleeper: its limit memory.max_rss is watched, not enforced: .*EROFS/);
    await master.line(/^sleeper +\| up/);
    process.kill(await master.started('sleeper'), 'SIGKILL');
    await master.started('sleeper', 2);
    expect(master.matching(/watched, not enforced/)).toHaveLength(2);
    expect((await master.stop()).code).toBe(0);
    expect(groupsOf(stage)).toEqual([]);
  });
});

const READ_ONLY = `
for folder in $(sed -n 's/^[^ ]* [^ ]* [^ ]* [^ ]* \\([^ ]*\\) .* - cgroup2\\? .*/\\1/p' /proc/self/mountinfo); do
  mount -o remount,bind,ro "$folder" || exit 119
done
shift
exec "$@"`;
