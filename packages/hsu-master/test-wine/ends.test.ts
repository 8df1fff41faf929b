import { spawn, spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { living, native, Place, windows } from './launcher.ts';

/** native/windows/test/ends.c */
const ends = `${process.env['HSU_ZOO']}\\ends.exe`;
const creature = `${process.env['HSU_ZOO']}\\creature.exe`;
const mark = (place: Place) => place.folder.split('\\').at(-1) ?? '';

/** Asks the system for what ends a session, as far as Wine can; resolves with what it says when it is done. */
function bring(...words: readonly string[]): Promise<string> {
  const child = spawn(ends, words, { windowsHide: true, stdio: ['ignore', 'pipe', 'ignore'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  onTestFinished(() => void child.kill());
  return new Promise((resolve) => child.once('close', () => resolve(text.trim())));
}

/** Marks its place, says when it is asked, and ends then. */
const worker = (place: Place) =>
  `process.on('SIGINT', () => { console.log('asked'); process.exit(0) }); console.log('up'); setInterval(() => {}, 1000) // ${mark(place)}`;

interface Written extends Readonly<Record<string, unknown>> {
  readonly id: string;
  readonly command: readonly string[];
}

function config(place: Place, ...workers: readonly Written[]): string {
  return place.config(JSON.stringify({ master: {}, workers }));
}

const node = (...args: readonly string[]): readonly string[] => [process.execPath, ...args];

describe('H8: the system ends the session', () => {
  const consoleEvents = [
    { what: 'Ctrl-Break', event: '1', says: /SIGBREAK: stopping all workers/ },
    { what: 'its console is closed', event: '2', says: /the console was closed: stopping all workers/ },
    { what: 'its user logs off', event: '5', says: /the user logs off: stopping all workers/ },
    { what: 'the machine goes down', event: '6', says: /the machine goes down: stopping all workers/ },
  ] as const;

  test.each(consoleEvents)('$what: workers end in order before it does', async ({ event, says }) => {
    const place = new Place();
    const master = place.start(['run', config(place, { id: 'one', command: node('-e', worker(place)) })]);
    await master.says(/one .*up/);
    const told = bring('console', event, String(master.child.pid));
    const { out } = await master.ended;
    expect(out).toMatch(says);
    expect(out).toMatch(/one .*asked/);
    expect(await told).toBe('');
    expect(living(mark(place))).toEqual([]);
  });

  // Wine has no windows without a display: what is told by the window that nobody sees is not shown here.
  test.skip('its user logs off, or the machine goes down: told by WM_ENDSESSION', () => {});
});

/** The fault that the original repairs by attaching to a console that is gone: here each worker has one of its own. */
test('Ctrl-C reaches the master after its workers have come and gone with their consoles', async () => {
  const place = new Place();
  const always = { policy: 'always', delay: '10ms' };
  const file = config(place, { id: 'one', command: node('-e', worker(place)), restart: always });
  const master = place.start(['run', file]);
  const pid = master.child.pid ?? 0;
  const workers = () => windows.processes().filter(({ ppid, name }) => ppid === pid && name === 'node.exe');
  for (let round = 1; round <= 3; round += 1) {
    await expect.poll(() => master.said().match(/one .*up/g)?.length).toBe(round);
    for (const one of workers()) windows.terminate(one.pid, one.startTime, 1);
  }
  await expect.poll(() => master.said().match(/one .*up/g)?.length).toBe(4);
  const relay = windows.relay ?? '';
  spawnSync(relay, ['0', `${pid}:${native.identify(pid)?.startTime}`], { windowsHide: true });
  expect((await master.ended).out).toMatch(/SIGINT: stopping all workers/);
  expect(living(mark(place))).toEqual([]);
});

test('M6: nobody shows a window: workers, a batch file, probes, hooks', async () => {
  const place = new Place();
  const all = () => windows.processes().map(({ pid }) => pid);
  const before = windows.system.visibleWindows(all());
  const batch = place.path('batch file.cmd');
  writeFileSync(batch, `@echo from a batch file\r\n@"${process.execPath}" -e "${worker(place)}"\r\n`);
  const probes = { liveness: { exec: [creature, 'exit', '0'], interval: '1s', timeout: '60s' } };
  const alarm = `require('fs').writeFileSync(${JSON.stringify(place.path('alarm'))}, '')`;
  const limits = {
    memory: { max_rss: '1MB', policy: 'alert' },
    monitoring: { interval: '100ms' },
    alerts: { exec: node('-e', alarm) },
  };
  const file = config(
    place,
    { id: 'one', command: node('-e', worker(place)), probes, limits },
    // Wine’s cmd.exe hears no Ctrl-C.
    { id: 'two', command: [batch], stop_timeout: '1s' },
  );
  let most = 0;
  const look = (): void => {
    most = Math.max(most, windows.system.visibleWindows(all()) - before);
  };
  const looking = setInterval(look, 50);
  onTestFinished(() => clearInterval(looking));
  const master = place.start(['run', file]);
  await master.says(/one .*up/);
  await master.says(/two .*up/);
  await expect.poll(() => existsSync(place.path('alarm'))).toBe(true);
  expect(await place.run('restart', 'two', '-f', file)).toMatchObject({ code: 0 });
  look();
  expect(await place.run('down', '-f', file)).toMatchObject({ code: 0 });
  await master.ended;
  look();
  expect(most).toBe(0);
});
