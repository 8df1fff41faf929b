import { closeSync, mkdirSync, openSync, readdirSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { LogFormat, LogSpec } from '@hsu-master/core';
import { loadNative } from '@hsu-master/native';
import { workerSpec } from '@hsu-master/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { logStore, pumpCollector, storedLogs } from '../../src/index.ts';
import type { StoredLine } from '../../src/store/stored-line.ts';
import { all, numberOf, Reading, upTo } from '../support/numbered-log.ts';
import { folder } from '../support/place.ts';
import { hurriedClock } from '../support/real-clock.ts';

const COUNT = 60_000;
const patience = { timeout: 20_000 * Number(process.env.HSU_TIME_FACTOR ?? 1), interval: 20 };

/** Where lines do not follow each other. */
function breaks(reading: Reading): string[] {
  const { lines } = reading;
  return lines.flatMap((line, index) => {
    const before = index === 0 ? 0 : numberOf(lines[index - 1] as StoredLine);
    const { file, written } = line.from;
    return numberOf(line) === before + 1 ? [] : [`${before} before ${numberOf(line)} in ${file}, ${written}`];
  });
}

/** Writes numbered lines through a real pump that rotates and compresses, with followers from before and during the flood. */
async function flood(format: LogFormat) {
  const loaded = loadNative();
  if (!loaded.ok) throw new Error(loaded.reason);
  const at = folder();
  mkdirSync(join(at, 'run'));
  const clock = hurriedClock();
  const form = { format, prefix: '' };
  const base = workerSpec('web');
  const log: LogSpec = {
    ...base.log,
    captureStdout: true,
    captureStderr: false,
    stdoutFile: join(at, 'out'),
    maxSize: 200_000,
    maxFiles: 200,
    files: { ...base.log.files, forms: { stdout: form, stderr: form }, compression: 'zstd' },
  };
  const collector = pumpCollector({
    native: loaded.native,
    runDirectory: join(at, 'run'),
    clock,
    settingsOf: () => ({ ...form, overflow: 'block', rotateEvery: 0, compression: 'zstd' }),
    publish: () => undefined,
  });
  onTestFinished(() => collector.close());
  const store = logStore({ clock, logs: () => storedLogs('web', log) });
  const first = new Reading(store.follow({ workers: null, begin: 'end' }));
  await first.following.started;
  const channels = collector.open({ ...base, log }, 1).openChannels();
  const fifo = openSync(channels?.stdout ?? '', 'r+');
  const second: Reading[] = [];
  for (let number = 1; number <= COUNT; number += 100) {
    writeSync(
      fifo,
      upTo(number + 99, number)
        .map((each) => `line ${each}\n`)
        .join(''),
    );
    if (number === COUNT / 2 + 1)
      second.push(new Reading(store.follow({ workers: null, begin: 'beginning' })));
    if (number % 1000 === 1) await new Promise((resolve) => setImmediate(resolve));
  }
  closeSync(fifo);
  for (const reading of [first, ...second]) {
    onTestFinished(() => reading.following.close());
    await expect.poll(() => reading.numbers.at(-1), patience).toBe(COUNT);
    expect(breaks(reading)).toEqual([]);
    expect(reading.numbers).toHaveLength(COUNT);
  }
  await collector.close();
  return { at, store };
}

for (const format of ['plain', 'structured_json'] as const) {
  test(`${format} output of a flood is followed and read whole, while a pump rotates and compresses it`, async () => {
    const { at, store } = await flood(format);
    expect(readdirSync(at).filter((name) => name.endsWith('.zst')).length).toBeGreaterThan(0);
    const lines = await all(store.range({ workers: ['web'] }));
    expect(lines.map(numberOf)).toEqual(upTo(COUNT));
    expect((await store.tail({ workers: null }, 5)).map(numberOf)).toEqual(upTo(COUNT, COUNT - 4));
    if (format === 'plain') return;
    const [line] = lines.slice(1000);
    const query = { workers: null, from: line?.record.at ?? 0, limit: COUNT, order: 'oldest' as const };
    const { lines: later } = await store.search({ ...query, text: 'line' });
    expect(later.map(numberOf)).toEqual(upTo(COUNT).slice(-later.length));
    expect(later.length).toBeGreaterThanOrEqual(COUNT - 1001);
  });
}

test('lines of several workers are merged, searched by fields and replayed, from files that the pump rotated and compressed', async () => {
  const loaded = loadNative();
  if (!loaded.ok) throw new Error(loaded.reason);
  const at = folder();
  mkdirSync(join(at, 'run'));
  const clock = hurriedClock();
  const form = { format: 'structured_json', prefix: '' } as const;
  const collector = pumpCollector({
    native: loaded.native,
    runDirectory: join(at, 'run'),
    clock,
    settingsOf: () => ({ ...form, overflow: 'block', rotateEvery: 0, compression: 'gzip' }),
    publish: () => undefined,
  });
  onTestFinished(() => collector.close());
  const specs = ['web', 'db'].map((id) => {
    const base = workerSpec(id);
    const files = { ...base.log.files, forms: { stdout: form, stderr: form }, compression: 'gzip' as const };
    const stdoutFile = join(at, `${id}.log`);
    const log = {
      ...base.log,
      captureStdout: true,
      captureStderr: false,
      stdoutFile,
      maxSize: 4000,
      maxFiles: 50,
      files,
    };
    return { ...base, log };
  });
  const fds = specs.map((spec) => openSync(collector.open(spec, 1).openChannels()?.stdout ?? '', 'r+'));
  const ROUNDS = 60;
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [index, fd] of fds.entries()) {
      const level = round % 10 === 0 ? 'error' : 'info';
      writeSync(fd, `${JSON.stringify({ level, msg: `round ${round}`, at: { shard: index, round } })}\n`);
      // Stamps are of milliseconds.
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
  for (const fd of fds) closeSync(fd);
  await collector.drained(10_000);
  await expect
    .poll(() => readdirSync(at).filter((name) => name.endsWith('.gz')).length, patience)
    .toBeGreaterThan(2);
  const store = logStore({ clock, logs: () => specs.flatMap(({ id, log }) => storedLogs(id, log)) });
  const merged = await all(store.range({ workers: null }));
  const name = ({ record }: StoredLine) => `${record.workerId} ${/round \d+/.exec(record.text)?.[0]}`;
  const told = merged.map(name);
  const expected = upTo(ROUNDS).flatMap((round) => [`web round ${round - 1}`, `db round ${round - 1}`]);
  // Stamps say when the pump read a line: those of one worker are in its order, those of all in the order of their stamps.
  for (const id of ['web', 'db'])
    expect(told.filter((each) => each.startsWith(id))).toEqual(
      expected.filter((each) => each.startsWith(id)),
    );
  const stamps = merged.map(({ record }) => record.at);
  expect(stamps).toEqual(stamps.toSorted((one, other) => one - other));
  const query = {
    workers: null,
    minLevel: 'error' as const,
    pattern: 'round [0-9]+',
    fields: [
      { path: 'at.shard', is: 'equal' as const, value: 1 },
      { path: 'at.round', is: 'match' as const, pattern: '^[2-4]0$' },
    ],
    limit: 2,
    order: 'newest' as const,
  };
  const first = await store.search(query);
  const second = await store.search({ ...query, cursor: first.cursor });
  const found = [...first.lines, ...second.lines].map(name);
  expect(found).toEqual(['db round 40', 'db round 30', 'db round 20']);
  const [begin, end] = [merged[0], merged.at(-1)].map((line) => line?.record.at ?? 0);
  const span = (end ?? 0) - (begin ?? 0);
  const started = clock.now();
  const replayed: string[] = [];
  for await (const line of store.replay({ workers: null }, { speed: 2, longestPause: null }))
    replayed.push(name(line));
  expect(replayed).toEqual(told);
  expect(clock.now() - started).toBeGreaterThanOrEqual(span / 2 - 5);
});
