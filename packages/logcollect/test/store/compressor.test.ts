import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, renameSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FakeClock } from '@hsu-master/testkit';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compressor } from '../../src/store/compressor.ts';
import { logStore } from '../../src/store/log-store.ts';
import { type KeptFile, keptFiles, planRetention, removeFiles } from '../../src/store/retention.ts';
import { NumberedLog, numberOf, quiet, storedLog, upTo } from '../support/numbered-log.ts';
import { folder } from '../support/place.ts';

function place() {
  const path = folder();
  return { path, log: new NumberedLog(join(path, 'web.log')) };
}

function storeOf(log: NumberedLog) {
  return logStore({ clock: new FakeClock(), logs: () => [storedLog(log.path)] });
}

test('rotated files are compressed; their time stays, and other programs read them', async () => {
  for (const compression of ['gzip', 'zstd'] as const) {
    const { path, log } = place();
    log.write(1000);
    log.rotate();
    utimesSync(`${log.path}.1`, 1_700_000_000, 1_700_000_000);
    const before = readFileSync(`${log.path}.1`);
    const suffix = compression === 'gzip' ? '.gz' : '.zst';
    const { done, failed } = await compressor({ compression }).compress(log.path);
    expect(failed).toEqual([]);
    expect(done).toMatchObject([{ before: before.length }]);
    expect(readdirSync(path)).toEqual([`web.log.1${suffix}`]);
    const made = join(path, `web.log.1${suffix}`);
    expect(statSync(made).mtimeMs).toBe(1_700_000_000_000);
    expect(execFileSync(compression === 'gzip' ? 'gzip' : 'zstd', ['-dc', made])).toEqual(before);
  }
});

test('what a killed compressor has left is removed and made again; nothing is read twice meanwhile', async () => {
  const { path, log } = place();
  log.write(100);
  log.rotate();
  const { ino, dev } = statSync(`${log.path}.1`);
  writeFileSync(join(path, `.web.log.${dev}-${ino}.making.zst`), 'half');
  // Between the renaming of the copy and the removal of the file both are there.
  const plain = readFileSync(`${log.path}.1`);
  await log.compress('zstd');
  writeFileSync(`${log.path}.1`, plain);
  expect((await storeOf(log).tail({ workers: null }, 1000)).map(numberOf)).toEqual(upTo(100));
  await log.compress('zstd');
  expect(readdirSync(path)).toEqual(['web.log.1.zst']);
  expect((await storeOf(log).tail({ workers: null }, 1000)).map(numberOf)).toEqual(upTo(100));
});

test('a file that was taken aside by somebody who was killed comes back', async () => {
  const { path, log } = place();
  log.write(10);
  log.rotate();
  renameSync(`${log.path}.1`, join(path, '.web.log.1.1-1.gone'));
  await log.compress('gzip');
  expect(readdirSync(path)).toEqual(['web.log.1.gz']);
});

test('a damaged compressed file is read as far as it goes, and named', async () => {
  const { log } = place();
  log.write(50_000);
  log.rotate();
  log.write(1);
  await log.compress('gzip');
  const bytes = readFileSync(`${log.path}.1.gz`);
  writeFileSync(`${log.path}.1.gz`, bytes.subarray(0, bytes.length / 2));
  const cut = await storeOf(log).search({ workers: null, limit: 100_000, text: 'line' });
  expect(cut.lines.length).toBeGreaterThan(1000);
  expect(numberOf(cut.lines.at(-1) as never)).toBe(50_001);
  writeFileSync(`${log.path}.1.gz`, Buffer.concat([bytes.subarray(0, 3000), Buffer.alloc(500, 7)]));
  const broken = await storeOf(log).search({ workers: null, limit: 100_000, text: 'line' });
  expect(broken.notes.unreadable).toHaveLength(1);
});

test('rotation while files are compressed loses nothing and keeps their order', async () => {
  const { log } = place();
  for (let file = 0; file < 8; file += 1) {
    log.write(20_000);
    log.rotate();
  }
  const work = log.compress('zstd');
  const isDone = { now: false };
  void work.finally(() => (isDone.now = true));
  while (!isDone.now) {
    log.write(10);
    log.rotate();
    await quiet();
  }
  await work;
  const lines = await storeOf(log).search({ workers: null, order: 'oldest', limit: 1e6, text: 'line' });
  expect(lines.lines.map(numberOf)).toEqual(upTo(log.written));
});

