import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FakeClock } from '@hsu-master/testkit';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { logStore, type SearchQuery } from '../../src/store/log-store.ts';
import type { StoredLine, StoredLog } from '../../src/store/stored-line.ts';
import { all, enhanced, NumberedLog, numberOf, storedLog, upTo } from '../support/numbered-log.ts';
import { folder } from '../support/place.ts';

function scene(over: Partial<StoredLog> = {}, lineOf?: (number: number) => string) {
  const log = new NumberedLog(join(folder(), 'web.log'), 100, lineOf);
  const clock = new FakeClock();
  const store = logStore({ clock, logs: () => [storedLog(log.path, over)] });
  return { log, store, clock };
}

const ALL = { workers: null };
const numbers = (lines: readonly StoredLine[]) => lines.map(numberOf);

/** 100 lines a file, the oldest two compressed. */
async function rotated(log: NumberedLog, files: number): Promise<void> {
  for (let file = 1; file < files; file += 1) {
    log.write(100);
    log.rotate();
    if (file === 1) await log.compress('gzip');
    if (file === 2) await log.compress('zstd');
  }
  log.write(100);
}

test('tail reads from the end, over rotated and compressed files', async () => {
  const { log, store } = scene();
  await rotated(log, 4);
  for (const count of [0, 1, 99, 100, 101, 250, 399, 400, 500])
    expect(numbers(await store.tail(ALL, count))).toEqual(upTo(400, Math.max(1, 401 - count)));
});

test('tail of a log that is not there is empty; an unfinished last line counts', async () => {
  const { log, store } = scene();
  expect(await store.tail(ALL, 10)).toEqual([]);
  log.write(3);
  log.raw('line 4');
  expect(numbers(await store.tail(ALL, 2))).toEqual([3, 4]);
});

test('F1: a line of 10 MB comes in pieces, the same from both ends, and counts as one', async () => {
  const { log, store } = scene();
  log.raw('before\n');
  log.raw(`${'ä€x'.repeat(1_700_000)}\r\n`);
  log.raw('after\n');
  const tail = await store.tail(ALL, 3);
  const forwards = await all(store.range(ALL));
  expect(tail.map(({ record }) => record)).toEqual(forwards.map(({ record }) => record));
  expect(tail.at(0)?.record.text).toBe('before');
  expect(tail.at(1)?.record.piece).toBe('head');
  expect(tail.at(-2)?.record.piece).toBe('tail');
  const text = tail.slice(1, -1).map(({ record }) => record.text);
  expect(text.join('')).toBe('ä€x'.repeat(1_700_000));
  expect(Math.max(...text.map((piece) => Buffer.byteLength(piece)))).toBeLessThanOrEqual(65_536 + 3);
});

test('F2: bytes that are no UTF-8 are replaced and marked; NUL and escape sequences stay', async () => {
  const { log, store } = scene();
  writeFileSync(log.path, Buffer.from([0x61, 0xff, 0x62, 10, 0, 0x1b, 0x5b, 0x32, 0x4a, 13, 0x63, 10]));
  const [first, second] = await store.tail(ALL, 2);
  expect(first?.record).toMatchObject({ text: 'a\ufffdb', damaged: true });
  expect(second?.record).toMatchObject({ text: '\0\u001b[2J\rc', damaged: false });
});

const content = fc.array(
  fc.oneof(
    fc.constantFrom('', '\r', 'a\r', 'ß', 'x'.repeat(65_535), 'x'.repeat(65_536), 'é'.repeat(32_769)),
    fc.integer({ min: 0, max: 200_000 }).map((length) => '€'.repeat(length / 3)),
    fc.string({ unit: 'binary', maxLength: 40 }).map((text) => text.replaceAll('\n', ' ')),
  ),
  { maxLength: 8 },
);

test('whatever the lines, they are the same forwards and backwards', async () => {
  await fc.assert(
    fc.asyncProperty(content, fc.boolean(), async (lines, isEnded) => {
      const { log, store } = scene();
      writeFileSync(log.path, lines.join('\n') + (isEnded ? '\n' : ''));
      const forwards = await all(store.range(ALL));
      const backwards = await all(store.range({ ...ALL, order: 'newest' }));
      expect(backwards.reverse()).toEqual(forwards);
    }),
    { numRuns: 60 },
  );
});

const START = Date.UTC(2026, 0, 31, 12);
const stamped = (number: number) => enhanced(START + number * 1000, `line ${number}`);

