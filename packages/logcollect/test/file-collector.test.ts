import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { RunListener } from '../src/index.ts';
import { Place } from './support/place.ts';

describe('files', () => {
  test('are made at the first byte, with their folders, and are not readable by everybody', async () => {
    const place = new Place();
    const stdoutFile = join(place.folder, 'deep', 'er', 'out.log');
    const stderrFile = join(place.folder, 'err.log');
    const output = place.open({ stdoutFile, stderrFile });
    await place.write(output, '');
    expect(existsSync(join(place.folder, 'deep'))).toBe(false);
    await place.write(output, 'hello\n');
    expect(place.text('deep/er/out.log')).toBe('hello\n');
    expect(statSync(stdoutFile).mode & 0o777 & ~0o640).toBe(0);
    output.end('stdout');
    output.end('stderr');
    expect(existsSync(stderrFile)).toBe(false);
  });

  test('with the same path for both streams hold them in the order of arrival', async () => {
    const place = new Place();
    const output = place.open();
    let expected = '';
    for (let index = 0; index < 500; index += 1) {
      const line = `${index}\n`;
      expected += line;
      void place.write(output, line, index % 3 === 0 ? 'stderr' : 'stdout');
    }
    await place.settled();
    expect(place.text()).toBe(expected);
    expect(place.done).toBe(place.written);
  });

  test('are appended to by the next run, and by the next master', async () => {
    const place = new Place();
    await place.write(place.open({}, 1), 'one\n');
    await place.write(place.open({}, 2), 'two\n');
    await place.collector.close();
    const next = new Place({ folder: place.folder });
    await next.write(next.open(), 'three\n');
    expect(next.text()).toBe('one\ntwo\nthree\n');
  });

  test('hold every byte as it came, also what is no text', async () => {
    const place = new Place();
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
    await place.write(place.open(), bytes);
    expect(Buffer.from(place.text(), 'utf8').length).toBeGreaterThan(256);
    expect(statSync(place.file).size).toBe(256);
  });

  test('that nobody writes to are closed after a while and opened again for more', async () => {
    const place = new Place();
    const output = place.open();
    await place.write(output, 'one\n');
    expect(place.descriptors()).toBe(1);
    await place.quiet();
    place.clock.advance(60_000);
    await expect.poll(() => place.descriptors()).toBe(0);
    expect(place.clock.pending).toBe(0);
    await place.write(output, 'two\n');
    expect(place.text()).toBe('one\ntwo\n');
  });

  test('are waited for until every captured stream of every run has ended, but not for longer than asked', async () => {
    const place = new Place();
    const first = place.open();
    const second = place.open({ captureStderr: false }, 2);
    let drained = 0;
    const waiting = [1000, 2000].map((timeout) =>
      place.collector.drained(timeout).then(() => {
        drained += 1;
      }),
    );
    first.end('stdout');
    first.end('stdout');
    second.end('stdout');
    place.clock.advance(1000);
    await waiting[0];
    expect(drained).toBe(1);
    first.end('stderr');
    await waiting[1];
    await place.collector.drained(1000);
    expect(place.clock.pending).toBe(0);
  });

  test('are written to the end and closed by close, also what was not waited for', async () => {
    const place = new Place();
    const output = place.open();
    const line = `${'x'.repeat(99)}\n`;
    for (let index = 0; index < 1000; index += 1) void place.write(output, line);
    await place.collector.close();
    expect(statSync(place.file).size).toBe(100_000);
    expect(place.descriptors()).toBe(0);
    expect(place.clock.pending).toBe(0);
    await place.write(output, 'too late\n');
    expect(statSync(place.file).size).toBe(100_000);
  });
});

