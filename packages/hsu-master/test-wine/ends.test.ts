import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, expect, onTestFinished } from 'vitest';
import { command } from '../test/background.ts';
import { eventually, it } from '../test/drive.ts';
import { addonOfWindows, ofWine } from '../test/windows.ts';

const { windows } = addonOfWindows();

/** native/windows/test/ends.c */
const ends = `${process.env['HSU_ZOO']}\\ends.exe`;
const creature = `${process.env['HSU_ZOO']}\\creature.exe`;

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

/** Says when it is asked, and ends then. */
const WORKER = `process.on('SIGINT', () => { console.log('asked'); process.exit(0) }); console.log('up'); setInterval(() => {}, 1000)`;

const node = (...args: readonly string[]): readonly string[] => [process.execPath, ...args];

describe('H8: the system ends the session', () => {
  const consoleEvents = [
    { what: 'Ctrl-Break', event: '1', says: /SIGBREAK: stopping all workers/ },
    { what: 'its console is closed', event: '2', says: /the console was closed: stopping all workers/ },
    { what: 'its user logs off', event: '5', says: /the user logs off: stopping all workers/ },
    { what: 'the machine goes down', event: '6', says: /the machine goes down: stopping all workers/ },
  ] as const;

  it.for(consoleEvents)(
    'H8: $what: workers end in order before it does',
    async ({ event, says }, { stage }) => {
      const master = stage.run([{ id: 'one', command: node('-e', WORKER) }]);
      await master.line(/one .*up/);
      const told = bring('console', event, String(master.pid));
      await master.end();
      expect(master.matching(says)).not.toEqual([]);
      expect(master.matching(/one .*asked/)).not.toEqual([]);
      expect(await told).toBe('');
      expect(stage.processes()).toEqual([]);
    },
  );

  it('H8: its user logs off, or the machine goes down: told by WM_ENDSESSION', ({ skip }) => {
    skip(...ofWine('it has no windows without a display, and what is told is told to one that nobody sees'));
  });
});

/** The fault that the original repairs by attaching to a console that is gone: here each worker has one of its own. */
it('H8: Ctrl-C reaches the master after its workers have come and gone with their consoles', async ({
  stage,
}) => {
  const always = { policy: 'always', delay: '10ms' };
  const master = stage.run([{ id: 'one', command: node('-e', WORKER), restart: always }]);
  const workers = () =>
    windows.processes().filter(({ ppid, name }) => ppid === master.pid && name === 'node.exe');
  for (let round = 1; round <= 3; round += 1) {
    await eventually(() => master.matching(/one .*up/).length === round);
    for (const one of workers()) windows.terminate(one.pid, one.startTime, 1);
  }
  await eventually(() => master.matching(/one .*up/).length === 4);
  await master.stop('SIGINT');
  expect(master.matching(/SIGINT: stopping all workers/)).not.toEqual([]);
  expect(stage.processes()).toEqual([]);
});

it('M6: nobody shows a window: workers, a batch file, probes, hooks', async ({ stage }) => {
  const all = () => windows.processes().map(({ pid }) => pid);
  const before = windows.system.visibleWindows(all());
  const text = `@echo from a batch file\r\n@"${process.execPath}" -e "${WORKER}"\r\n`;
  const batch = stage.write('batch file.cmd', text);
  const probes = { liveness: { exec: [creature, 'exit', '0'], interval: '1s', timeout: '60s' } };
  const alarm = `require('fs').writeFileSync(${JSON.stringify(stage.path('alarm'))}, '')`;
  const limits = {
    memory: { max_rss: '1MB', policy: 'alert' },
    monitoring: { interval: '100ms' },
    alerts: { exec: node('-e', alarm) },
  };
  const file = stage.config([
    { id: 'one', command: node('-e', WORKER), probes, limits },
    // Wine’s cmd.exe hears no Ctrl-C.
    { id: 'two', command: [batch], stop_timeout: '1s' },
  ]);
  let most = 0;
  const look = (): void => {
    most = Math.max(most, windows.system.visibleWindows(all()) - before);
  };
  const looking = setInterval(look, 50);
  onTestFinished(() => clearInterval(looking));
  const master = stage.hsu(['run', file]);
  await master.line(/one .*up/);
  await master.line(/two .*up/);
  await eventually(() => existsSync(stage.path('alarm')));
  expect(await command(stage, ['restart', 'two', '-f', file])).toMatchObject({ code: 0 });
  look();
  expect(await command(stage, ['down', '-f', file])).toMatchObject({ code: 0 });
  await master.end();
  look();
  expect(most).toBe(0);
});
