import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { creature, zoo } from '@hsu-master/testkit';
import { describe, expect } from 'vitest';
import { instanceOf } from '../src/places.ts';
import { runsOn } from './adoption.ts';
import { it, type LaunchOptions, type Stage } from './drive.ts';
import { NOBODY, unsuitableForNobody } from './ordinary.ts';
import { isAlive } from './proc.ts';
import { ofWindows, onWindows } from './windows.ts';

const asRoot = process.getuid?.() === 0;

/** Says TWIN and ends if another one like it lives: on Linux. */
const ALONE = onWindows
  ? creature('print', 'alone', 'sleep')
  : ['sh', '-c', 'exec 9>lock; flock -n 9 || { echo TWIN; exit 1; }; echo alone; exec sleep 1000'];

/** A line of the run records. */
function signed(body: string): string {
  return body === '' ? '' : `${crc32(body).toString(16).padStart(8, '0')} ${body}\n`;
}

describe.concurrent('a master that was killed', () => {
  it('the next one goes on with what is left and starts no worker twice, each of three times', async ({
    stage,
  }) => {
    const config = stage.config([
      { id: 'alone', command: ALONE },
      { id: 'deaf', command: zoo.ignoresSigterm().argv, stop_timeout: '100ms' },
    ]);
    let pid = 0;
    for (let life = 1; life <= 3; life += 1) {
      const master = stage.hsu(['run', config]);
      if (life === 1) {
        await master.line(/^alone +\| alone/);
        await master.line(/^deaf +\| up/);
        pid = await master.started('alone');
      } else {
        expect(await runsOn(master, 'alone')).toBe(pid);
        await runsOn(master, 'deaf');
      }
      expect(master.matching(/TWIN|internal error/)).toEqual([]);
      expect(stage.leftOvers()).toHaveLength(2);
      if (life < 3) {
        await master.stop('SIGKILL');
        expect(isAlive(pid)).toBe(true);
      } else {
        expect((await master.stop()).code).toBe(0);
      }
    }
    expect(stage.processes()).toEqual([]);
  });

  it('left-overs of a worker that is no longer configured are ended, too', async ({ stage }) => {
    const sleeper = { command: zoo.sleeps().argv };
    const first = stage.run([{ id: 'old', ...sleeper }]);
    const pid = await first.started('old');
    await first.stop('SIGKILL');
    const second = stage.run([{ id: 'new', ...sleeper }]);
    await second.line(/^old: ended pid \d+, which an earlier master had left running$/);
    expect(isAlive(pid)).toBe(false);
    expect((await second.stop()).code).toBe(0);
    expect(stage.processes()).toEqual([]);
  });

  it('a child in a session of its own is found again', async ({ stage }) => {
    const config = stage.config([
      { id: 'escapee', command: zoo.sessionEscapee().argv, stop_timeout: '100ms' },
    ]);
    const first = stage.hsu(['run', config]);
    await first.line(/^escapee +\| up/);
    await first.stop('SIGKILL');
    expect(stage.processes()).toHaveLength(2);
    const second = stage.hsu(['run', config]);
    await runsOn(second, 'escapee');
    expect(stage.leftOvers()).toHaveLength(2);
    expect((await second.stop()).code).toBe(0);
    expect(stage.processes()).toEqual([]);
  });

  it('what has ended meanwhile is not said to be ended', async ({ stage }) => {
    const config = stage.config([{ id: 'sleeper', command: zoo.sleeps().argv }]);
    const first = stage.hsu(['run', config]);
    const pid = await first.started('sleeper');
    await first.stop('SIGKILL');
    process.kill(pid, 'SIGKILL');
    const second = stage.hsu(['run', config]);
    await second.started('sleeper');
    expect(second.matching(/: ended pid/)).toEqual([]);
    expect((await second.stop()).code).toBe(0);
  });

  it('A1: a stranger that has the pid of an old record is left alone', async ({ stage }) => {
    const config = stage.config([{ id: 'sleeper', command: zoo.sleeps().argv }]);
    const flags = ['--state-dir', stage.path('state')];
    const first = stage.hsu(['run', config, ...flags]);
    const pid = await first.started('sleeper');
    await first.stop('SIGKILL');
    process.kill(pid, 'SIGKILL');
    const stranger = stage.launch(['sleep', '1000']);
    const records = stage.path('state', 'run', 'runs.log');
    const text = readFileSync(records, 'utf8');
    writeFileSync(
      records,
      text
        .split('\n')
        .map((line) => signed(line.slice(9).replace(`:${pid},`, `:${stranger.pid},`)))
        .join(''),
    );
    const second = stage.hsu(['run', config, ...flags]);
    await second.started('sleeper');
    expect(second.matching(/: ended pid/)).toEqual([]);
    expect((await second.stop()).code).toBe(0);
    expect(isAlive(stranger.pid)).toBe(true);
  });

  it('damaged records are passed over', async ({ stage }) => {
    const flags = ['--state-dir', stage.path('state')];
    const config = stage.config([{ id: 'sleeper', command: zoo.sleeps().argv }]);
    for (const garbage of ['', 'garbage\n', '{}\n', '\0\0\0\0', '00000000 {"form":1}\n']) {
      const first = stage.hsu(['run', config, ...flags]);
      await first.started('sleeper');
      expect((await first.stop()).code).toBe(0);
      writeFileSync(stage.path('state', 'run', 'runs.log'), garbage);
    }
    const last = stage.hsu(['run', config, ...flags]);
    await last.started('sleeper');
    expect((await last.stop()).code).toBe(0);
    expect(last.stderr).toBe('');
  });

  it('H3: without groups, what runs and whose records were deleted is ended before it is started again; others live on', async ({
    stage,
  }) => {
    const flags = ['--state-dir', stage.path('state'), '--containment', 'off'];
    const asOther = ['--state-dir', stage.path('other'), '--containment', 'off'];
    const other = stage.run([{ id: 'alone', command: 'sleep 1000' }], asOther);
    const stranger = await other.started('alone');
    await expectOneAfterLoss(stage, flags);
    expect(isAlive(stranger)).toBe(true);
    expect((await other.stop()).code).toBe(0);
  });

  it('H3: who bears the mark of a master that it is an ancestor of is not ended', async ({ stage, skip }) => {
    skip(...ofWindows('its ancestor is a shell'));
    const state = stage.path('state');
    const flags = ['--state-dir', state, '--containment', 'off'];
    const mark = `${instanceOf(state)}/0badcafe.shell.1`;
    const config = stage.config([{ id: 'job', command: zoo.sleeps().argv }]);
    const shell = stage.launch(
      ['sh', '-c', 'sleep 1000 & "$@" & wait $!', 'sh', process.execPath, stage.bin, 'run', config, ...flags],
      { env: { HSU_RUN: mark } },
    );
    await shell.line(/^job: started/);
    expect(shell.matching(/: ended pid/)).toEqual([]);
    expect(isAlive(shell.pid)).toBe(true);
  });

  it('a state directory that cannot be used is named, with exit code 1', async ({ stage }) => {
    const file = stage.write('file', '');
    const master = stage.run([{ id: 'job', command: 'true' }], ['--state-dir', `${file}/state`]);
    expect((await master.end()).code).toBe(1);
    expect(master.stderr).toContain(`cannot use the state directory ${file}/state`);
    expect(master.stderr.trim().split('\n')).toHaveLength(1);
  });

  it('H3: state files that are garbage are set aside and told, and what the operator stopped in this boot stays so; those of a newer version are refused', async ({
    stage,
  }) => {
    const config = stage.config(['web', 'rests'].map((id) => ({ id, command: zoo.sleeps().argv })));
    const flags = ['--state-dir', stage.path('state')];
    const first = stage.hsu(['run', config, ...flags]);
    const web = await first.started('web');
    await first.started('rests');
    expect((await stage.hsu(['stop', 'rests', ...flags]).end()).code).toBe(0);
    await first.stop('SIGKILL');
    for (const name of ['desired', 'run-numbers', 'logs']) stage.write(`state/${name}.json`, 'garbage');
    const second = stage.hsu(['run', config, ...flags]);
    expect(await runsOn(second, 'web')).toBe(web);
    for (const name of ['desired', 'run-numbers'])
      expect(second.matching(new RegExp(`not believed: it is damaged.*${name}\\.json`))).toHaveLength(1);
    expect(readFileSync(stage.path('state', 'desired.json.refused'), 'utf8')).toBe('garbage');
    expect((await second.stop()).code).toBe(0);
    expect(second.matching(/^rests: started/)).toEqual([]);
    stage.write('state/desired.json', '{"form":9,"stopped":[]}');
    const third = stage.hsu(['run', config, ...flags]);
    expect((await third.end()).code).toBe(1);
    expect(third.stderr).toMatch(/desired\.json was written by a newer version/);
    expect(third.stderr.trim().split('\n')).toHaveLength(1);
  });
});

