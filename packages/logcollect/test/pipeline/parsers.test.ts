import type { ParserSpec } from '@hsu-master/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { levelInText, levelOfValue } from '../../src/pipeline/parse/level.ts';
import { parseLogfmt } from '../../src/pipeline/parse/logfmt.ts';
import { parseJson, parser } from '../../src/pipeline/parse/parsers.ts';
import { timeInText, timeOfValue } from '../../src/pipeline/parse/time.ts';
import { record } from './records.ts';

/** The wall of these tests is three hours ahead of UTC. */
const local = (...[year, month, day, hour, minute, second]: number[]) =>
  Date.UTC(year as number, month as number, day, hour, minute, second) - 3 * 3_600_000;
const at = Date.UTC(2025, 7, 2, 14, 38, 32);
const context = { at, local };
const iso = (time: number | null) => (time === null ? null : new Date(time).toISOString());

const structured = (type: 'json' | 'logfmt', keys: Partial<ParserSpec & { type: 'json' }> = {}) =>
  parser({ levelKey: null, timeKey: null, messageKey: null, ...keys, type }, local);

describe('times', () => {
  test.each([
    ['2025-08-02T17:38:32Z x', '2025-08-02T17:38:32.000Z'],
    ['2025-08-02T17:38:32.123456789Z x', '2025-08-02T17:38:32.123Z'],
    ['2025-08-02T17:38:32+03:00 x', '2025-08-02T14:38:32.000Z'],
    ['2025-08-02T17:38:32-0130 x', '2025-08-02T19:08:32.000Z'],
    ['2025-08-02T17:38:32+03 x', '2025-08-02T14:38:32.000Z'],
    ['2025-08-02 17:38:32,123 INFO python', '2025-08-02T14:38:32.123Z'],
    ['2025-08-02 17:38:32.5 UTC x', '2025-08-02T17:38:32.500Z'],
    ['2025-08-02 17:38 x', '2025-08-02T14:38:00.000Z'],
    ['2025/08/02 17:38:32 go', '2025-08-02T14:38:32.000Z'],
    ['2025-08-02 17:38:32 200 OK', '2025-08-02T14:38:32.000Z'],
    ['[2025-08-02T17:38:32+03:00][echotest][stdout] text', '2025-08-02T14:38:32.000Z'],
    ['[INFO ] 2025-08-02T17:38:32Z x', '2025-08-02T17:38:32.000Z'],
    ['time="2025-08-02T17:38:32Z" level=info', '2025-08-02T17:38:32.000Z'],
    ['Aug  2 17:38:32 host sshd[1]: x', '2025-08-02T14:38:32.000Z'],
    ['<34>Aug  2 17:38:32 host su: x', '2025-08-02T14:38:32.000Z'],
    ['<165>Aug 12 17:38:32 2024 host su: x', '2024-08-12T14:38:32.000Z'],
    ['Dec 31 23:59:59 host su: x', '2024-12-31T20:59:59.000Z'],
    ['127.0.0.1 - frank [02/Aug/2025:17:38:32 +0300] "GET / HTTP/1.0" 200', '2025-08-02T14:38:32.000Z'],
    ['1754145512 x', '2025-08-02T14:38:32.000Z'],
    ['1754145512.25 x', '2025-08-02T14:38:32.250Z'],
    ['1754145512250 x', '2025-08-02T14:38:32.250Z'],
    ['1754145512250000000 x', '2025-08-02T14:38:32.250Z'],
    ['nothing of the kind', null],
    ['2025-13-02T17:38:32Z', null],
    ['2025-08-32T17:38:32Z', null],
    ['Foo  2 17:38:32', null],
    ['1754145512.3.4.5 x', null],
    ['', null],
  ])('%s', (text, expected) => {
    expect(iso(timeInText(text, context))).toBe(expected);
  });

  test('numbers are seconds, milliseconds, microseconds or nanoseconds by their size', () => {
    for (const value of [1_754_145_512, 1_754_145_512_000, 1_754_145_512_000_000])
      expect(timeOfValue(value, context)).toBe(at);
    expect(timeOfValue(17, context)).toBe(null);
    expect(timeOfValue(Number.NaN, context)).toBe(null);
  });

  test('what a pattern finds', () => {
    const stage = parser({ type: 'timestamp', pattern: 'at (?P<time>\\S+)$' }, local);
    expect(iso(stage(record('x at 2025-08-02T17:38:32Z')).time)).toBe('2025-08-02T17:38:32.000Z');
    expect(stage(record('x at noon')).time).toBe(null);
  });
});

