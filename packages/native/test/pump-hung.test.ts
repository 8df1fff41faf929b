import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { isRoot, timeFactor } from './harness.ts';
import { checkLines, folder, lines, openPumpBench } from './pump-bench.ts';

const run = (program: string, ...args: string[]): boolean => spawnSync(program, args).status === 0;

/** An empty folder, and a file system of its own to be mounted there. */
function ownDisk(): { readonly disk: string; mount(): boolean } {
  const place = folder();
  const disk = join(place, 'disk');
  mkdirSync(disk);
  const image = join(place, 'image');
  return {
    disk,
    /** false where loop devices cannot be had. */
    mount() {
      const made =
        run('truncate', '-s', '32M', image) &&
        run('mkfs.ext4', '-q', image) &&
        run('mount', '-o', 'loop', image, disk);
      if (made) onTestFinished(() => void run('umount', '-l', disk));
      return made;
    },
  };
}

/** From now on whoever writes there waits, and no signal ends that; thaws by itself should this process be killed. */
function freeze(disk: string): () => void {
  const rescue = spawn('sh', ['-c', `sleep 60; fsfreeze -u ${disk}`], { detached: true, stdio: 'ignore' });
  rescue.unref();
  let frozen = run('fsfreeze', '-f', disk);
  expect(frozen).toBe(true);
  const thaw = (): void => {
    if (!frozen) return;
    frozen = false;
    run('fsfreeze', '-u', disk);
    if (rescue.pid !== undefined) process.kill(-rescue.pid);
  };
  onTestFinished(thaw);
  return thaw;
}

describe.runIf(isRoot)('a disk that hangs (needs root: freezes a loop mount)', () => {
  it(
    'holds up those who write to it and wait for it, and nobody else; nothing is lost',
    async ({ skip }) => {
      const { disk, mount } = ownDisk();
      if (!mount()) return skip('no loop device can be mounted here');
      const bench = openPumpBench();
      const worker = (name: string, options: Parameters<typeof bench.open>[0]) => {
        const fifo = join(bench.place, name);
        const channel = bench.open({ fifo, ...options });
        let written = false;
        const begin = () =>
          bench.run(`exec ${lines()} write 0 50000 100 0`, fifo).then(() => (written = true));
        return { channel, begin, isWritten: () => written };
      };
      const hung = worker('hung', { file: join(disk, 'log') });
      const dropping = worker('dropping', { file: join(disk, 'dropping.log'), overflow: 'drop-newest' });
      const well = worker('well', { file: join(bench.place, 'well.log') });
      const formatted = worker('formatted', { file: join(bench.place, 'formatted.log'), format: 'json' });
      const thaw = freeze(disk);
      const hanging = hung.begin();
      await Promise.all([dropping.begin(), well.begin(), formatted.begin()]);
      await Promise.all([bench.ended(well.channel), bench.ended(formatted.channel)]);
      expect(hung.isWritten()).toBe(false);
      expect(checkLines(bench.files('well.log'))).toBe('OK 50000');
      thaw();
      await hanging;
      await bench.ended(hung.channel);
      expect(checkLines([join(disk, 'log')])).toBe('OK 50000');
      const { counts } = await bench.ended(dropping.channel);
      expect(counts.lines + counts.droppedLines).toBe(50_000);
      // Whoever holds the file system is gone before it is unmounted.
      bench.pump.stop();
      await bench.next('pump-closed');
    },
    60_000 * timeFactor,
  );

  it(
    'is one of its own also where it was mounted after others had written there',
    async ({ skip }) => {
      const { disk, mount } = ownDisk();
      const bench = openPumpBench();
      const write = async (name: string, file: string) => {
        const fifo = join(bench.place, name);
        const channel = bench.open({ fifo, file });
        await bench.run(`exec ${lines()} write 0 5000 100 0`, fifo);
        return channel;
      };
      await bench.ended(await write('before', join(disk, 'before.log')));
      if (!mount()) return skip('no loop device can be mounted here');
      const thaw = freeze(disk);
      const hung = write('hung', join(disk, 'log'));
      await bench.ended(await write('well', join(bench.place, 'well.log')));
      thaw();
      await bench.ended(await hung);
      expect(checkLines([join(disk, 'log')])).toBe('OK 5000');
      bench.pump.stop();
      await bench.next('pump-closed');
    },
    60_000 * timeFactor,
  );
});