describe('the last lines', () => {
  test('are those of the latest run and of one stream, the unfinished one included', async () => {
    const place = new Place();
    const output = place.open();
    expect(place.collector.lastLines('web', 5, 'stderr')).toEqual([]);
    void place.write(output, 'out\n');
    void place.write(output, 'a\r\nb\n\nc', 'stderr');
    expect(place.collector.lastLines('web', 2, 'stderr')).toEqual(['', 'c']);
    expect(place.collector.lastLines('web', 9, 'stderr')).toEqual(['a', 'b', '', 'c']);
    place.open({}, 2);
    expect(place.collector.lastLines('web', 9, 'stderr')).toEqual([]);
    await place.settled();
  });

  test('of a run are told when its stderr has ended, also when the next run has begun', async () => {
    const place = new Place();
    const { collector } = place;
    const first = place.open({}, 1);
    const words = collector.lastWords('web', 1, 100);
    void place.write(first, 'not these\n');
    const second = place.open({}, 2);
    void place.write(second, 'nor these\n', 'stderr');
    void place.write(first, 'farewell\n', 'stderr');
    first.end('stderr');
    expect(await words).toBe('farewell');
    expect(collector.lastLines('web', 1, 'stderr')).toEqual(['nor these']);
    expect(await collector.lastWords('web', 1, 100)).toBe('farewell');
    first.end('stdout');
    expect(await collector.lastWords('web', 1, 100)).toBeNull();
    expect(await collector.lastWords('other', 1, 100)).toBeNull();
    expect(place.clock.pending).toBe(1);
    await place.settled();
  });

  test('of a run whose stderr somebody holds open are what was said in time', async () => {
    const place = new Place();
    const output = place.open();
    void place.write(output, 'so far\n', 'stderr');
    const words = place.collector.lastWords('web', 1, 100);
    place.clock.advance(100);
    expect(await words).toBe('so far');
    await place.settled();
  });

  test('of a run whose stderr is not kept are not waited for', async () => {
    const place = new Place();
    place.open({ captureStderr: false });
    expect(await place.collector.lastWords('web', 1, 100)).toBeNull();
  });

  test('are bounded however much is written', async () => {
    const place = new Place();
    const output = place.open();
    for (let index = 0; index < 300; index += 1) {
      await place.write(output, `${'y'.repeat(index)}${index}\n`);
    }
    const lines = place.collector.lastLines('web', 1000, 'stdout');
    expect(lines.at(-1)).toBe(`${'y'.repeat(299)}299`);
    expect(lines.join('\n').length).toBeLessThanOrEqual(4096);
    await place.write(output, Buffer.alloc(100_000, 'z'));
    expect(place.collector.lastLines('web', 3, 'stdout')).toEqual(['z'.repeat(4096)]);
    for (let index = 0; index < 200; index += 1) await place.write(output, 'l\n');
    expect(place.collector.lastLines('web', 1000, 'stdout')).toHaveLength(64);
  });
});

test('listeners hear every run from when they subscribe until they end it', async () => {
  const place = new Place();
  const heard: string[] = [];
  const output = place.open({}, 7);
  void place.write(output, 'before');
  const end = place.collector.subscribe({
    open(workerId, run): RunListener {
      heard.push(`open ${workerId} ${run}`);
      return {
        chunk: (stream, bytes) => void heard.push(`${stream} ${Buffer.from(bytes).toString()}`),
        end: (stream) => void heard.push(`${stream} ended`),
      };
    },
  });
  void place.write(output, 'a');
  void place.write(output, 'b', 'stderr');
  output.end('stderr');
  end();
  void place.write(output, 'after');
  await place.settled();
  expect(heard).toEqual(['open web 7', 'stdout a', 'stderr b', 'stderr ended']);
});

test('what each worker has written is counted, and what could not be', async () => {
  const place = new Place();
  const output = place.open();
  await place.write(output, 'one\ntwo\nno end');
  const full = new Place({ folder: '/proc/nowhere' });
  await full.write(full.open(), 'lost\n');
  expect(place.collector.written().get('web')).toMatchObject({ bytes: 14, lines: 2, droppedBytes: 0 });
  expect(full.collector.written().get('web')).toMatchObject({ bytes: 0, lines: 0, droppedBytes: 5 });
});