describe('levels', () => {
  test.each([
    ['ERROR something', 'error'],
    ['2025-08-02 17:38:32,123 WARNING root: x', 'warn'],
    ['[warn] x', 'warn'],
    ['2025/08/02 17:38:32 [error] 7#7: *1 open() failed', 'error'],
    ['<info> x', 'info'],
    ['time="…" level=debug msg="x"', 'debug'],
    ['{"level":"fatal","msg":"x"}', 'critical'],
    ['E1121 12:00:00.000000 1 main.go:1] x', 'error'],
    ['I1121 12:00:00.000000 1 main.go:1] x', 'info'],
    ['error: no such file', 'error'],
    ['Error: no such file', 'error'],
    ['panic: runtime error', 'alert'],
    ['2025-08-02T17:38:32.1Z  INFO app::main: x', 'info'],
    ['17:38:32.123 [main] TRACE c.e.App - x', 'trace'],
    ['SEVERE: x', 'error'],
    ['NOTICE x', 'notice'],
    ['0 errors, all fine', null],
    ['ERROR_COUNT=0', null],
    ['the user said: error', null],
    ['information about fine things', null],
    ['INFORMED', null],
    ['E1121', null],
    ['', null],
  ])('%s: %s', (text, expected) => {
    expect(levelInText(text)).toBe(expected);
  });

  test.each([
    [10, 'trace'],
    [20, 'debug'],
    [30, 'info'],
    [40, 'warn'],
    [50, 'error'],
    [60, 'critical'],
    ['50', 'error'],
    [3, 'error'],
    ['WARNING', 'warn'],
    ['Information', 'info'],
    [8, null],
    [700, null],
    [1.5, null],
    [-1, null],
    ['loud', null],
    [null, null],
    [{}, null],
  ])('the value %j: %s', (value, expected) => {
    expect(levelOfValue(value)).toBe(expected);
  });

  test('what a pattern finds', () => {
    const stage = parser({ type: 'level', pattern: '^(\\w+)\\|' }, local);
    expect(stage(record('crit|x')).level).toBe('critical');
    expect(stage(record('x')).level).toBe(null);
  });

  test('a level that is known is not looked for', () => {
    expect(parser({ type: 'level', pattern: null }, local)(record('ERROR x', { level: 'info' })).level).toBe(
      'info',
    );
  });
});

