import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planBatch } from '../src/file/batch.ts';
import { Place } from './support/place.ts';

/** All that was ever written, the oldest file first. */
function everything(place: Place): string {
  return [...place.names()]
    .reverse()
    .map((name) => place.text(name))
    .join('');
}

describe('rotation', () => {
  test('shifts the files, keeps as many as it may, and says so', async () => {
    const place = new Place();
    const output = place.open({ maxSize: 10, maxFiles: 2 });
    for (const word of ['one', 'two', 'three', 'four', 'five'])
      await place.write(output, `${word}......`.slice(0, 9) + '\n');
    expect(place.names()).toEqual(['web.log', 'web.log.1', 'web.log.2']);
    expect(place.text()).toBe('five.....\n');
    expect(place.text('web.log.1')).toBe('four.....\n');
    expect(place.text('web.log.2')).toBe('three....\n');
    expect(place.events).toEqual(
      Array.from({ length: 4 }, () => ({ type: 'log.rotated', payload: { file: place.file } })),
    );
  });

  test('keeps nothing where nothing is to be kept, and removes what an earlier setting left', async () => {
    const place = new Place();
    for (const number of [1, 2, 3, 5]) writeFileSync(join(place.folder, `web.log.${number}`), 'old');
    const output = place.open({ maxSize: 4, maxFiles: 0 });
    await place.write(output, 'one\n');
    await place.write(output, 'two\n');
    expect(place.names()).toEqual(['web.log', 'web.log.5']);
    expect(place.text()).toBe('two\n');
  });

  test('counts what an earlier master left in the file', async () => {
    const place = new Place();
    writeFileSync(place.file, '123456789\n');
    await place.write(place.open({ maxSize: 12 }), 'abc\n');
    expect(place.text('web.log.1')).toBe('123456789\n');
    expect(place.text()).toBe('abc\n');
  });

  test('is off with a size of 0', async () => {
    const place = new Place();
    await place.write(place.open({ maxSize: 0 }), 'x'.repeat(100_000));
    expect(place.names()).toEqual(['web.log']);
  });

  test('F1: a line of 10 MB without an end is cut, and nothing of it is lost', async () => {
    const place = new Place();
    const output = place.open({ maxSize: 1_000_000, maxFiles: 50 });
    const piece = Buffer.alloc(64 * 1024, 'abcdefg');
    for (let index = 0; index < 160; index += 1) await place.write(output, piece);
    expect(place.names().every((name) => readFileSync(join(place.folder, name)).length <= 1_000_000)).toBe(
      true,
    );
    expect(everything(place)).toBe(piece.toString().repeat(160));
  });

  test('loses and doubles no byte, keeps the bound, and cuts no line that fits, however the bytes come', async () => {
    const property = fc.asyncProperty(
      fc.integer({ min: 320, max: 5000 }),
      fc.array(fc.integer({ min: 0, max: 19 }), { maxLength: 400 }),
      fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 20 }),
      fc.array(fc.boolean(), { minLength: 1, maxLength: 10 }),
      async (maxSize, lineLengths, chunkLengths, waits) => {
        const place = new Place();
        const output = place.open({ maxSize, maxFiles: 900 });
        const text = lineLengths.map((length, index) => `${String(index % 10).repeat(length)}\n`).join('');
        for (let at = 0, turn = 0; at < text.length; turn += 1) {
          const length = chunkLengths[turn % chunkLengths.length] as number;
          const written = place.write(output, text.slice(at, at + length));
          if (waits[turn % waits.length]) await written;
          at += length;
        }
        await place.collector.close();
        expect(everything(place)).toBe(text);
        expect(place.done).toBe(place.written);
        for (const name of place.names()) {
          const part = place.text(name);
          expect(Buffer.byteLength(part)).toBeLessThanOrEqual(maxSize);
          expect(part.endsWith('\n')).toBe(true);
        }
      },
    );
    await fc.assert(property, { numRuns: 60 });
  });

  test('loses and doubles no byte with lines longer than files', async () => {
    const property = fc.asyncProperty(
      fc.integer({ min: 5, max: 60 }),
      fc.array(fc.uint8Array({ minLength: 1, maxLength: 50 }), { maxLength: 20 }),
      async (maxSize, chunks) => {
        const place = new Place();
        const output = place.open({ maxSize, maxFiles: 220 });
        for (const chunk of chunks) void place.write(output, chunk);
        await place.collector.close();
        const parts = [...place.names()].reverse().map((name) => readFileSync(join(place.folder, name)));
        expect(Buffer.concat(parts)).toEqual(Buffer.concat(chunks));
        expect(parts.every((part) => part.length <= maxSize)).toBe(true);
      },
    );
    await fc.assert(property, { numRuns: 40 });
  });
});

describe('the plan of a write', () => {
  const extent = { size: 0, atLineEnd: true };

  test('always gets on: it takes bytes or makes room', () => {
    const property = fc.property(
      fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 10 }),
      fc.integer({ min: 0, max: 300 }),
      fc.boolean(),
      fc.integer({ min: 1, max: 200 }),
      (chunks, size, atLineEnd, maxSize) => {
        const plan = planBatch(chunks, { size, atLineEnd }, maxSize);
        expect(plan.take > 0 || (plan.rotate && size > 0)).toBe(true);
        expect(size + plan.take <= maxSize || plan.take === 0).toBe(true);
      },
    );
    fc.assert(property);
  });

  test('takes at most one MiB at once', () => {
    const chunks = Array.from({ length: 40 }, () => Buffer.alloc(64 * 1024));
    expect(planBatch(chunks, extent, 0)).toEqual({ take: 1024 * 1024, rotate: false });
  });

  test('begins a line in the next file rather than cutting it', () => {
    expect(planBatch([Buffer.from('abcdef\n')], { size: 95, atLineEnd: true }, 100)).toEqual({
      take: 0,
      rotate: true,
    });
    expect(planBatch([Buffer.from('ab\ncdef\n')], { size: 95, atLineEnd: true }, 100)).toEqual({
      take: 3,
      rotate: true,
    });
    expect(planBatch([Buffer.from('abcdef\n')], { size: 95, atLineEnd: false }, 100)).toEqual({
      take: 5,
      rotate: true,
    });
  });
});
