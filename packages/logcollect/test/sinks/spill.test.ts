import { mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LogRecord } from '../../src/record.ts';
import { Spill } from '../../src/sinks/spill.ts';
import { realSpillDisk } from '../../src/sinks/spill-disk.ts';
import { decodeHeader, decodePayload, encodeFrame, HEADER_BYTES } from '../../src/sinks/spill-frame.ts';
import { FakeSpillDisk } from '../support/fake-spill-disk.ts';
import { folder } from '../support/place.ts';
import { record, records } from '../support/records.ts';

const MIB = 1024 * 1024;

/** Ten segments of ten records each, in a folder of their own. */
async function written(place: string): Promise<string[]> {
  for (let count = 0; count < 10; count += 1) {
    // One that is opened anew begins a new segment.
    const spill = new Spill({ folder: place, maxBytes: MIB }, realSpillDisk);
    await spill.open();
    for (let frame = 0; frame < 2; frame += 1)
      await spill.append(records(5).map((item) => ({ ...item, seq: count * 10 + frame * 5 + item.seq })));
  }
  return readdirSync(place)
    .filter((name) => name.endsWith('.spill'))
    .sort()
    .map((name) => join(place, name));
}

async function readAll(place: string): Promise<{ seqs: number[]; damaged: number; bytes: number }> {
  const spill = new Spill({ folder: place, maxBytes: MIB }, realSpillDisk);
  const { torn, damagedBytes } = await spill.open();
  const seqs: number[] = [];
  let damaged = torn;
  for (let next = await spill.read(); next !== null; next = await spill.read()) {
    damaged += next.damaged;
    seqs.push(...next.records.map(({ seq }) => seq));
  }
  return { seqs, damaged, bytes: damagedBytes };
}

const all = Array.from({ length: 100 }, (_unused, index) => index + 1);
const without = (from: number, to: number) => all.filter((seq) => seq < from || seq > to);

describe('damaged files are read as far as they are whole, and the rest is counted', () => {
  test('nothing is damaged', async () => {
    const place = folder();
    await written(place);
    expect(await readAll(place)).toEqual({ seqs: all, damaged: 0, bytes: 0 });
  });

  test('a payload: its records are counted, those behind it are read', async () => {
    const place = folder();
    const paths = await written(place);
    const bytes = readFileSync(paths[3] as string);
    bytes[HEADER_BYTES + 10] = 0;
    writeFileSync(paths[3] as string, bytes);
    expect(await readAll(place)).toEqual({ seqs: without(31, 35), damaged: 5, bytes: 0 });
  });

  test('a header: the rest of its file is counted in bytes', async () => {
    const place = folder();
    const paths = await written(place);
    const bytes = readFileSync(paths[3] as string);
    bytes[6] = 0xff;
    writeFileSync(paths[3] as string, bytes);
    expect(await readAll(place)).toEqual({ seqs: without(31, 40), damaged: 0, bytes: bytes.length });
  });

  test('a file that ends too soon', async () => {
    const place = folder();
    const paths = await written(place);
    const { length } = readFileSync(paths[9] as string);
    truncateSync(paths[9] as string, length - 1);
    const { seqs, damaged } = await readAll(place);
    expect([seqs, damaged]).toEqual([without(96, 100), 5]);
  });

  test('a file that is gone, an empty one, and files of others', async () => {
    const place = folder();
    const paths = await written(place);
    truncateSync(paths[2] as string, 0);
    writeFileSync(join(place, 'notes.txt'), 'not ours');
    mkdirSync(join(place, '0000000099.spill'));
    expect(await readAll(place)).toEqual({ seqs: without(21, 30), damaged: 0, bytes: 0 });
  });

  test('a position that makes no sense: everything is read again', async () => {
    const place = folder();
    await written(place);
    for (const text of ['', '0 999 1 5', 'what?']) {
      writeFileSync(join(place, 'position'), text);
      expect((await readAll(place)).seqs).toEqual(all);
    }
  });

  test('any damage: no error, no record that was never written, and none twice', async () => {
    const disk = new FakeSpillDisk();
    const spill = new Spill({ folder: '/spill', maxBytes: MIB }, disk);
    await spill.open();
    for (let frame = 0; frame < 6; frame += 1)
      await spill.append(records(5).map((item) => ({ ...item, seq: frame * 5 + item.seq })));
    const [path, bytes] = [...disk.files].find(([name]) => name.endsWith('.spill')) as [string, Buffer];
    const damage = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(damage, fc.nat(bytes.length), async (changes, length) => {
        const damaged = Buffer.from(bytes);
        for (const [at, value] of changes) damaged[at] = value;
        const other = new FakeSpillDisk();
        other.files.set(path, damaged.subarray(0, length));
        const next = new Spill({ folder: '/spill', maxBytes: MIB }, other);
        await next.open();
        const seqs: number[] = [];
        for (let read = await next.read(); read !== null; read = await next.read())
          seqs.push(...read.records.map(({ seq }) => seq));
        expect(seqs.every((seq, index) => seq <= 30 && seq > (seqs[index - 1] ?? 0))).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

test('what is delivered is not read again, and its files go', async () => {
  const place = folder();
  const spill = new Spill({ folder: place, maxBytes: MIB }, realSpillDisk);
  await spill.open();
  for (let frame = 0; frame < 4; frame += 1)
    await spill.append(records(5).map((item) => ({ ...item, seq: frame * 5 + item.seq })));
  await spill.read();
  const second = await spill.read();
  await spill.commit({ segment: second?.mark.segment ?? 0, index: 7 });
  expect((await readAll(place)).seqs).toEqual([9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]);
  await spill.commit({ segment: second?.mark.segment ?? 0, index: 19 });
  expect(readdirSync(place)).toEqual(['position']);
  expect(spill.bytes).toBe(0);
  await spill.append(records(1));
  expect((await readAll(place)).seqs).toEqual([1]);
});

test('a frame is read as it was written, whatever is in it', () => {
  const text = fc.string({ unit: 'binary', maxLength: 30 });
  const json = fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<LogRecord['fields'][string]>;
  const arbitrary = fc.record({
    workerId: text,
    run: fc.nat(),
    stream: fc.constantFrom('stdout' as const, 'stderr' as const),
    at: fc.integer({ min: 0 }),
    seq: fc.nat(),
    text,
    damaged: fc.boolean(),
    piece: fc.constantFrom('whole' as const, 'head' as const, 'part' as const, 'tail' as const),
    level: fc.constantFrom(null, 'info' as const, 'alert' as const),
    time: fc.option(fc.nat()),
    message: text,
    fields: fc.dictionary(
      fc.string().filter((key) => key !== '__proto__'),
      json,
      { maxKeys: 3, noNullPrototype: true },
    ),
  });
  fc.assert(
    fc.property(fc.array(arbitrary, { maxLength: 5 }), (written) => {
      const frame = encodeFrame(written);
      const header = decodeHeader(frame);
      expect(header?.count).toBe(written.length);
      const read = header === null ? null : decodePayload(header, frame.subarray(HEADER_BYTES));
      expect(JSON.stringify(read)).toBe(JSON.stringify(written));
    }),
    { numRuns: 40 },
  );
  const frame = encodeFrame([record()]);
  expect(decodeHeader(frame.subarray(0, HEADER_BYTES - 1))).toBeNull();
});