describe('json', () => {
  test.each([
    [
      'pino',
      '{"level":30,"time":1754145512250,"pid":7,"hostname":"h","msg":"up"}',
      { level: 'info', time: '2025-08-02T14:38:32.250Z', message: 'up', fields: { pid: 7, hostname: 'h' } },
    ],
    [
      'zap',
      '{"level":"warn","ts":1754145512.25,"caller":"a.go:1","msg":"x"}',
      { level: 'warn', time: '2025-08-02T14:38:32.250Z', message: 'x', fields: { caller: 'a.go:1' } },
    ],
    [
      'ECS',
      '{"@timestamp":"2025-08-02T17:38:32Z","log.level":"ERROR","message":"x","ecs":{"version":"1"}}',
      { level: 'error', time: '2025-08-02T17:38:32.000Z', message: 'x', fields: { ecs: { version: '1' } } },
    ],
    [
      'ECS with objects',
      '{"log":{"level":"debug"},"message":"x"}',
      { level: 'debug', time: null, message: 'x', fields: { log: { level: 'debug' } } },
    ],
    [
      'what is not understood stays in the fields',
      ' {"level":"loud","time":"noon","msg":{"a":1}}',
      { level: null, time: null, fields: { level: 'loud', time: 'noon', msg: { a: 1 } } },
    ],
  ])('%s', (_, text, expected) => {
    const { level, time, message, fields } = structured('json')(record(text));
    expect({ level, time: iso(time), message, fields }).toEqual({ message: text, ...expected });
  });

  test.each(['plain', '[1]', '{"a":', '"text"', '7', '', '{a: 1}'])('%s passes as it is', (text) => {
    const line = record(text);
    expect(structured('json')(line)).toBe(line);
  });

  test('keys of one’s own come first', () => {
    const stage = structured('json', { levelKey: 'meta.sev', messageKey: 'body' });
    const result = stage(record('{"meta":{"sev":"error"},"level":"info","body":"b","msg":"m"}'));
    expect(result).toMatchObject({ level: 'error', message: 'b', fields: { level: 'info', msg: 'm' } });
  });

  test('__proto__ is a key like others', () => {
    const { fields } = structured('json')(record('{"__proto__":{"polluted":1},"constructor":2}'));
    expect(Object.keys(fields)).toEqual(['__proto__', 'constructor']);
    expect(({} as Record<string, unknown>)['polluted']).toBe(undefined);
    expect(Object.getPrototypeOf(fields)).toBe(Object.prototype);
  });

  test('a piece of a long line is no JSON', () => {
    const line = record('{"a":1}', { piece: 'head' });
    expect(structured('json')(line)).toBe(line);
  });

  test('any object comes back', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        expect(parseJson(JSON.stringify(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});

describe('logfmt', () => {
  test.each([
    ['level=info msg="it is up" port=80 tls', { level: 'info', msg: 'it is up', port: 80, tls: true }],
    ['a="q \\"x\\" \\n" b=', { a: 'q "x" \n', b: '' }],
    [
      'id=0017 n=-1.5 big=12345678901234567890 ok=false',
      { id: '0017', n: -1.5, big: '12345678901234567890', ok: false },
    ],
    ['a.b-c_d/e=1', null],
    ['a.b-c_d=1', { 'a.b-c_d': 1 }],
    ['url=http://x?a=b', { url: 'http://x?a=b' }],
    ['plain words', null],
    ['words then a=b', null],
    ['=b', null],
    ['a="never closed', null],
    ['a="b"c', null],
    ['', null],
  ])('%s', (text, expected) => {
    expect(parseLogfmt(text)).toEqual(expected);
  });

  test('level, time and message', () => {
    const result = structured('logfmt')(record('ts=2025-08-02T17:38:32Z lvl=eror lvl=error msg=x a=1'));
    expect(result).toMatchObject({ level: 'error', message: 'x', fields: { a: 1 } });
    expect(iso(result.time)).toBe('2025-08-02T17:38:32.000Z');
  });
});

test('nothing that a worker writes makes a parser throw', () => {
  const stages = [
    structured('json'),
    structured('logfmt'),
    parser({ type: 'timestamp', pattern: null }, local),
    parser({ type: 'level', pattern: null }, local),
  ];
  const piece = fc.constantFrom(
    '{',
    '}',
    '"',
    '=',
    '[',
    ' ',
    'level',
    'ERROR',
    '2025-08-02',
    'T17:38:32',
    '1754145512',
    '\\',
    '<',
    ':',
    '\0',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: fc.nat(0xffff).map((code) => String.fromCharCode(code)) }),
        fc.string({ unit: piece }),
      ),
      (text) => {
        for (const stage of stages) {
          const { text: kept, time } = stage(record(text));
          expect(kept).toBe(text);
          expect(time === null || Number.isFinite(time)).toBe(true);
        }
      },
    ),
  );
});
