import {
  chownSync,
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isRoot, runProgram } from './harness.ts';
import { checkLines, folder, lines, openPumpBench } from './pump-bench.ts';

describe('a channel', () => {
  it('carries every byte of a flood, in order, and counts them', async () => {
    const bench = openPumpBench();
    const channel = bench.open();
    const done = bench.run(`exec ${lines()} write 0 300000 100 0`);
    expect(await done).toBe(0);
    const { counts } = await bench.ended(channel);
    expect(counts).toMatchObject({ bytes: 30_000_000, lines: 300_000, droppedBytes: 0, droppedLines: 0 });
    expect(checkLines(bench.files())).toBe('OK 300000');
  });

  it('ends when the last holder is gone, not when the first is, and its FIFO is removed', async () => {
    const bench = openPumpBench();
    const channel = bench.open();
    const code = await bench.run('echo first; (sleep 0.2; echo second) & exit 3');
    expect(code).toBe(3);
    expect(bench.events.filter(({ type }) => type === 'channel-end')).toEqual([]);
    const { counts } = await bench.ended(channel);
    expect(bench.text()).toBe('first\nsecond\n');
    expect(counts.lines).toBe(2);
    expect(existsSync(join(bench.place, 'fifo'))).toBe(false);
  });

  it('carries single bytes, lines of ten megabytes and binary garbage as they are', async () => {
    const bench = openPumpBench();
    const channel = bench.open();
    await bench.run(`exec ${lines()} write 0 300 100 1`);
    await bench.ended(channel);
    const second = bench.open();
    await bench.run(`${lines()} write 300 3 10000000 65000`);
    await bench.ended(second);
    expect(checkLines(bench.files())).toBe('OK 303');
    const third = bench.open({ file: join(bench.place, 'garbage') });
    const garbage = join(bench.place, 'source');
    await bench.run(`head -c 3000000 /dev/urandom > ${garbage}; cat ${garbage}`);
    await bench.ended(third);
    expect(await bench.run(`cmp ${garbage} ${join(bench.place, 'garbage')}`, '/dev/null')).toBe(0);
  });

  it('counts a last line without an end, and keeps the last bytes', async () => {
    const bench = openPumpBench();
    const channel = bench.open();
    await bench.run('echo one; printf two');
    const { counts } = await bench.ended(channel);
    expect(counts).toMatchObject({ bytes: 7, lines: 2 });
    expect(bench.pump.counts(channel)).toMatchObject({ bytes: 7, lines: 2 });
    expect(bench.pump.tail(channel).toString()).toBe('one\ntwo');
    bench.pump.forget(channel);
  });

  it('is told to have ended when it was let go, and carries on', async () => {
    const bench = openPumpBench();
    const channel = bench.open();
    const go = join(bench.place, 'go');
    const done = bench.run(`echo one; until [ -e ${go} ]; do sleep 0.02; done; echo two`);
    await expect.poll(() => bench.pump.counts(channel)?.bytes).toBe(4);
    bench.pump.letGo(channel);
    const { counts } = await bench.ended(channel);
    expect(counts.bytes).toBe(4);
    writeFileSync(go, '');
    await done;
    await expect.poll(() => bench.text()).toBe('one\ntwo\n');
  });

  it('that nobody will write to ends when it is discarded', async () => {
    const bench = openPumpBench();
    const channel = bench.open();
    bench.pump.discard(channel);
    expect((await bench.ended(channel)).counts.bytes).toBe(0);
    expect(existsSync(join(bench.place, 'fifo'))).toBe(false);
    expect(existsSync(join(bench.place, 'log'))).toBe(false);
  });

  it('writes to what is no regular file', async () => {
    const bench = openPumpBench();
    const channel = bench.open({ file: '/dev/null', maxSize: 1000, maxFiles: 1 });
    await bench.run(`exec ${lines()} write 0 1000 100 0`);
    expect((await bench.ended(channel)).counts).toMatchObject({ lines: 1000, droppedBytes: 0 });
    expect(existsSync('/dev/null.1')).toBe(false);
  });

  it('makes the folders of its file', async () => {
    const bench = openPumpBench();
    const file = join(bench.place, 'a', 'b', 'log');
    const channel = bench.open({ file });
    await bench.run('echo deep');
    await bench.ended(channel);
    expect(statSync(file).size).toBe(5);
  });
});

describe('rotation', () => {
  it.each([1, 100, 4096, 65_000])(
    'at line ends, within the bound; written %i bytes at once',
    async (atOnce) => {
      const bench = openPumpBench();
      const count = atOnce === 1 ? 500 : 20_000;
      const maxSize = atOnce === 1 ? 2000 : 60_000;
      const channel = bench.open({ maxSize, maxFiles: 1000 });
      await bench.run(`exec ${lines()} write 0 ${count} 101 ${atOnce}`);
      await bench.ended(channel);
      expect(checkLines(bench.files())).toBe(`OK ${count}`);
      const files = bench.files();
      for (const file of files) {
        expect(statSync(file).size % 101).toBe(0);
        expect(statSync(file).size).toBeLessThanOrEqual(maxSize);
      }
      for (const file of files.slice(0, -1)) expect(statSync(file).size).toBeGreaterThan(maxSize * 0.9);
      expect(bench.events.filter(({ type }) => type === 'rotated')).toHaveLength(files.length - 1);
    },
  );

  it('keeps so many files, and cuts a line only where it is longer than a file', async () => {
    const bench = openPumpBench();
    const channel = bench.open({ maxSize: 1000, maxFiles: 3 });
    await bench.run(`${lines()} write 0 100 100 0; ${lines()} write 100 1 2500 0`);
    await bench.ended(channel);
    expect(bench.files().map((file) => statSync(file).size)).toEqual([1000, 1000, 1000, 500]);
  });
});

