import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { living, native, Place, windows } from './launcher.ts';

const mark = (place: Place) => place.folder.split('\\').at(-1) ?? '';

/** A worker that numbers its lines, has a child, and ends by Ctrl-C. */
function ticking(place: Place, id: string): string {
  const child = `setInterval(() => {}, 1000) // ${mark(place)}`;
  const code = [
    `process.on('SIGINT', () => { console.log('asked'); process.exit(0) })`,
    `require('child_process').spawn(process.execPath, ['-e', ${JSON.stringify(child)}], { stdio: 'ignore', windowsHide: true })`,
    `let i = 0; setInterval(() => console.log('tick ' + i++), 50) // ${mark(place)}`,
  ].join(';');
  return [
    `  - id: ${id}`,
    '    type: managed',
    '    unit:',
    '      managed:',
    '        control:',
    '          execution:',
    `            executable_path: ${JSON.stringify(process.execPath)}`,
    `            args: ['-e', ${JSON.stringify(code)}]`,
  ].join('\n');
}

const config = (place: Place, ...workers: readonly string[]) =>
  place.config(`master: {}\nworkers:\n${workers.join('\n')}\n`);

function logOf(place: Place, id: string): readonly string[] {
  const folder = place.path('home', 'logs');
  const file = readdirSync(folder, { recursive: true, encoding: 'utf8' }).find((name) =>
    name.endsWith(`${id}-stdout.log`),
  );
  return file === undefined ? [] : readFileSync(join(folder, file), 'utf8').split('\n').filter(Boolean);
}

const ticksOf = (place: Place, id: string) => logOf(place, id).filter((line) => line.startsWith('tick'));

function pidIn(text: string): number {
  return Number(/master (\d+)/.exec(text)?.[1]);
}

describe('the launcher', () => {
  test('run: shows the lines of the workers; ls, stop and down work; nothing is left; M6: no window ever', async () => {
    const place = new Place();
    const file = config(place, ticking(place, 'one'), ticking(place, 'two'));
    const master = place.start(['run', file]);
    await master.says(/one .*tick 3/);
    await master.says(/two .*tick 3/);
    const alive = living(mark(place));
    // Two workers and a child of each, and the master.
    expect(alive.length).toBe(5);
    expect(windows.system.visibleWindows(alive)).toBe(0);
    expect((await place.run('ls', '-f', file)).out).toMatch(/one\s.*running/);
    expect(await place.run('stop', 'one', '-f', file)).toMatchObject({ code: 0 });
    expect(logOf(place, 'one').at(-1)).toBe('asked');
    expect(windows.system.visibleWindows(living(mark(place)))).toBe(0);
    expect(await place.run('down', '-f', file)).toMatchObject({ code: 0 });
    expect(await master.ended).toMatchObject({ code: 0 });
    expect(living(mark(place))).toEqual([]);
  });

  test('up, and a master that is killed: workers live on, the next one adopts them, no line is lost; down leaves nothing', async () => {
    const place = new Place();
    const file = config(place, ticking(place, 'one'));
    const first = await place.run('up', '-f', file);
    expect(first).toMatchObject({ code: 0 });
    const pid = pidIn(first.out);
    onTestFinished(async () => void (await place.run('down', '-f', file)));
    const other = await place.run('run', file);
    expect(other.out).toMatch(/another master/);
    expect(other.code).toBe(7);
    await expect.poll(() => ticksOf(place, 'one').length).toBeGreaterThan(10);
    const workers = living(mark(place)).filter((one) => one !== pid);
    expect(workers.length).toBe(2);
    process.kill(pid, 'SIGKILL');
    await expect.poll(() => living(mark(place)).includes(pid)).toBe(false);
    expect(living(mark(place))).toEqual(workers);
    const second = await place.run('up', '-f', file);
    expect(second).toMatchObject({ code: 0 });
    const adopted = living(mark(place)).filter((one) => one !== pidIn(second.out));
    expect(adopted).toEqual(workers);
    const before = ticksOf(place, 'one').length;
    await expect.poll(() => ticksOf(place, 'one').length).toBeGreaterThan(before + 10);
    expect(await place.run('down', '-f', file)).toMatchObject({ code: 0 });
    expect(living(mark(place))).toEqual([]);
    // What a kill can take is one batch; here nothing was on its way but single lines.
    const ticks = ticksOf(place, 'one');
    const missing = Number(/\d+/.exec(ticks.at(-1) ?? '')?.[0]) + 1 - ticks.length;
    expect(missing).toBeLessThanOrEqual(2);
  });
});

describe('the end of the console', () => {
  test('H8: Ctrl-C ends the workers in order, and nothing is left', async () => {
    const place = new Place();
    const file = config(place, ticking(place, 'one'));
    const master = place.start(['run', file]);
    await master.says(/one .*tick 3/);
    const pid = master.child.pid ?? 0;
    const startTime = native.identify(pid)?.startTime ?? '';
    const relay = windows.relay ?? '';
    spawnSync(relay, ['0', `${pid}:${startTime}`], { windowsHide: true });
    expect(await master.ended).toMatchObject({ code: 0 });
    expect(logOf(place, 'one').at(-1)).toBe('asked');
    expect(living(mark(place))).toEqual([]);
  });
});

describe('service', () => {
  test('install --dry-run shows what would be done', async () => {
    const place = new Place();
    const file = config(place, ticking(place, 'one'));
    const shown = await place.run('service', 'install', file, '--dry-run');
    expect(shown.code).toBe(0);
    expect(shown.out).toMatch(/ImagePath .*node\.exe.* run .*config\.yaml.* --background/);
    expect(shown.out).toMatch(/would make the service hsu-master-/);
  });

  test.skipIf(!windows.system.mayInstallServices())(
    'install starts the master under the service control manager; uninstall stops it in order',
    async () => {
      const place = new Place();
      const file = config(place, ticking(place, 'one'));
      // Wine gives a service no variables of its own.
      const where = ['--state-dir', place.path('state'), '--log-dir', place.path('home', 'logs')];
      const installed = await place.run('service', 'install', file, ...where);
      onTestFinished(async () => void (await place.run('service', 'uninstall', file)));
      const name = /hsu-master-[\w-]+-[\da-f]{8}/.exec(installed.out)?.[0] ?? '';
      // Wine waits for the first word of a service for a few seconds only, however busy the machine is.
      if (!installed.out.includes('W1053')) expect(installed).toMatchObject({ code: 0 });
      const isRunning = (): boolean => {
        const found = windows.system.queryService(name);
        if (found === null || typeof found === 'string') return false;
        if (found.state === 'stopped') windows.system.startService(name);
        return found.state === 'running';
      };
      await expect.poll(isRunning, { interval: 500 }).toBe(true);
      await expect.poll(() => ticksOf(place, 'one').length).toBeGreaterThan(3);
      expect((await place.run('service', 'status', file)).out).toMatch(/state +active/);
      expect(await place.run('service', 'uninstall', file)).toMatchObject({ code: 0 });
      // Its last word to the manager comes before its own end.
      await expect.poll(() => living(mark(place))).toEqual([]);
      expect(logOf(place, 'one').at(-1)).toBe('asked');
      expect((await place.run('service', 'status', file)).out).toMatch(/state +not installed/);
    },
  );
});
