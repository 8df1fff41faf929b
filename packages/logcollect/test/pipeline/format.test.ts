import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FORMATS, type FormatSpec, formatter } from '../../src/pipeline/format.ts';
import { record } from './records.ts';

const format = (spec: Partial<FormatSpec>, offset = 180) =>
  formatter(
    { format: 'plain', prefix: null, controls: 'keep', ...spec },
    { hostname: 'h1', masterId: 'm1', offset: () => offset },
  );
const line = record('text', { workerId: 'echotest' });

describe('text', () => {
  test('plain is the text as it is', () => {
    expect(format({})(record('\x1b[2Ja\0b\r'))).toBe('\x1b[2Ja\0b\r');
  });

  test('enhanced_plain is the original’s form', () => {
    expect(format({ format: 'enhanced_plain' })(line)).toBe(
      '[2025-08-02T17:38:32.000+03:00][echotest][stdout] text',
    );
    expect(format({ format: 'enhanced_plain' }, 0)(line)).toBe(
      '[2025-08-02T14:38:32.000+00:00][echotest][stdout] text',
    );
    expect(format({ format: 'enhanced_plain' }, -210)(line)).toBe(
      '[2025-08-02T11:08:32.000-03:30][echotest][stdout] text',
    );
  });

  test('each line of a joined record is marked', () => {
    expect(format({ prefix: '{worker_id}: ' })(record('a\nb'))).toBe('web: a\nweb: b');
  });

  test.each([
    ['[workers] ', '[workers] text'],
    ['{worker_id}/{stream}#{run}.{sequence} ', 'echotest/stdout#1.1 text'],
    ['{process_id} {timestamp} {level} ', 'echotest 2025-08-02T17:38:32.000+03:00 - text'],
    ['{host} {master_id} {unknown} {} ', 'h1 m1 {unknown} {} text'],
    ['', 'text'],
  ])('the prefix %j', (prefix, expected) => {
    expect(format({ prefix })(line)).toBe(expected);
  });

  test('F11: harmless text moves no cursor and rings no bell', () => {
    const evil = '\x1b[2J\x1b]0;title\x07a\x07\x1b[31mred\x1b[0m <script>';
    expect(format({ controls: 'harmless' })(record(evil))).toBe('ared <script>');
    expect(format({ controls: 'harmless', prefix: '> ' })(record(`a\n${evil}`))).toBe('> a\n> ared <script>');
  });
});

test('F1: a piece of a line that goes on is marked', () => {
  expect(format({})(record('a', { piece: 'head' }))).toBe('a…');
  expect(format({ prefix: '> ' })(record('b', { piece: 'part' }))).toBe('> b…');
  expect(format({ prefix: '> ' })(record('c', { piece: 'tail' }))).toBe('> c');
});

test('a time is written to the millisecond', () => {
  const write = format({ prefix: '{timestamp}' });
  const times = [0, 7, 999, 1000, 1_754_145_512_250, -1].map((at) => write(record('', { at })));
  expect(times).toEqual([
    '1970-01-01T03:00:00.000+03:00',
    '1970-01-01T03:00:00.007+03:00',
    '1970-01-01T03:00:00.999+03:00',
    '1970-01-01T03:00:01.000+03:00',
    '2025-08-02T17:38:32.250+03:00',
    '1970-01-01T02:59:59.999+03:00',
  ]);
});

describe('json', () => {
  test('json: the line and what the master knows of it', () => {
    expect(format({ format: 'json' })(line)).toBe(
      '{"time":"2025-08-02T17:38:32.000+03:00","worker":"echotest","stream":"stdout","message":"text"}',
    );
    expect(JSON.parse(format({ format: 'json' })(record('a', { piece: 'head' })))).toMatchObject({
      cut: true,
      message: 'a',
    });
  });

  test('structured_json: all that was found; keys without a value are left out', () => {
    expect(format({ format: 'structured_json' })(line)).toBe(
      '{"time":"2025-08-02T17:38:32.000+03:00","worker":"echotest","run":1,"stream":"stdout","seq":1,"message":"text"}',
    );
    const full = record('{…}', {
      level: 'warn',
      time: 0,
      message: 'm',
      fields: { a: [1] },
      piece: 'head',
      damaged: true,
    });
    expect(JSON.parse(format({ format: 'structured_json' })(full))).toMatchObject({
      logged_at: '1970-01-01T03:00:00.000+03:00',
      level: 'warn',
      message: 'm',
      text: '{…}',
      cut: true,
      damaged: true,
      fields: { a: [1] },
    });
  });
});

test('F2, F11: whatever a line holds, JSON of it is one line of printable text', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.nat(0xffff).map((code) => String.fromCharCode(code)) }),
      fc.constantFrom(...FORMATS.slice(2)),
      (text, name) => {
        const written = format({ format: name })(record(text));
        // oxlint-disable-next-line no-control-regex
        expect(written).not.toMatch(/[\x00-\x1f]/);
        expect((JSON.parse(written) as { message: string }).message).toBe(text);
      },
    ),
  );
});