test('a time range of a stamped log is exact, over files of every kind, in both orders', async () => {
  const { log, store } = scene({ format: 'enhanced_plain' }, stamped);
  await rotated(log, 6);
  for (const [from, to] of [
    [1, 601],
    [50, 51],
    [95, 305],
    [300, 301],
    [550, 10_000],
    [0, 1],
    [601, 700],
  ] as const) {
    const query = { ...ALL, from: START + from * 1000, to: START + to * 1000 };
    const expected = upTo(Math.min(600, to - 1), Math.max(1, from));
    expect(numbers(await all(store.range(query)))).toEqual(expected);
    expect(numbers(await all(store.range({ ...query, order: 'newest' })))).toEqual(expected.reverse());
  }
});

test('a range of a large stamped file is not read from its beginning', async () => {
  const { log, store } = scene({ format: 'enhanced_plain' }, (number) => stamped(number) + ' '.repeat(100));
  log.write(50_000);
  const query = { ...ALL, from: START + 49_990_000, text: 'line', limit: 100 };
  const { lines, notes } = await store.search({ ...query, order: 'oldest' });
  expect(lines).toHaveLength(11);
  expect(notes.scanned).toBeLessThan(500_000);
});

test('of a plain log all lines are given of the files that were written within the range', async () => {
  const { log, store } = scene();
  log.write(10);
  const before = Date.now();
  expect(numbers(await all(store.range({ ...ALL, from: before - 60_000 })))).toEqual(upTo(10));
  expect(await all(store.range({ ...ALL, from: before + 60_000 }))).toEqual([]);
});

test('stamped lines are read back: time, worker, stream, run, number and text', async () => {
  const { log, store } = scene({ stream: null, format: 'structured_json' });
  const time = '2026-01-31T17:38:32.123+03:00';
  const first = { time, worker: 'api', run: 7, stream: 'stderr', seq: 12, message: 'so "it" is' };
  const second = { time, worker: 'api', run: 7, stream: 'stdout', seq: 13, data: { level: 'warn', n: 1 } };
  log.raw(`${JSON.stringify(first)}\n${JSON.stringify(second)}\nno JSON\n`);
  const lines = await store.tail(ALL, 3);
  const at = Date.parse(time);
  expect(lines.map(({ isStamped }) => isStamped)).toEqual([true, true, false]);
  expect(lines[0]?.record).toMatchObject({
    workerId: 'api',
    run: 7,
    stream: 'stderr',
    seq: 12,
    at,
    text: 'so "it" is',
  });
  expect(lines[1]?.record).toMatchObject({ stream: 'stdout', text: '{"level":"warn","n":1}' });
  expect(lines[2]?.record).toMatchObject({ workerId: 'web', text: 'no JSON' });
  const errors = await store.tail({ ...ALL, stream: 'stderr' }, 5);
  expect(errors.map(({ record }) => record.text)).toEqual(['so "it" is', 'no JSON']);
});

async function pages(search: (cursor: string | null) => ReturnType<ReturnType<typeof logStore>['search']>) {
  const lines: StoredLine[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < 1000; page += 1) {
    const found: Awaited<ReturnType<typeof search>> = await search(cursor);
    lines.push(...found.lines);
    ({ cursor } = found);
    if (cursor === null) return lines;
  }
  throw new Error('it never ends');
}

test('a search goes on page by page, while files are rotated, compressed and written to', async () => {
  for (const order of ['oldest', 'newest'] as const) {
    const { log, store } = scene();
    await rotated(log, 4);
    let page = 0;
    const found = await pages(async (cursor) => {
      page += 1;
      if (page === 3) log.rotate();
      if (page === 6) await log.compress(order === 'oldest' ? 'gzip' : 'zstd');
      if (page === 4) log.write(5);
      return store.search({ ...ALL, pattern: '[05]$', order, limit: 7, cursor });
    });
    const wanted = upTo(order === 'oldest' ? 405 : 400).filter((number) => number % 5 === 0);
    const seen = order === 'oldest' ? numbers(found) : numbers(found).reverse();
    // Lines that came in the meantime may be found or not.
    expect(seen.filter((number) => number <= 400)).toEqual(wanted.filter((number) => number <= 400));
  }
});

