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
