import { execFileSync, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, vi } from 'vitest';
import { openMasterLog } from '../src/master-log.ts';
import { it, PATIENCE } from './drive.ts';

const LINE = /^\d{4}-\d\d-\d\dT[\d:.]+Z (.*)$/;
const said = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => LINE.exec(line)?.[1]);

it('what a master in the background says has its time, and is written when it has ended', async ({
  stage,
}) => {
  const file = stage.write('log', '');
  const fd = openSync(file, 'a');
  const log = openMasterLog(fd);
  for (let line = 0; line < 3; line += 1) log.note(`line ${line}`);
  await log.end();
  closeSync(fd);
  expect(said(readFileSync(file, 'utf8'))).toEqual(['line 0', 'line 1', 'line 2']);
});

it('a reader that sleeps holds nobody; how many lines it misses is said when it reads on', async ({
  stage,
}) => {
  const fifo = stage.path('fifo');
  execFileSync('mkfifo', [fifo]);
  const fd = openSync(fifo, 'r+');
  const log = openMasterLog(fd);
  const text = 'x'.repeat(1000);
  for (let line = 0; line < 1000; line += 1) log.note(text);
  const reader = spawn('cat', [fifo], { stdio: ['ignore', 'pipe', 'inherit'] });
  let read = '';
  reader.stdout.on('data', (chunk: Buffer) => (read += chunk.toString()));
  await vi.waitFor(() => expect(read).toMatch(/lines were left out here/), {
    timeout: PATIENCE,
    interval: 20,
  });
  reader.kill();
  await log.end();
  closeSync(fd);
  const lines = said(read);
  const missing = Number(/^(\d+) lines were left out/.exec(lines.at(-1) ?? '')?.[1]);
  expect(lines.filter((line) => line === text)).toHaveLength(1000 - missing);
  expect(missing).toBeGreaterThan(0);
});

it.skipIf(process.getuid?.() !== 0)(
  'a full disk ends it only until there is room again (root: mounts a small disk)',
  async ({ stage }) => {
    const disk = stage.path('disk');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', disk]);
    try {
      const fd = openSync(`${disk}/log`, 'a');
      writeFileSync(`${disk}/filler`, Buffer.alloc(60 * 1024));
      const log = openMasterLog(fd);
      // Often enough for a write to have failed.
      for (let line = 0; line < 10; line += 1) {
        log.note('x'.repeat(3000));
        await delay(20);
      }
      expect(readFileSync(`${disk}/log`).length).toBe(4096);
      rmSync(`${disk}/filler`);
      await vi.waitFor(
        () => {
          log.note('again');
          expect(readFileSync(`${disk}/log`, 'utf8')).toMatch(/Z again\n/);
        },
        { timeout: PATIENCE, interval: 50 },
      );
      await log.end();
      closeSync(fd);
    } finally {
      execFileSync('umount', ['-l', disk]);
    }
  },
);