test('a search finds text, patterns, levels and fields', async () => {
  const { log, store } = scene();
  log.raw('2026-01-31 12:00:00 ERROR disk Full\n');
  log.raw('{"level":"warn","msg":"slow","http":{"status":503},"user":"ann"}\n');
  log.raw('level=info msg=fine user=bob took=12ms\n');
  const search = async (query: Partial<SearchQuery>) =>
    (await store.search({ ...ALL, limit: 10, ...query })).lines.length;
  expect(await search({ text: 'full' })).toBe(0);
  expect(await search({ text: 'full', ignoreCase: true })).toBe(1);
  expect(await search({ pattern: '(?i)full$' })).toBe(1);
  expect(await search({ minLevel: 'warn' })).toBe(2);
  expect(await search({ fields: [{ path: 'http.status', is: 'equal', value: 503 }] })).toBe(1);
  expect(await search({ fields: [{ path: 'user', is: 'match', pattern: '^(ann|bob)$' }] })).toBe(2);
  expect(await search({ fields: [{ path: 'user', is: 'absent' }] })).toBe(1);
  await expect(search({ pattern: '(' })).rejects.toThrow(TypeError);
  await expect(search({ cursor: 'nonsense' })).rejects.toThrow(TypeError);
});

test('an expression that would take JavaScript for ever is searched for in time that grows with the text', async () => {
  const { log, store } = scene();
  log.raw(`${'a'.repeat(50_000)}!\n`.repeat(3));
  const { lines } = await store.search({ ...ALL, pattern: '^(a+)+$', limit: 10 });
  expect(lines).toEqual([]);
});

test('a search can be aborted, and leaves the event loop its turns', async () => {
  const { log, store } = scene();
  log.write(300_000);
  const abort = new AbortController();
  let turns = 0;
  const count = setInterval(() => (turns += 1) > 3 && abort.abort(), 1);
  await expect(store.search({ ...ALL, text: 'nowhere', limit: 1, signal: abort.signal })).rejects.toThrow(
    /abort/i,
  );
  clearInterval(count);
  expect(turns).toBeGreaterThan(3);
});

function several(names: readonly string[]) {
  const place = folder();
  const clock = new FakeClock();
  const logs = names.map((name) =>
    storedLog(join(place, `${name}.log`), { workerId: name, format: 'enhanced_plain' }),
  );
  return { clock, logs, store: logStore({ clock, logs: () => logs }) };
}

test('logs of several workers are merged by time; what is of one moment stays in its order', async () => {
  const { logs, store } = several(['a', 'b', 'c']);
  const expected: string[] = [];
  for (let number = 0; number < 300; number += 1) {
    const log = logs[(number * 7) % 3] as StoredLog;
    appendFileSync(log.path, `${enhanced(START + Math.floor(number / 3) * 10, String(number))}\n`);
    expected.push(String(number));
  }
  const texts = (lines: readonly StoredLine[]) => lines.map(({ record }) => record.text);
  const merged = texts(await all(store.range(ALL)));
  expect([...merged].sort((one, other) => Number(one) - Number(other))).toEqual(expected);
  expect(merged.map((text) => Math.floor(Number(text) / 3))).toEqual(
    expected.map((text) => Math.floor(Number(text) / 3)),
  );
  expect(
    texts(await store.tail(ALL, 50))
      .map(Number)
      .every((number) => number >= 249),
  ).toBe(true);
  const found = await pages((cursor) =>
    store.search({ ...ALL, text: '', order: 'newest', limit: 11, cursor }),
  );
  expect(new Set(texts(found)).size).toBe(300);
  expect(found).toHaveLength(300);
});

test('a replay keeps the pauses, scaled, and no longer than allowed', async () => {
  const { logs, store, clock } = several(['a']);
  const [log] = logs as [StoredLog];
  for (const second of [0, 10, 11, 3611])
    appendFileSync(log.path, `${enhanced(START + second * 1000, String(second))}\n`);
  const at: number[] = [];
  const replay = async (pace: { speed: number; longestPause: number | null }) => {
    at.length = 0;
    const begin = clock.now();
    const isDone = { now: false };
    const done = (async () => {
      for await (const line of store.replay(ALL, pace)) if (line.isStamped) at.push(clock.now() - begin);
      isDone.now = true;
    })();
    while (!isDone.now) {
      await new Promise((resolve) => setImmediate(resolve));
      if (clock.pending > 0) clock.runNext();
    }
    await done;
    return [...at];
  };
  expect(await replay({ speed: 10, longestPause: null })).toEqual([0, 1000, 1100, 361_100]);
  expect(await replay({ speed: 1, longestPause: 5000 })).toEqual([0, 5000, 6000, 11_000]);
  expect(await replay({ speed: Infinity, longestPause: null })).toEqual([0, 0, 0, 0]);
});