/** Kills a master, deletes its run records, and starts the next: of each worker one process lives at any time. */
async function expectOneAfterLoss(
  stage: Stage,
  flags: readonly string[],
  options: LaunchOptions = {},
): Promise<void> {
  const config = stage.config([{ id: 'alone', command: ALONE, cwd: stage.home }]);
  const first = stage.hsu(['run', config, ...flags], options);
  await first.line(/^alone +\| alone/);
  const pid = await first.started('alone');
  await first.stop('SIGKILL');
  rmSync(stage.path('state', 'run', 'runs.log'));
  const second = stage.hsu(['run', config, ...flags], options);
  await second.line(new RegExp(`^alone: ended pid ${pid}, which an earlier master had left running$`));
  await second.line(/^alone +\| alone/);
  expect(isAlive(pid)).toBe(false);
  expect(second.matching(/TWIN|internal error/)).toEqual([]);
  expect((await second.stop()).code).toBe(0);
}

const BECOME_ROOT = `
#include <stdio.h>
#include <unistd.h>
int main(int argc, char **argv) {
  if (setgid(0) != 0 || setuid(0) != 0) return 1;
  if (argc > 1) return 0;
  puts("root");
  fflush(stdout);
  for (;;) pause();
  (void)argv;
}
`;

/** Makes a program that nobody may start and not kill; says why it does not work here. */
function untouchable(stage: Stage): string | null {
  const file = stage.path('untouchable');
  execFileSync('cc', ['-o', file, stage.write('untouchable.c', BECOME_ROOT)]);
  chmodSync(file, 0o4755);
  const { status } = spawnSync(file, ['try'], { uid: NOBODY, gid: NOBODY });
  return status === 0 ? null : `${stage.folder} is mounted without set-user-id programs`;
}