it('a file is rotated when a new stretch of time begins, and not in the middle of a line', async () => {
  const bench = openPumpBench();
  const channel = bench.open({ rotateEvery: 1, maxFiles: 5 });
  await bench.run('printf "one\\nhalf "; sleep 1.2; printf "line\\ntwo\\n"; sleep 1.2; echo three');
  await bench.ended(channel);
  const texts = bench.files().map((file) => readFileSync(file, 'utf8'));
  expect(texts).toEqual(['one\nhalf line\n', 'two\n', 'three\n']);
});

describe('a file that others touch', () => {
  async function settled(
    bench: ReturnType<typeof openPumpBench>,
    channel: number,
    bytes: number,
  ): Promise<void> {
    await expect.poll(() => bench.pump.counts(channel)?.bytes).toBe(bytes);
  }

  it('moved, removed or cut is noticed, and written where its path is', async () => {
    const bench = openPumpBench();
    const channel = bench.open();
    const fd = openSync(join(bench.place, 'fifo'), 'r+');
    const log = join(bench.place, 'log');
    writeSync(fd, 'one\n');
    await settled(bench, channel, 4);
    rmSync(log);
    writeSync(fd, 'two\n');
    await settled(bench, channel, 8);
    expect(bench.text()).toBe('two\n');
    truncateSync(log);
    writeSync(fd, 'three\n');
    await settled(bench, channel, 14);
    expect(bench.text()).toBe('three\n');
    renameSync(log, join(bench.place, 'moved'));
    let written = 14;
    await expect
      .poll(
        async () => {
          writeSync(fd, 'four\n');
          written += 5;
          await settled(bench, channel, written);
          return existsSync(log);
        },
        { timeout: 5000, interval: 100 },
      )
      .toBe(true);
    closeSync(fd);
    await bench.ended(channel);
  });
});

describe('a tap', () => {
  it('delivers what is carried from then on; one that may wait misses nothing', async () => {
    const bench = openPumpBench();
    const channel = bench.open();
    bench.pump.tap(channel, 'wait');
    await bench.run(`exec ${lines()} write 0 100000 100 0`);
    await bench.ended(channel);
    const bytes = bench.events.reduce(
      (sum, event) => sum + (event.type === 'tapped' ? event.data.length : 0),
      0,
    );
    expect(bytes).toBe(10_000_000);
    expect(checkLines(bench.files())).toBe('OK 100000');
  });

  it('that is not read misses bytes, counts them, and holds nobody up', async () => {
    const bench = openPumpBench();
    bench.consuming = false;
    const channel = bench.open();
    bench.pump.tap(channel, 'lose');
    await bench.run(`exec ${lines()} write 0 100000 100 0`);
    const { counts } = await bench.ended(channel);
    const bytes = bench.events.reduce(
      (sum, event) => sum + (event.type === 'tapped' ? event.data.length : 0),
      0,
    );
    expect(bytes + counts.untappedBytes).toBe(10_000_000);
    expect(bytes).toBeLessThan(2_000_000);
    expect(checkLines(bench.files())).toBe('OK 100000');
  });
});

describe('the end', () => {
  it('takes what is there, and leaves a FIFO that somebody holds to the next', async () => {
    const bench = openPumpBench();
    const channel = bench.open();
    const fd = openSync(join(bench.place, 'fifo'), 'r+');
    writeSync(fd, 'one\n');
    bench.pump.stop();
    await bench.next('pump-closed');
    expect(bench.text()).toBe('one\n');
    expect(existsSync(join(bench.place, 'fifo'))).toBe(true);
    writeSync(fd, 'two\n');
    bench.pump.close();
    const next = openPumpBench(bench.place);
    const again = next.open();
    next.pump.carryOn();
    closeSync(fd);
    expect((await next.ended(again)).counts.bytes).toBe(4);
    expect(next.text()).toBe('one\ntwo\n');
    expect(channel).toBeGreaterThan(0);
  });
});

describe.runIf(isRoot)('a user with more channels than have full size (needs root: becomes nobody)', () => {
  it('has small ones beyond, which is told once, and which carry all', async () => {
    const place = folder();
    chownSync(place, 65_534, 65_534);
    const run = runProgram('small-channels', [place, '1100'], { uid: 65_534, gid: 65_534 });
    expect(await run.closed).toMatchObject({ code: 0, stdout: 'small 8192\nbytes 20000000, dropped 0\n' });
  });
});
