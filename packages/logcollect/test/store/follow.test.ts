import { readdirSync, readlinkSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FakeClock } from '@hsu-master/testkit';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { type FollowQuery, logStore } from '../../src/store/log-store.ts';
import { NumberedLog, quiet, Reading, storedLog, until, upTo } from '../support/numbered-log.ts';
import { folder } from '../support/place.ts';

function scene(lineOf?: (number: number) => string) {
  const clock = new FakeClock();
  const log = new NumberedLog(join(folder(), 'web.log'), 100, lineOf);
  const store = logStore({ clock, logs: () => [storedLog(log.path)] });
  const follow = (query: Partial<FollowQuery> = {}) => {
    const reading = new Reading(store.follow({ workers: ['web'], begin: 'beginning', ...query }));
    onTestFinished(() => reading.following.close());
    return reading;
  };
  return { clock, log, store, follow };
}

test('F6: a follower reads on through renaming, removal, truncation and copies, within a second', async () => {
  const { clock, log, follow } = scene();
  log.write(10);
  const reading = follow();
  await until(clock, () => reading.numbers.length === 10);
  const steps: (() => void)[] = [
    () => log.rotate(),
    () => renameSync(log.path, `${log.path}.old`),
    () => rmSync(log.path),
    () => truncateSync(log.path),
    () => log.copyAndTruncate(),
  ];
  for (const step of steps) {
    log.write(5);
    await until(clock, () => reading.numbers.length === log.written);
    step();
    const before = clock.now();
    await until(clock, () => clock.now() > before + 1000);
    log.write(5);
    const written = clock.now();
    await until(clock, () => reading.numbers.length === log.written);
    expect(clock.now() - written).toBeLessThanOrEqual(1000);
  }
  expect(reading.numbers).toEqual(upTo(log.written));
});

test('lines written just before a copy is made and the file emptied are read from the copy', async () => {
  const { clock, log, follow } = scene();
  log.write(10);
  const reading = follow();
  await until(clock, () => reading.numbers.length === 10);
  log.write(5);
  log.copyAndTruncate();
  log.write(50);
  log.copyAndTruncate();
  log.write(5);
  await until(clock, () => reading.numbers.length === 70);
  expect(reading.numbers).toEqual(upTo(70));
});

test('a file that is emptied and written to at the old place is read behind the hole', async () => {
  const { clock, log, follow } = scene();
  log.write(1000);
  const reading = follow();
  await until(clock, () => reading.numbers.length === 1000);
  const before = 100_000;
  writeFileSync(log.path, '');
  truncateSync(log.path, before);
  log.write(3);
  await until(clock, () => reading.numbers.length === 1003);
  expect(reading.numbers).toEqual(upTo(1003));
});

test('lines that were written between two looks are read from all files that came and were compressed meanwhile', async () => {
  const { clock, log, follow } = scene();
  log.write(10);
  const reading = follow();
  await until(clock, () => reading.numbers.length === 10);
  for (const compression of ['gzip', 'zstd', 'gzip'] as const) {
    log.write(10);
    log.rotate();
    log.write(10);
    log.rotate();
    await log.compress(compression);
  }
  log.write(10);
  await until(clock, () => reading.numbers.length === log.written);
  expect(reading.numbers).toEqual(upTo(log.written));
});

type Step =
  | { readonly write: number }
  | { readonly rotate: true }
  | { readonly compress: 'gzip' | 'zstd' }
  | { readonly copy: true }
  | { readonly read: number };

const steps = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.record({ write: fc.integer({ min: 1, max: 400 }) }) },
    { weight: 4, arbitrary: fc.record({ rotate: fc.constant(true as const) }) },
    { weight: 2, arbitrary: fc.record({ compress: fc.constantFrom('gzip' as const, 'zstd' as const) }) },
    { weight: 4, arbitrary: fc.record({ read: fc.integer({ min: 1, max: 30 }) }) },
  ),
  { minLength: 1, maxLength: 30 },
);

