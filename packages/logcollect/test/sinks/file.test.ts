import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { folder } from '../support/place.ts';
import { record, records } from '../support/records.ts';
import { offer, sinkOf } from '../support/sinks.ts';

const CLOSE = 60_000;

test('lines of many workers go to one file that is rotated at a line’s end', async () => {
  const place = folder();
  const path = join(place, 'deep/er/all.log');
  const rotation = { max_size: 2000, max_files: 50 };
  const { queue } = sinkOf({ type: 'file', path, format: 'plain', prefix: '{worker_id} ', rotation });
  offer(queue, records(400));
  offer(queue, records(100, { workerId: 'db', text: 'x' }));
  await queue.close(CLOSE);
  const files = readdirSync(join(place, 'deep/er'));
  expect(files.length).toBeGreaterThan(2);
  const ordered = files.toSorted((a, b) => Number(/\d+$/.exec(b) ?? 0) - Number(/\d+$/.exec(a) ?? 0));
  const texts = ordered.map((name) => readFileSync(join(place, 'deep/er', name), 'utf8'));
  expect(texts.every((text) => text.length <= 2000 && text.endsWith('\n'))).toBe(true);
  const lines = texts.join('').trimEnd().split('\n');
  expect(lines).toHaveLength(500);
  expect(lines.filter((line) => line.startsWith('web '))).toEqual(
    records(400).map(({ text }) => `web ${text}`),
  );
});

test('while the file cannot be written, records wait', async () => {
  const place = folder();
  const path = join(place, 'all.log');
  mkdirSync(path);
  const { queue, news } = sinkOf({ type: 'file', path, format: 'plain' });
  offer(queue, records(30));
  await expect.poll(() => news.length).toBe(1);
  expect(news[0]).toMatchObject({ kind: 'failing', reason: expect.stringContaining('EISDIR') as string });
  expect(queue.counters()).toMatchObject({ waiting: 30, dropped: 0 });
  rmSync(path, { recursive: true });
  await expect.poll(() => queue.counters().delivered).toBe(30);
  await queue.close(CLOSE);
  expect(readFileSync(path, 'utf8')).toBe(
    records(30)
      .map(({ text }) => `${text}\n`)
      .join(''),
  );
});

test('rotated files that are too old are removed', async () => {
  const place = folder();
  const path = join(place, 'all.log');
  for (const number of [1, 2]) writeFileSync(`${path}.${number}`, 'old');
  const longAgo = Date.now() / 1000 - 8 * 86_400;
  utimesSync(`${path}.2`, longAgo, longAgo);
  chmodSync(`${path}.1`, 0o600);
  const { queue } = sinkOf({ type: 'file', path, rotation: { max_age: '7d' } });
  queue.offer(record());
  await queue.close(CLOSE);
  expect([existsSync(`${path}.1`), existsSync(`${path}.2`)]).toEqual([true, false]);
});

test('lines for the master’s own streams are written together, and are harmless there', async () => {
  const written: string[] = [];
  const { queue } = sinkOf(
    { type: 'master_stdout', prefix: '> ', format: 'plain' },
    {
      stdout: async (text) => {
        written.push(text);
        await Promise.resolve();
      },
    },
  );
  offer(queue, [record({ text: 'a\u001b[2J\u0007b' }), record({ text: 'c' })]);
  await queue.close(CLOSE);
  expect(written).toEqual(['> ab\n> c\n']);
});

test('a stream of the master that nobody reads any more holds the records back and is told', async () => {
  const { queue, news } = sinkOf(
    { type: 'stderr' },
    { stderr: () => Promise.reject(new Error('EPIPE: nobody reads')) },
  );
  offer(queue, records(2));
  await expect.poll(() => news.length).toBe(1);
  await queue.close(0);
  expect(news[0]).toMatchObject({ kind: 'failing', reason: 'EPIPE: nobody reads' });
  expect(queue.counters()).toMatchObject({ dropped: 2 });
});
