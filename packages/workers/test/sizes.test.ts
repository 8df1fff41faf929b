import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeClock } from '@hsu-master/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { directorySize } from '../src/limits/directory-size.ts';
import { Sizes, Slots } from '../src/limits/sizes.ts';
import { realClock } from '../src/real-clock.ts';

const clock = realClock();
const PATIENCE = { timeout: 20_000 * Number(process.env.HSU_TIME_FACTOR ?? 1) };
const KIBI = 1024;
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hsu-sizes-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, bytes: number): string {
  const path = join(folder, name);
  writeFileSync(path, Buffer.alloc(bytes, 1));
  return path;
}

const never = (): boolean => false;

async function grown(change: () => void): Promise<number> {
  const before = await directorySize(folder, clock, never);
  change();
  const after = await directorySize(folder, clock, never);
  return (after?.bytes ?? 0) - (before?.bytes ?? 0);
}

describe('the size of a directory', () => {
  test('is that of all below it', async () => {
    mkdirSync(join(folder, 'a', 'b'), { recursive: true });
    const bytes = await grown(() => {
      write('one', 64 * KIBI);
      write('a/two', 64 * KIBI);
      write('a/b/three', 64 * KIBI);
    });
    expect(bytes).toBe(3 * 64 * KIBI);
  });

  test('is what is on the disk: holes take nothing, hard links count once', async () => {
    const bytes = await grown(() => {
      const path = write('file', 64 * KIBI);
      linkSync(path, join(folder, 'same'));
      truncateSync(write('sparse', 0), 2 ** 32);
    });
    expect(bytes).toBe(64 * KIBI);
  });

  test('does not follow symbolic links, neither out nor in a circle', async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), 'hsu-elsewhere-'));
    writeFileSync(join(elsewhere, 'large'), Buffer.alloc(512 * KIBI, 1));
    const bytes = await grown(() => {
      symlinkSync(elsewhere, join(folder, 'out'));
      symlinkSync('.', join(folder, 'circle'));
    });
    rmSync(elsewhere, { recursive: true });
    expect(bytes).toBeLessThan(16 * KIBI);
  });

  test('is 0 where there is none yet, and not known where the path is a file', async () => {
    expect(await directorySize(join(folder, 'none'), clock, never)).toEqual({ bytes: 0, complete: true });
    expect(await directorySize(write('file', 1), clock, never)).toBeNull();
  });

  test.skipIf(process.getuid?.() === 0)('counts what may be read where something may not', async () => {
    mkdirSync(join(folder, 'closed'));
    chmodSync(join(folder, 'closed'), 0);
    expect(await grown(() => write('file', 64 * KIBI))).toBe(64 * KIBI);
    chmodSync(join(folder, 'closed'), 0o700);
  });

  test('is found in small pieces with pauses between them', async () => {
    for (let number = 0; number < 400; number += 1) write(`f${number}`, 0);
    const fake = new FakeClock();
    let size: unknown = null;
    void directorySize(folder, fake, never).then((found) => {
      size = found;
    });
    for (let pause = 0; pause < 3; pause += 1) {
      await expect.poll(() => fake.pending, PATIENCE).toBe(1);
      expect(size).toBeNull();
      fake.advance(10);
    }
    await expect.poll(() => size, PATIENCE).toMatchObject({ complete: true });
  });

  test('is given up when nobody needs it any more', async () => {
    for (let number = 0; number < 400; number += 1) write(`f${number}`, 0);
    expect(await directorySize(folder, clock, () => true)).toBeNull();
  });
});

describe('the sizes of a worker', () => {
  test('of its log files are the sum of those that are there', async () => {
    const logFiles = [write('web.log', 1000), write('web.log.1', 500), join(folder, 'web.log.2')];
    const sizes = new Sizes({ clock, slots: new Slots(), tempDirectory: null, logFiles });
    expect(sizes.known).toEqual({});
    sizes.refresh();
    await expect.poll(() => sizes.known, PATIENCE).toEqual({ 'storage.max_log_size': 1500 });
    write('web.log.2', 24);
    sizes.refresh();
    await expect.poll(() => sizes.known, PATIENCE).toEqual({ 'storage.max_log_size': 1524 });
  });

  test('are walked one at a time, and not again before a walk has rested', async () => {
    for (let number = 0; number < 130; number += 1) write(`f${number}`, 0);
    const fake = new FakeClock();
    const sizes = new Sizes({ clock: fake, slots: new Slots(), tempDirectory: folder, logFiles: null });
    sizes.refresh();
    sizes.refresh();
    // One that counts how long a walk may hang, one of its pause.
    await expect.poll(() => fake.pending, PATIENCE).toBe(2);
    sizes.refresh();
    expect(fake.pending).toBe(2);
    fake.advance(10);
    await expect.poll(() => Object.keys(sizes.known), PATIENCE).toEqual(['storage.max_temp_size']);
    expect(fake.pending).toBe(0);
    sizes.refresh();
    expect(fake.pending).toBe(0);
    fake.advance(90);
    sizes.refresh();
    expect(fake.pending).toBe(1);
    sizes.end();
    expect(fake.pending).toBe(0);
  });

  test('of many workers wait for one another', () => {
    const fake = new FakeClock();
    const slots = new Slots();
    const all = Array.from(
      { length: 5 },
      () => new Sizes({ clock: fake, slots, tempDirectory: folder, logFiles: null }),
    );
    for (const sizes of all) sizes.refresh();
    expect(fake.pending).toBe(2);
    for (const sizes of all) sizes.end();
    expect(fake.pending).toBe(0);
  });

  test('a walk that hangs lets others go on after a minute', () => {
    const fake = new FakeClock();
    const slots = new Slots();
    const hanging = new Sizes({ clock: fake, slots, tempDirectory: folder, logFiles: null });
    hanging.refresh();
    fake.advance(60_000);
    expect([slots.take(), slots.take(), slots.take()]).toEqual([true, true, false]);
    hanging.end();
  });
});
