import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished } from 'vitest';
import { command } from '../test/background.ts';
import { eventually, it, PATIENCE, type Stage } from '../test/drive.ts';
import { addonOfWindows } from '../test/windows.ts';

const { windows } = addonOfWindows();

/** A worker that numbers its lines, has a child, and ends by Ctrl-C. */
function ticking(id: string): object {
  const code = [
    `process.on('SIGINT', () => { console.log('asked'); process.exit(0) })`,
    `require('child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore', windowsHide: true })`,
    `let i = 0; setInterval(() => console.log('tick ' + i++), 50)`,
  ].join(';');
  return { id, command: [process.execPath, '-e', code] };
}

function logOf(stage: Stage, id: string): readonly string[] {
  const folder = join(stage.home, 'logs');
  const file = readdirSync(folder, { recursive: true, encoding: 'utf8' }).find((name) =>
    name.endsWith(`${id}-stdout.log`),
  );
  return file === undefined ? [] : readFileSync(join(folder, file), 'utf8').split('\n').filter(Boolean);
}

const ticksOf = (stage: Stage, id: string) => logOf(stage, id).filter((line) => line.startsWith('tick'));
const pidsOf = (stage: Stage) => stage.processes().map(({ pid }) => pid);

function pidIn(text: string): number {
  return Number(/master (\d+)/.exec(text)?.[1]);
}

describe('the launcher', () => {
  it('M6: run, ls, stop and down: lines are shown, nothing is left, and there is no window ever', async ({
    stage,
  }) => {
    const master = stage.run([ticking('one'), ticking('two')]);
    await master.line(/one .*tick 3/);
    await master.line(/two .*tick 3/);
    // Two workers and a child of each, and the master.
    await expect.poll(() => stage.processes()).toHaveLength(5);
    expect(windows.system.visibleWindows(pidsOf(stage))).toBe(0);
    const file = stage.path('config.yaml');
    expect((await command(stage, ['ls', '-f', file])).stdout).toMatch(/one\s.*running/);
    expect(await command(stage, ['stop', 'one', '-f', file])).toMatchObject({ code: 0 });
    expect(logOf(stage, 'one').at(-1)).toBe('asked');
    expect(windows.system.visibleWindows(pidsOf(stage))).toBe(0);
    expect(await command(stage, ['down', '-f', file])).toMatchObject({ code: 0 });
    expect(await master.end()).toMatchObject({ code: 0 });
    expect(stage.processes()).toEqual([]);
  });

  it(
    'H1: up, and a master that is killed: workers live on, the next one adopts them; down leaves nothing',
    async ({ stage }) => {
      const file = stage.config([ticking('one')]);
      const first = await command(stage, ['up', '-f', file]);
      expect(first).toMatchObject({ code: 0 });
      const pid = pidIn(first.stdout);
      const other = await command(stage, ['run', file]);
      expect(other.stderr).toMatch(/another master/);
      expect(other.code).toBe(7);
      await eventually(() => ticksOf(stage, 'one').length > 10);
      const workers = pidsOf(stage).filter((one) => one !== pid);
      expect(workers.length).toBe(2);
      process.kill(pid, 'SIGKILL');
      await eventually(() => !pidsOf(stage).includes(pid));
      expect(pidsOf(stage)).toEqual(workers);
      const second = await command(stage, ['up', '-f', file]);
      expect(second).toMatchObject({ code: 0 });
      expect(pidsOf(stage).filter((one) => one !== pidIn(second.stdout))).toEqual(workers);
      const before = ticksOf(stage, 'one').length;
      await eventually(() => ticksOf(stage, 'one').length > before + 10);
      expect(await command(stage, ['down', '-f', file])).toMatchObject({ code: 0 });
      expect(stage.processes()).toEqual([]);
      // What a kill can take is one batch; here nothing was on its way but single lines.
      const ticks = ticksOf(stage, 'one');
      const missing = Number(/\d+/.exec(ticks.at(-1) ?? '')?.[0]) + 1 - ticks.length;
      expect(missing).toBeLessThanOrEqual(2);
    },
    PATIENCE * 4,
  );

  it('H7: a program cannot follow another in one process, and upgrade says what to do', async ({ stage }) => {
    const upgrade = await command(stage, ['upgrade', stage.config([ticking('one')])]);
    expect(upgrade.code).toBe(1);
    expect(upgrade.stderr).toMatch(/Windows puts no other program into a process: .*the workers run on/);
  });

  it('I10: a working directory that is too long for Windows is refused by its length', async ({ stage }) => {
    const long = stage.path('x'.repeat(120), 'y'.repeat(120));
    const master = stage.run([{ id: 'deep', command: 'true', cwd: long }]);
    expect(await master.line(/^deep: cannot start/)).toMatch(/has \d{3} characters, and Windows takes 258/);
    expect((await master.end()).code).toBe(1);
  });
});

describe('the end of the console', () => {
  it('H8: Ctrl-C ends the workers in order, and nothing is left', async ({ stage }) => {
    const master = stage.run([ticking('one')]);
    await master.line(/one .*tick 3/);
    expect(await master.stop('SIGINT')).toMatchObject({ code: 0 });
    expect(logOf(stage, 'one').at(-1)).toBe('asked');
    expect(stage.processes()).toEqual([]);
  });
});

describe('service', () => {
  it('H8: install --dry-run shows what would be done', async ({ stage }) => {
    const file = stage.config([ticking('one')]);
    const shown = await command(stage, ['service', 'install', file, '--dry-run']);
    expect(shown.code).toBe(0);
    const said = shown.stdout + shown.stderr;
    expect(said).toMatch(/ImagePath .*node\.exe.* run .*config\.yaml.* --background/);
    expect(said).toMatch(/would make the service hsu-master-/);
  });

  it(
    'H8: install starts the master under the service control manager; uninstall stops it in order',
    async ({ stage, skip }) => {
      skip(!windows.system.mayInstallServices(), 'only an administrator may');
      const file = stage.config([ticking('one')]);
      // Wine gives a service no variables of its own.
      const where = ['--state-dir', stage.path('state'), '--log-dir', join(stage.home, 'logs')];
      const installed = await command(stage, ['service', 'install', file, ...where]);
      onTestFinished(async () => void (await command(stage, ['service', 'uninstall', file])));
      const said = installed.stdout + installed.stderr;
      const name = /hsu-master-[\w-]+-[\da-f]{8}/.exec(said)?.[0] ?? '';
      // Wine waits for the first word of a service for a few seconds only, however busy the machine is.
      if (!said.includes('W1053')) expect(installed).toMatchObject({ code: 0 });
      const isRunning = (): boolean => {
        const found = windows.system.queryService(name);
        if (found === null || typeof found === 'string') return false;
        if (found.state === 'stopped') windows.system.startService(name);
        return found.state === 'running';
      };
      await expect.poll(isRunning, { interval: 500 }).toBe(true);
      await eventually(() => ticksOf(stage, 'one').length > 3);
      expect((await command(stage, ['service', 'status', file])).stdout).toMatch(/state +active/);
      expect(await command(stage, ['service', 'uninstall', file])).toMatchObject({ code: 0 });
      // Its last word to the manager comes before its own end.
      await eventually(() => stage.processes().length === 0);
      expect(logOf(stage, 'one').at(-1)).toBe('asked');
      expect((await command(stage, ['service', 'status', file])).stdout).toMatch(/state +not installed/);
    },
    PATIENCE * 4,
  );
});
