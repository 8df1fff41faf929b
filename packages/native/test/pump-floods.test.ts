import { closeSync, openSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { timeFactor } from './harness.ts';
import { checkLines, lines, numbersIn, openPumpBench } from './pump-bench.ts';

/** The whole of it takes minutes, and gigabytes in the temporary directory. */
const isLong = Boolean(process.env['HSU_LONG']);
const scaled = (full: number, usual: number): number => (isLong ? full : usual);
const limit = (isLong ? 900_000 : 60_000) * timeFactor;
const rotated = { maxSize: 20_000_000, maxFiles: 10_000 };
/** The second of two writers counts from here on. */
const OTHER = 1_000_000_000;

describe('a flood', () => {
  it.each(['plain', 'json'] as const)(
    'of one worker, %s: every line once and in order',
    async (format) => {
      const count = scaled(10_000_000, 300_000);
      const bench = openPumpBench();
      const channel = bench.open({ ...rotated, format });
      expect(await bench.run(`exec ${lines()} write 0 ${count} 100 0`)).toBe(0);
      const { counts } = await bench.ended(channel);
      expect(counts).toMatchObject({ bytes: count * 100, lines: count, droppedBytes: 0, droppedLines: 0 });
      if (format === 'plain') expect(checkLines(bench.files())).toBe(`OK ${count}`);
      else expect(checkLines(bench.files(), 0, `sed 's/.*"message":"//; s/"}$//'`)).toBe(`OK ${count}`);
    },
    limit,
  );

  it(
    'of a hundred workers at once: every line of each',
    async () => {
      const count = scaled(100_000, 2000);
      const bench = openPumpBench();
      const names = Array.from({ length: 100 }, (_, index) => `worker${index}`);
      const channels = names.map((name) =>
        bench.open({ ...rotated, fifo: join(bench.place, name), file: join(bench.place, `${name}.log`) }),
      );
      await Promise.all(
        names.map((name) => bench.run(`exec ${lines()} write 0 ${count} 100 0`, join(bench.place, name))),
      );
      for (const channel of channels) await bench.ended(channel);
      for (const name of names) expect(checkLines(bench.files(`${name}.log`))).toBe(`OK ${count}`);
    },
    limit,
  );

  it(
    'of single bytes: no line is broken',
    async () => {
      const count = scaled(50_000, 1000);
      const bench = openPumpBench();
      const channel = bench.open({ maxSize: 100_000, maxFiles: 10_000 });
      await bench.run(`exec ${lines()} write 0 ${count} 100 1`);
      expect((await bench.ended(channel)).counts.lines).toBe(count);
      expect(checkLines(bench.files())).toBe(`OK ${count}`);
    },
    limit,
  );

  it.each(['plain', 'json'] as const)(
    'of lines of ten megabytes, %s: all bytes are there, and memory stays as it is',
    async (format) => {
      const count = scaled(100, 5);
      const bench = openPumpBench();
      const before = process.memoryUsage.rss();
      const channel = bench.open({ format });
      await bench.run(`exec ${lines()} write 0 ${count} 10000000 65536`);
      expect((await bench.ended(channel)).counts).toMatchObject({
        bytes: count * 10_000_000,
        lines: count,
        droppedBytes: 0,
      });
      expect(process.memoryUsage.rss() - before).toBeLessThan(64 * 1024 * 1024);
      if (format === 'plain') expect(checkLines(bench.files())).toBe(`OK ${count}`);
      // Cut into pieces that say so, each a line of JSON.
      else
        expect(bench.files().reduce((sum, file) => sum + statSync(file).size, 0)).toBeGreaterThan(
          count * 1e7,
        );
    },
    limit,
  );

  it(
    'of binary garbage: byte for byte',
    async () => {
      const bytes = scaled(300_000_000, 5_000_000);
      const bench = openPumpBench();
      const source = join(bench.place, 'source');
      const channel = bench.open();
      await bench.run(`head -c ${bytes} /dev/urandom > ${source}; cat ${source}`);
      expect((await bench.ended(channel)).counts.bytes).toBe(bytes);
      expect(await bench.run(`cmp ${source} ${join(bench.place, 'log')}`, '/dev/null')).toBe(0);
    },
    limit,
  );

  it(
    'is no neighbour’s: a thousand quiet workers are heard beside it',
    async () => {
      const bench = openPumpBench();
      const flooding = bench.open();
      const flood = bench.run(`exec ${lines()} write 0 ${scaled(5_000_000, 200_000)} 100 0`);
      const names = Array.from({ length: 1000 }, (_, index) => join(bench.place, `quiet${index}`));
      const channels = names.map((fifo) => bench.open({ fifo, file: `${fifo}.log` }));
      const held = names.map((fifo) => openSync(fifo, 'r+'));
      for (let round = 0; round < 3; round += 1) {
        for (const fd of held) writeSync(fd, `round ${round}\n`);
        await expect
          .poll(() => channels.every((channel) => bench.pump.counts(channel)?.lines === round + 1), {
            timeout: 10_000 * timeFactor,
          })
          .toBe(true);
      }
      for (const fd of held) closeSync(fd);
      for (const channel of channels) await bench.ended(channel);
      expect(bench.text('quiet999.log')).toBe('round 0\nround 1\nround 2\n');
      await flood;
      await bench.ended(flooding);
    },
    limit,
  );
});

describe('two streams with one file', () => {
  it.each([
    ['plain', 0, 0],
    ['plain', 1000, 0],
    ['plain', 65_536, 0],
    ['plain', 1000, 0.02],
    ['json', 1000, 0],
  ] as const)(
    '%s, written %i bytes at once, the second begins after %d s: no line is torn by one of the other',
    async (format, atOnce, later) => {
      const count = scaled(3_000_000, 200_000);
      const bench = openPumpBench();
      const [first, second] = [join(bench.place, 'first'), join(bench.place, 'second')];
      const channels = [first, second].map((fifo) => bench.open({ ...rotated, fifo, format }));
      await Promise.all([
        bench.run(`exec ${lines()} write 0 ${count} 101 ${atOnce}`, first),
        bench.run(`sleep ${later}; exec ${lines()} write ${OTHER} ${count} 101 ${atOnce}`, second),
      ]);
      for (const channel of channels) await bench.ended(channel);
      const found = bench.files().flatMap((file) => numbersIn(file, format));
      const isOther = (number: number) => number >= OTHER;
      const [own, others] = [found.filter((number) => !isOther(number)), found.filter(isOther)];
      expect(own.findIndex((number, index) => number !== index)).toBe(-1);
      expect(others.findIndex((number, index) => number !== OTHER + index)).toBe(-1);
      expect([own.length, others.length]).toEqual([count, count]);
    },
    limit,
  );

  it('the beginning of a line is shown though its end does not come', async () => {
    const bench = openPumpBench();
    const [first, second] = [join(bench.place, 'first'), join(bench.place, 'second')];
    const channels = [first, second].map((fifo) => bench.open({ fifo }));
    const [one, other] = [openSync(first, 'r+'), openSync(second, 'r+')];
    writeSync(one, 'begun\n');
    writeSync(other, 'Your name: ');
    await expect.poll(() => bench.text(), { timeout: 5000 * timeFactor }).toBe('begun\nYour name: ');
    writeSync(one, 'meanwhile\n');
    await expect.poll(() => bench.text(), { timeout: 5000 * timeFactor }).toContain('meanwhile\n');
    closeSync(one);
    closeSync(other);
    for (const channel of channels) await bench.ended(channel);
  });
});
