import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { afterEach, describe, expect } from 'vitest';
import { cgroupOf, readCgroup } from '../../test/cgroups.ts';
import { eventually, it, type Stage } from '../../test/drive.ts';
import { isAlive } from '../../test/proc.ts';
import { giveStage, userSession } from '../guest.ts';

const WORKERS = [
  { id: 'one', command: 'sleep 10001', limits: { memory: '64MiB' } },
  { id: 'two', command: 'sleep 10002' },
];
const ask = (...words: readonly string[]) => execFileSync('systemctl', words, { encoding: 'utf8' }).trim();
const property = (unit: string, name: string) => ask('show', '--value', `--property=${name}`, unit);
const messages = (unit: string) =>
  execFileSync('journalctl', ['--no-pager', '-o', 'cat', '-t', unit.replace(/\.service$/, '')], {
    encoding: 'utf8',
  });
const idOf = (command: string): number => {
  const found = spawnSync('pgrep', ['-fx', command], { encoding: 'utf8' }).stdout.trim();
  return found === '' ? 0 : Number(found);
};

async function command(stage: Stage, words: readonly string[], options?: Parameters<Stage['hsu']>[1]) {
  const run = stage.hsu(['service', ...words], options);
  const { code } = await run.end();
  return { code, stdout: run.stdout, stderr: run.stderr };
}

describe('hsu-master service under systemd', () => {
  afterEach(() => {
    expect([idOf('sleep 10001'), idOf('sleep 10002')]).toEqual([0, 0]);
  });

  it('runs a configuration from a path that needs quoting, through a kill -9 of the master, to its removal', async ({
    stage,
  }) => {
    const file = stage.config(WORKERS, 'a 100% $odd "name".yaml');
    expect(await command(stage, ['status', file])).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('not installed'),
    });
    const rehearsed = await command(stage, ['install', file, '--dry-run']);
    const unit = /^\/etc\/systemd\/system\/(hsu-master-\S+\.service):$/m.exec(rehearsed.stdout)?.[1] ?? '';
    expect(existsSync(`/etc/systemd/system/${unit}`), rehearsed.stdout).toBe(false);

    const installed = await command(stage, ['install', file]);
    expect(installed, installed.stderr).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`${unit}: installed\n`),
    });
    expect(spawnSync('systemd-analyze', ['verify', unit], { encoding: 'utf8' }).stderr).not.toMatch(unit);
    const shown = await command(stage, ['status', file, '-o', 'json']);
    expect(JSON.parse(shown.stdout)).toMatchObject({
      service: unit,
      state: 'active',
      boot: 'enabled',
      says: '2 workers',
    });
    const master = Number(property(unit, 'MainPID'));
    await eventually(() => idOf('sleep 10001') > 0 && idOf('sleep 10002') > 0);
    const workers = [idOf('sleep 10001'), idOf('sleep 10002')];
    const group = cgroupOf(workers[0] ?? 0);
    expect(group).toMatch(/\/hsu-master-[^/]+\.scope\//);
    expect(readCgroup(group, 'memory.max')).toBe(String(64 << 20));

    process.kill(master, 'SIGKILL');
    await eventually(() => {
      const next = Number(property(unit, 'MainPID'));
      return next !== 0 && next !== master && property(unit, 'ActiveState') === 'active';
    });
    expect([idOf('sleep 10001'), idOf('sleep 10002')]).toEqual(workers);
    expect(cgroupOf(workers[0] ?? 0)).toBe(group);
    await eventually(() => /one: runs on/.test(messages(unit)));

    const removed = await command(stage, ['uninstall', file]);
    expect(removed, removed.stderr).toMatchObject({ code: 0, stdout: `${unit}: uninstalled\n` });
    expect(workers.filter(isAlive)).toEqual([]);
    expect(existsSync(`/etc/systemd/system/${unit}`)).toBe(false);
    expect((await command(stage, ['uninstall', file])).code).toBe(1);
  });

  it('is a user’s own, too, who is told how it starts with the machine', async ({ stage }) => {
    giveStage(stage);
    const given = userSession();
    // Where that user’s manager looks.
    const session = { ...given, env: { ...given.env, HOME: '/home/ordinary' } };
    const file = stage.config(WORKERS);
    const refused = await command(stage, ['install', file], session);
    expect(refused).toMatchObject({ code: 6, stderr: expect.stringContaining('--user') });
    const installed = await command(stage, ['install', file, '--user'], session);
    expect(installed, installed.stderr).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('loginctl enable-linger'),
    });
    await eventually(() => idOf('sleep 10001') > 0 && idOf('sleep 10002') > 0);
    const removed = await command(stage, ['uninstall', file, '--user'], session);
    expect(removed, removed.stderr).toMatchObject({ code: 0 });
  });
});
