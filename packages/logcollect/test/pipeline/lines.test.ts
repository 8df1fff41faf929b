import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lineSplitter, MAX_LINE } from '../../src/pipeline/lines.ts';
import type { LogRecord } from '../../src/record.ts';

function split(chunks: readonly (string | Uint8Array)[], maxLine?: number): LogRecord[] {
  const splitter = lineSplitter({
    workerId: 'web',
    run: 1,
    stream: 'stdout',
    numbers: { next: 1 },
    ...(maxLine === undefined ? {} : { maxLine }),
  });
  const records: LogRecord[] = [];
  for (const chunk of chunks) {
    const bytes = Buffer.from(chunk as Uint8Array);
    records.push(...splitter.push(bytes, 7));
    // The chunk belongs to somebody else now.
    bytes.fill(0x21);
  }
  return [...records, ...splitter.end(7)];
}

const texts = (chunks: readonly (string | Uint8Array)[], maxLine?: number) =>
  split(chunks, maxLine).map(({ text }) => text);

describe('lines', () => {
  test.each<[string, (string | Uint8Array)[], string[]]>([
    ['a line', ['one\n'], ['one']],
    ['several in a chunk', ['one\ntwo\n\nthree\n'], ['one', 'two', '', 'three']],
    ['one in several chunks', ['o', 'n', 'e', '\n', 't'], ['one', 't']],
    ['F3: the last one without a newline', ['one\ntwo'], ['one', 'two']],
    ['CRLF', ['one\r\ntwo\r\n'], ['one', 'two']],
    ['CRLF between chunks', ['one\r', '\ntwo'], ['one', 'two']],
    ['F2: a lone CR stays', ['10%\r20%\r\r\n'], ['10%\r20%\r']],
    ['F2: NUL stays', ['a\0b\n'], ['a\0b']],
    ['F11: escape sequences stay', ['\x1b[31mred\x1b[0m\n'], ['\x1b[31mred\x1b[0m']],
    ['F2: a character torn by chunks', [Buffer.from([0xc3]), Buffer.from([0xa4, 0x0a])], ['ä']],
    ['a byte order mark stays', ['\ufeffa\n'], ['\ufeffa']],
    ['nothing', [], []],
    ['an empty chunk', ['', 'a', '', '\n', ''], ['a']],
  ])('%s', (_, chunks, expected) => {
    expect(texts(chunks)).toEqual(expected);
  });

  test('F2: bytes that are no UTF-8 are replaced and flagged; a replacement character of the worker’s own is not', () => {
    const records = split([Buffer.from('a\xff\xfeb\n', 'latin1'), 'c\ufffd\n', 'd\n']);
    expect(records.map(({ text, damaged }) => [text, damaged])).toEqual([
      ['a\ufffd\ufffdb', true],
      ['c\ufffd', false],
      ['d', false],
    ]);
  });

  test('numbers go on across streams and runs', () => {
    const numbers = { next: 5 };
    const out = lineSplitter({ workerId: 'web', run: 1, stream: 'stdout', numbers });
    const err = lineSplitter({ workerId: 'web', run: 2, stream: 'stderr', numbers });
    const records = [...out.push(Buffer.from('a\n'), 1), ...err.push(Buffer.from('b\n'), 2)];
    expect(records).toEqual([
      {
        workerId: 'web',
        run: 1,
        stream: 'stdout',
        at: 1,
        seq: 5,
        text: 'a',
        damaged: false,
        piece: 'whole',
        level: null,
        time: null,
        message: 'a',
        fields: {},
      },
      expect.objectContaining({ run: 2, stream: 'stderr', at: 2, seq: 6, text: 'b' }),
    ]);
  });
});

describe('F1: lines that are too long', () => {
  const pieces = (chunks: readonly (string | Uint8Array)[], maxLine?: number) =>
    split(chunks, maxLine).map(({ text, piece }) => `${piece} ${text}`);

  test.each<[string, string, string[]]>([
    ['of just the bound are whole', `${'x'.repeat(16)}\n`, [`whole ${'x'.repeat(16)}`]],
    ['with CRLF too', `${'x'.repeat(16)}\r\n`, [`whole ${'x'.repeat(16)}`]],
    ['of one more are two pieces', `${'x'.repeat(17)}\ny\n`, [`head ${'x'.repeat(16)}`, 'tail x', 'whole y']],
    ['come in pieces', 'x'.repeat(40), [`head ${'x'.repeat(16)}`, `part ${'x'.repeat(16)}`, 'tail xxxxxxxx']],
    [
      'are cut between characters',
      `${'x'.repeat(15)}äöü${'y'.repeat(9)}\n`,
      [`head ${'x'.repeat(15)}`, 'tail äöüyyyyyyyyy'],
    ],
  ])('%s', (_, input, expected) => {
    expect(pieces([input], 16)).toEqual(expected);
    expect(
      pieces(
        Array.from(Buffer.from(input), (byte) => Uint8Array.of(byte)),
        16,
      ),
    ).toEqual(expected);
  });

  test('10 MB without a newline: pieces of 64 KiB, no more held than one', () => {
    const splitter = lineSplitter({ workerId: 'web', run: 1, stream: 'stdout', numbers: { next: 1 } });
    const chunk = Buffer.alloc(100_000, 'x');
    const records: LogRecord[] = [];
    let held = 0;
    let given = 0;
    for (let count = 0; count < 100; count += 1) {
      records.push(...splitter.push(chunk, 1));
      given = records.reduce((sum, { text }) => sum + text.length, 0);
      held = Math.max(held, (count + 1) * chunk.length - given);
    }
    expect(held).toBeLessThanOrEqual(MAX_LINE + 2);
    records.push(...splitter.push(Buffer.from('\nnext\n'), 1));
    expect(records.map(({ piece }) => piece).filter((piece) => piece !== 'part')).toEqual([
      'head',
      'tail',
      'whole',
    ]);
    expect(records.every(({ text }) => text.length <= MAX_LINE)).toBe(true);
    expect(records.reduce((sum, { text }) => sum + text.length, 0)).toBe(10_000_004);
  });
});

const byte = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...Buffer.from('ab\n\n\r\r\0ä€😀')) },
  { weight: 1, arbitrary: fc.nat(255) },
);
const bytes = fc.oneof(
  fc.array(byte, { maxLength: 120 }).map((list) => Buffer.from(list)),
  fc
    .string({ unit: fc.constantFrom('a', 'ä', '€', '😀', '\n', '\r\n', '\r'), maxLength: 80 })
    .map((text) => Buffer.from(text)),
);

function cut(input: Buffer, lengths: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  let from = 0;
  for (const length of lengths) {
    chunks.push(input.subarray(from, from + length));
    from += length;
  }
  return [...chunks, input.subarray(from)];
}

test('any division of the bytes into chunks gives the same records', () => {
  fc.assert(
    fc.property(bytes, fc.array(fc.nat(9), { maxLength: 60 }), (input, lengths) => {
      expect(split(cut(input, lengths), 16)).toEqual(split([input], 16));
    }),
    { numRuns: 3000 },
  );
});

test('the pieces and lines are the bytes again, where they are UTF-8', () => {
  fc.assert(
    fc.property(bytes, (input) => {
      const records = split([input], 16);
      if (records.some(({ damaged }) => damaged)) return;
      const wanted = input.toString().replaceAll('\r\n', '\n').replace(/\n$/, '');
      const text = records
        .map(({ text, piece }) => (piece === 'whole' || piece === 'tail' ? `${text}\n` : text))
        .join('');
      expect(text.replace(/\n$/, '')).toBe(wanted);
    }),
    { numRuns: 3000 },
  );
});