/** Reads a part at a time, whatever happens to the files between. */
async function play(script: readonly Step[], lineOf: (number: number) => string) {
  const { clock, log, store } = scene(lineOf);
  const following = store.follow({ workers: null, begin: 'beginning', partialAfter: null });
  const texts: string[] = [];
  let asked: Promise<void> | null = null;
  const ask = () => {
    asked ??= following.next().then((next) => {
      asked = null;
      if (next.done === true) return;
      if (next.value.kind === 'lost') throw new Error('something is lost');
      texts.push(next.value.line.record.text);
    });
  };
  ask();
  await quiet();
  for (const step of script) {
    if ('write' in step) log.write(step.write);
    else if ('rotate' in step) log.rotate();
    else if ('compress' in step) await log.compress(step.compress);
    else if ('read' in step) {
      let left = step.read;
      for (let rounds = 0; rounds < 5 * step.read && left > 0; rounds += 1) {
        ask();
        clock.advance(100);
        await quiet();
        if (asked === null) left -= 1;
      }
    }
  }
  log.write(1);
  for (let rounds = 0; texts.length < log.written && rounds < 50_000; rounds += 1) {
    ask();
    await Promise.race([asked ?? quiet(), quiet()]);
    if (asked !== null) clock.advance(200);
  }
  await following.close();
  expect(texts).toEqual(upTo(log.written).map(lineOf));
}

test('whatever the moments of rotation and compression: every line once and in order', async () => {
  const lineOf = (number: number) => `${'x'.repeat((number * 37) % 300)} ${number}`;
  await fc.assert(
    fc.asyncProperty(steps, (script) => play(script, lineOf)),
    { numRuns: 30 },
  );
});

test('F8: a reader that is too slow is told how much it lost, and goes on with whole lines', async () => {
  const { clock, log, store } = scene();
  log.write(10);
  const following = store.follow({ workers: ['web'], begin: 'end', maxLag: 2000 });
  const first = following.next();
  await quiet();
  log.write(1);
  await until(clock, () => following.counts().lines === 1);
  await first;
  for (let round = 0; round < 5; round += 1) {
    log.write(1000);
    if (round % 2 === 1) log.rotate();
    const before = clock.now();
    await until(clock, () => clock.now() > before + 1000);
  }
  const reading = new Reading(following);
  await until(clock, () => reading.numbers.at(-1) === log.written);
  const counts = following.counts();
  expect(counts.lostLines).toBeGreaterThan(4000);
  expect(counts.lines + counts.lostLines).toBe(log.written - 10);
  expect(reading.items[0]?.kind).toBe('lost');
  const { numbers } = reading;
  expect(numbers).toEqual(upTo(log.written, numbers[0]));
  await following.close();
});

test('a follower begins with the last lines, and with an unfinished one at its beginning', async () => {
  const { clock, log, follow } = scene();
  log.write(100);
  log.rotate();
  log.write(2);
  log.raw('line ');
  const last = follow({ begin: { lines: 5 }, partialAfter: null });
  const end = follow({ begin: 'end', partialAfter: null });
  await until(clock, () => last.numbers.length === 4);
  expect(last.numbers).toEqual([99, 100, 101, 102]);
  log.raw('103\n');
  await until(clock, () => end.numbers.length === 1 && last.numbers.length === 5);
  expect(last.numbers).toEqual([99, 100, 101, 102, 103]);
  expect(end.texts).toEqual(['line 103']);
});

test('F3: a last line without its end is handed on after a second, what comes later as its rest', async () => {
  const { clock, log, follow } = scene();
  log.raw('panic: ');
  const reading = follow();
  await until(clock, () => reading.items.length === 1);
  expect(reading.lines[0]?.record).toMatchObject({ text: 'panic: ', piece: 'head' });
  log.raw('gone\n');
  await until(clock, () => reading.items.length === 2);
  expect(reading.lines[1]?.record).toMatchObject({ text: 'gone', piece: 'tail' });
});

test('a line that a rotation cut in two comes whole', async () => {
  const { clock, log, follow } = scene();
  log.raw('one ');
  const reading = follow({ partialAfter: null });
  await quiet();
  log.rotate();
  log.raw('line\n');
  await until(clock, () => reading.items.length === 1);
  expect(reading.texts).toEqual(['one line']);
});

test('a log that is not there yet is waited for', async () => {
  const { clock, log, follow } = scene();
  const reading = follow({ begin: 'end' });
  await quiet();
  log.write(3);
  await until(clock, () => reading.numbers.length === 3);
  expect(reading.numbers).toEqual([1, 2, 3]);
});

test('a follower that is closed or aborted ends, and leaves no file open', async () => {
  const { clock, log, follow } = scene();
  log.write(3);
  const abort = new AbortController();
  const [one, other] = [follow(), follow({ signal: abort.signal })];
  await until(clock, () => one.numbers.length === 3 && other.numbers.length === 3);
  await one.following.close();
  abort.abort();
  await Promise.all([one.ended, other.ended]);
  await until(clock, () => clock.pending === 0);
  const open = readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(log.path);
    } catch {
      return false;
    }
  });
  expect(open).toEqual([]);
});
