import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { BreakableDisk, SlowDisk, systemError } from './support/disks.ts';
import { folder, Place } from './support/place.ts';

/** A file system of 64 KiB, or null where mounting is not permitted. */
function smallDisk(): string | null {
  const place = folder();
  try {
    execFileSync('/bin/mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', place], { stdio: 'ignore' });
  } catch {
    return null;
  }
  onTestFinished(() => void execFileSync('/bin/umount', ['-l', place]));
  return place;
}

const mountable = process.platform === 'linux' && process.getuid?.() === 0 && existsSync('/bin/mount');

describe('a full disk', () => {
  test.runIf(mountable)(
    'F5: loses and counts bytes, says so once, and goes on by itself when there is room again (needs root: mounts a tmpfs)',
    async ({ skip }) => {
      const small = smallDisk();
      if (small === null) return skip('mounting is not permitted here');
      const place = new Place({ folder: small });
      const ballast = join(small, 'ballast');
      writeFileSync(ballast, Buffer.alloc(48 * 1024));
      const output = place.open({ maxSize: 0 });
      const line = Buffer.from(`${'x'.repeat(1023)}\n`);
      for (let index = 0; index < 100; index += 1) await place.write(output, line);
      expect(place.events).toEqual([
        {
          type: 'log.dropped',
          payload: { bytes: 0, reason: `cannot write ${place.file}: ENOSPC: no space left on device` },
        },
      ]);
      const kept = statSync(place.file).size;
      rmSync(ballast);
      await place.write(output, line);
      expect(statSync(place.file).size).toBe(kept);
      place.clock.advance(1000);
      await place.write(output, 'again\n');
      expect(place.events.slice(1)).toEqual([
        {
          type: 'log.dropped',
          payload: { bytes: 101 * 1024 - kept, reason: `${place.file} is written again` },
        },
      ]);
      expect(place.text().endsWith('again\n')).toBe(true);
      await place.collector.close();
    },
  );
});

describe('a broken disk', () => {
  test('is tried again at most once a second, and announced once however long it lasts', async () => {
    const breakable = new BreakableDisk(['append']);
    breakable.broken = systemError('EIO', 'i/o error');
    const place = new Place({ disk: breakable.disk });
    const output = place.open();
    for (let second = 0; second < 60; second += 1) {
      for (let index = 0; index < 10; index += 1) await place.write(output, '12345678\n');
      place.clock.advance(1000);
    }
    expect(breakable.tries).toBe(60);
    expect(place.events).toHaveLength(1);
    breakable.broken = null;
    await place.write(output, 'fine\n');
    expect(place.events.at(-1)).toMatchObject({ payload: { bytes: 5400 } });
    expect(place.text()).toBe('fine\n');
    expect(place.done).toBe(place.written);
  });

  test('that never recovers is accounted for when the log is closed', async () => {
    const breakable = new BreakableDisk(['open']);
    breakable.broken = systemError('EACCES', 'permission denied', 'open');
    const place = new Place({ disk: breakable.disk });
    const output = place.open();
    await place.write(output, 'lost\n');
    place.clock.advance(120_000);
    await place.collector.close();
    expect(place.events.map((event) => event.payload)).toEqual([
      { bytes: 0, reason: `cannot write ${place.file}: EACCES: permission denied` },
      { bytes: 5, reason: 'the log is closed' },
    ]);
  });

  test('a file system that takes no directories is told', async () => {
    const file = '/proc/hsu/web.log';
    const place = new Place();
    await place.write(place.open({ stdoutFile: file }), 'lost\n');
    expect(place.events.map((event) => event.payload)).toEqual([
      {
        bytes: 0,
        reason: `cannot write ${file}: ENOENT: the file system of /proc takes no new directories`,
      },
    ]);
  });

  test('a file that cannot be rotated grows, loses nothing, and is rotated when it can be', async () => {
    const breakable = new BreakableDisk(['rename']);
    breakable.broken = systemError('EACCES', 'permission denied', 'rename');
    const place = new Place({ disk: breakable.disk });
    const output = place.open({ maxSize: 10, maxFiles: 1 });
    for (let index = 0; index < 5; index += 1) await place.write(output, '12345678\n');
    expect(place.names()).toEqual(['web.log']);
    expect(place.text()).toBe('12345678\n'.repeat(5));
    expect(place.events).toHaveLength(1);
    expect(place.events[0]).toMatchObject({ type: 'log.dropped', payload: { bytes: 0 } });
    breakable.broken = null;
    place.clock.advance(1000);
    await place.write(output, 'new\n');
    expect(place.text()).toBe('new\n');
    expect(place.text('web.log.1')).toBe('12345678\n'.repeat(5));
  });

  test('no descriptor left: others are closed and the file is tried again before anything is lost', async () => {
    const breakable = new BreakableDisk(['open']);
    const place = new Place({ disk: breakable.disk });
    const otherFile = join(place.folder, 'other.log');
    await place.write(place.open({ stdoutFile: otherFile }), 'other\n');
    await place.quiet();
    expect(place.descriptors()).toBe(1);
    breakable.broken = systemError('EMFILE', 'too many open files', 'open');
    const written = place.write(place.open(), 'kept\n');
    await expect.poll(() => place.descriptors()).toBe(0);
    breakable.broken = null;
    place.clock.advance(100);
    await written;
    expect(place.text()).toBe('kept\n');
    expect(place.events).toEqual([]);
  });

  test('no descriptor for long: output is dropped rather than held back', async () => {
    const breakable = new BreakableDisk(['open']);
    breakable.broken = systemError('EMFILE', 'too many open files', 'open');
    const place = new Place({ disk: breakable.disk });
    const written = place.write(place.open(), 'lost\n');
    for (let tries = 1; tries < 10; tries += 1) {
      await expect.poll(() => breakable.tries).toBe(tries);
      await expect.poll(() => place.clock.pending).toBe(2);
      place.clock.advance(100);
    }
    await written;
    expect(place.events).toHaveLength(1);
  });
});