describe.skipIf(!asRoot).concurrent('as an ordinary user', () => {
  const options = { uid: NOBODY, gid: NOBODY };

  it('starts, restarts and ends workers; files go to the home directory', async ({ stage, skip }) => {
    const unsuitable = unsuitableForNobody(stage);
    if (unsuitable !== null) skip(unsuitable);
    const workers = [
      { id: 'sleeper', command: ['sh', '-c', 'id -u; exec sleep 1000'], restart: { delay: '10ms' } },
    ];
    const master = stage.run(workers, [], { ...options, env: { HSU_HOME: undefined } });
    await master.line(/^sleeper +\| 65534$/);
    await master.line(new RegExp(`^logs are in ${stage.home}/.local/state/hsu-master/logs/`));
    process.kill(await master.started('sleeper'), 'SIGKILL');
    await master.started('sleeper', 2);
    expect((await master.stop()).code).toBe(0);
    expect(stage.processes()).toEqual([]);
  });

  it('ends trees with escapees, also those that a killed master has left', async ({ stage, skip }) => {
    const unsuitable = unsuitableForNobody(stage);
    if (unsuitable !== null) skip(unsuitable);
    const workers = [{ id: 'escapee', command: zoo.sessionEscapee().argv, stop_timeout: '100ms' }];
    const first = stage.run(workers, [], options);
    await first.line(/^escapee +\| up/);
    await first.stop('SIGKILL');
    const second = stage.run(workers, [], options);
    await runsOn(second, 'escapee');
    expect(stage.leftOvers()).toHaveLength(2);
    expect((await second.stop()).code).toBe(0);
    expect(stage.processes()).toEqual([]);
  });

  it('H3: what runs and whose records were deleted is ended before it is started again', async ({
    stage,
    skip,
  }) => {
    const unsuitable = unsuitableForNobody(stage);
    if (unsuitable !== null) skip(unsuitable);
    mkdirSync(stage.path('state'));
    chownSync(stage.path('state'), NOBODY, NOBODY);
    await expectOneAfterLoss(stage, ['--state-dir', stage.path('state')], options);
  });

  it('B7: another user is refused, and nothing of it is started', async ({ stage, skip }) => {
    const unsuitable = unsuitableForNobody(stage);
    if (unsuitable !== null) skip(unsuitable);
    const workers = [
      { id: 'root', command: ['touch', stage.path('home', 'half')], user: 'root' },
      { id: 'self', command: 'true', user: 'nobody' },
    ];
    const master = stage.run(workers, [], options);
    expect((await master.end()).code).toBe(1);
    expect(master.stdout).toMatch(/^root: cannot start "touch": .*root/m);
    expect(master.stdout).toContain('self: completed');
    expect(() => chmodSync(stage.path('home', 'half'), 0o644)).toThrow('ENOENT');
  });

  it('1: what it may not kill is named, and the exit code tells', async ({ stage, skip }) => {
    const unsuitable = unsuitableForNobody(stage) ?? untouchable(stage);
    if (unsuitable !== null) skip(unsuitable);
    const worker = { id: 'untouchable', command: './untouchable', stop_timeout: '100ms' };
    const master = stage.run([worker], [], options);
    await master.line(/^untouchable +\| root/);
    const pid = await master.started('untouchable');
    expect((await master.stop()).code).toBe(1);
    expect(master.stdout).toContain(`1 process could not be ended (pid ${pid})`);
    expect(isAlive(pid)).toBe(true);
  });

  it('1: who runs on and may not be killed keeps nobody else from ending', async ({ stage, skip }) => {
    const unsuitable = unsuitableForNobody(stage) ?? untouchable(stage);
    if (unsuitable !== null) skip(unsuitable);
    const sleeper = { id: 'sleeper', command: zoo.sleeps().argv };
    const worker = { id: 'untouchable', command: './untouchable', stop_timeout: '100ms' };
    const first = stage.run([worker, sleeper], [], options);
    await first.line(/^untouchable +\| root/);
    const pid = await first.started('untouchable');
    await first.stop('SIGKILL');
    const second = stage.run([worker, sleeper], [], options);
    await runsOn(second, 'sleeper');
    expect((await second.stop()).code).toBe(1);
    expect(second.stdout).toContain(`1 process could not be ended (pid ${pid})`);
    expect(second.matching(/^untouchable: started/)).toEqual([]);
  });
});