const NOW = 1_000_000;
const file = (log: string, number: number, size: number, age: number): KeptFile => ({
  log,
  number,
  size,
  mtime: NOW - age,
  path: number === 0 ? log : `${log}.${number}`,
  identity: `1:${log}${number}`,
});

test('retention removes by count, by age and by the budget of all logs, the oldest first', () => {
  const files = [
    file('a', 0, 10, 0),
    file('a', 1, 10, 100),
    file('a', 2, 10, 200),
    file('a', 3, 10, 300),
    file('b', 0, 10, 0),
    file('b', 1, 10, 150),
    file('b', 2, 10, 5000),
  ];
  const plan = (maxFiles: number | null, maxAge: number | null, maxTotal: number | null) =>
    planRetention(files, () => ({ maxFiles, maxAge }), maxTotal, NOW).map(
      ({ file, because }) => `${file.path} ${because}`,
    );
  expect(plan(null, null, null)).toEqual([]);
  expect(plan(2, null, null)).toEqual(['a.3 count']);
  expect(plan(null, 250, null)).toEqual(['a.3 age', 'b.2 age']);
  expect(plan(null, null, 45)).toEqual(['b.2 budget', 'a.3 budget', 'a.2 budget']);
  expect(plan(2, 1000, 0)).toEqual(['a.3 count', 'b.2 age', 'a.2 budget', 'b.1 budget', 'a.1 budget']);
});

test('whatever the files: what retention keeps has no gap, and is within the budget where it can be', () => {
  const kept = fc.array(
    fc.record({
      log: fc.constantFrom('a', 'b', 'c'),
      size: fc.nat(100),
      age: fc.nat(1000),
    }),
    { maxLength: 30 },
  );
  const bound = fc.option(fc.nat(300));
  fc.assert(
    fc.property(kept, bound, bound, bound, (drawn, maxFiles, maxAge, maxTotal) => {
      const counts = new Map<string, number>();
      const files = drawn.map(({ log, size, age }) => {
        const number = counts.get(log) ?? 0;
        counts.set(log, number + 1);
        return file(log, number, size, age);
      });
      const gone = new Set(
        planRetention(files, () => ({ maxFiles, maxAge }), maxTotal, NOW).map((one) => one.file),
      );
      const left = files.filter((one) => !gone.has(one));
      for (const [log, own] of Map.groupBy(left, (one) => one.log)) {
        expect(own.map(({ number }) => number)).toEqual(upTo(own.length).map((number) => number - 1));
        expect(own.length).toBeLessThanOrEqual((maxFiles ?? Infinity) + 1);
        expect(
          files.filter((one) => one.log === log && one.number === 0).every((one) => left.includes(one)),
        ).toBe(true);
      }
      const total = left.reduce((sum, { size }) => sum + size, 0);
      const onlyCurrent = left.every(({ number }) => number === 0);
      expect(onlyCurrent || total <= (maxTotal ?? Infinity)).toBe(true);
    }),
  );
});

test('a file that got the name of one that is to go meanwhile stays', async () => {
  const { path, log } = place();
  for (let count = 0; count < 3; count += 1) {
    log.write(1);
    log.rotate();
  }
  const files = await keptFiles([log.path]);
  const removals = planRetention(files, () => ({ maxFiles: 2, maxAge: null }), null, NOW);
  expect(removals.map(({ file }) => file.path)).toEqual([`${log.path}.3`]);
  log.write(1);
  log.rotate();
  expect(await removeFiles(removals)).toEqual([]);
  expect(readdirSync(path).sort()).toEqual(['web.log.1', 'web.log.2', 'web.log.3', 'web.log.4']);
  const again = planRetention(await keptFiles([log.path]), () => ({ maxFiles: 2, maxAge: null }), null, NOW);
  expect(await removeFiles(again)).toHaveLength(2);
  expect(readdirSync(path).sort()).toEqual(['web.log.1', 'web.log.2']);
});