describe('a slow disk', () => {
  test('holds back what it has not written, and then takes many chunks at once, in order', async () => {
    const slow = new SlowDisk();
    const place = new Place({ disk: slow.disk });
    const output = place.open();
    let expected = '';
    for (let index = 0; index < 200; index += 1) {
      expected += `line ${index}\n`;
      void place.write(output, `line ${index}\n`);
    }
    await expect.poll(() => slow.waiting).toBe(1);
    expect(place.done).toBe(0);
    slow.release();
    await place.settled();
    expect(place.text()).toBe(expected);
    expect(slow.buffers.length).toBeLessThan(10);
  });

  test('bounds what waits even for somebody who ignores flow control', async () => {
    const slow = new SlowDisk();
    const place = new Place({ disk: slow.disk });
    const output = place.open({ maxSize: 0 });
    const piece = Buffer.alloc(1024 * 1024, 'x');
    for (let index = 0; index < 40; index += 1) void place.write(output, piece);
    expect(place.done).toBe(24);
    slow.release();
    await place.settled();
    expect(statSync(place.file).size).toBe(16 * 1024 * 1024);
    place.clock.advance(1000);
    await place.write(output, 'more');
    expect(place.events.map((event) => event.payload)).toEqual([
      { bytes: 0, reason: `${place.file} is written too slowly` },
      { bytes: 24 * 1024 * 1024, reason: `${place.file} is written again` },
    ]);
  });

  test('that never answers does not keep close waiting', async () => {
    const slow = new SlowDisk();
    const place = new Place({ disk: slow.disk });
    void place.write(place.open(), 'stuck\n');
    const closed = place.collector.close(2000);
    await expect.poll(() => slow.waiting).toBe(1);
    place.clock.advance(2000);
    await closed;
    slow.release();
  });
});

describe('files that others touch', () => {
  test('F6: a deleted file is made again within a second', async () => {
    const place = new Place();
    const output = place.open();
    await place.write(output, 'one\n');
    rmSync(place.file);
    place.clock.advance(1000);
    await place.write(output, 'two\n');
    expect(place.text()).toBe('two\n');
    expect(place.events).toEqual([]);
  });

  test('F6: a renamed file keeps what it has, and later lines go to a new one', async () => {
    const place = new Place();
    const output = place.open();
    await place.write(output, 'one\n');
    renameSync(place.file, join(place.folder, 'moved.log'));
    place.clock.advance(1000);
    await place.write(output, 'two\n');
    expect(place.text('moved.log')).toBe('one\n');
    expect(place.text()).toBe('two\n');
  });

  test('F6: a truncated file goes on at its new end, and its size counts from there', async () => {
    const place = new Place();
    const output = place.open({ maxSize: 10 });
    await place.write(output, '12345678\n');
    truncateSync(place.file);
    place.clock.advance(1000);
    await place.write(output, 'abcdefgh\n');
    expect(place.text()).toBe('abcdefgh\n');
    expect(place.names()).toEqual(['web.log']);
  });

  test('a folder that vanished is made again', async () => {
    const place = new Place();
    const inner = join(place.folder, 'inner');
    const stdoutFile = join(inner, 'out.log');
    const output = place.open({ stdoutFile });
    await place.write(output, 'one\n');
    rmSync(inner, { recursive: true });
    place.clock.advance(1000);
    await place.write(output, 'two\n');
    expect(place.text('inner/out.log')).toBe('two\n');
  });

  test('a folder in the file’s place is an outage until it is gone', async () => {
    const place = new Place();
    mkdirSync(place.file);
    const output = place.open();
    await place.write(output, 'lost\n');
    expect(place.events[0]).toMatchObject({ payload: { reason: expect.stringContaining('EISDIR') } });
    rmSync(place.file, { recursive: true });
    place.clock.advance(1000);
    await place.write(output, 'kept\n');
    expect(place.text()).toBe('kept\n');
  });

  test('a FIFO without a reader is an outage, not a thread that waits for ever', async () => {
    const place = new Place();
    execFileSync('/usr/bin/mkfifo', [place.file]);
    await place.write(place.open(), 'lost\n');
    expect(place.events[0]).toMatchObject({ payload: { reason: expect.stringContaining('ENXIO') } });
  });

  test('a device is written and never rotated', async () => {
    const place = new Place();
    const output = place.open({ stdoutFile: '/dev/null', maxSize: 3 });
    await place.write(output, 'more than three\n');
    expect(place.events).toEqual([]);
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
  });
});
