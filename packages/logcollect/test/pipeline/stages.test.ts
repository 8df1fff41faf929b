import { REDACTIONS } from '@hsu-master/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatter } from '../../src/pipeline/format.ts';
import { lineSplitter } from '../../src/pipeline/lines.ts';
import { Bench, multilineSpec } from './pipelines.ts';

describe('filter', () => {
  const lines = ['ERROR: a', 'WARN: health check', 'DEBUG: b', 'plain'];

  test('exclude wins over include', () => {
    const filter = { include: ['ERROR:', 'WARN:'], exclude: ['^DEBUG:', 'health check'], minLevel: null };
    expect(new Bench({ filter }).lines(lines).texts).toEqual(['ERROR: a']);
  });

  test('a level: lower ones are left out, lines without one stay', () => {
    const filter = { include: [], exclude: [], minLevel: 'warn' as const };
    expect(new Bench({ filter }).lines(lines).texts).toEqual(['ERROR: a', 'WARN: health check', 'plain']);
  });

  test('the level of a structured line counts', () => {
    const bench = new Bench({
      parsers: [{ type: 'json', levelKey: null, timeKey: null, messageKey: null }],
      filter: { include: [], exclude: [], minLevel: 'info' },
    });
    const texts = ['{"level":20,"msg":"ERROR in text"}', '{"level":50,"msg":"x"}'];
    expect(bench.lines(texts).texts).toEqual([texts[1]]);
  });

  test('a pattern that goes through a line in too many ways holds nothing up', () => {
    const filter = { include: ['(.*)(.*)(.*)(.*)(.*)x$'], exclude: ['(\\w+\\s?)+!'], minLevel: null };
    const bench = new Bench({ filter }).lines(['a'.repeat(65_536), `${'a '.repeat(30_000)}x`]);
    expect(bench.texts).toHaveLength(1);
  });

  test('a pattern that is refused is the caller’s mistake', () => {
    expect(() => new Bench({ filter: { include: ['(a)\\1'], exclude: [], minLevel: null } })).toThrow(
      'the pattern "(a)\\\\1" refers back to a group',
    );
  });
});

test('the pieces of a long line go where its first piece goes', () => {
  const pieces = (bench: Bench, name: string, run = 1) =>
    bench
      .lines([`DEBUG ${name}`], { piece: 'head', run })
      .lines([`${name} ERROR`], { piece: 'part', run })
      .lines([`${name} keep`], { piece: 'tail', run });
  const filter = { include: [], exclude: ['a'], minLevel: 'info' as const };
  expect(pieces(new Bench({ filter }), 'x').texts).toEqual([]);
  const kept = new Bench({ filter: { ...filter, minLevel: null } });
  expect(pieces(pieces(kept, 'a').lines(['b']), 'c').texts).toEqual(['b', 'DEBUG c', 'c ERROR', 'c keep']);
  const limited = new Bench({ rateLimit: { perSecond: 1, burst: 1, noticeAfter: 1000 } });
  pieces(pieces(limited, 'x'), 'y').end();
  expect(limited.texts).toEqual(['DEBUG x', 'x ERROR', 'x keep', '… 1 line left out: more than 1 a second']);
});

describe('sampling', () => {
  test('the first entry that is about a line decides, by chance that comes from outside', () => {
    const sampling = [
      { pattern: '^keep', share: 1 },
      { pattern: '^never', share: 0 },
      { pattern: null, share: 0.25 },
    ];
    const bench = new Bench({ sampling });
    for (let count = 0; count < 4000; count += 1) bench.lines(['keep', 'never', 'some']);
    const counted = (text: string) => bench.texts.filter((each) => each === text).length;
    expect(counted('keep')).toBe(4000);
    expect(counted('never')).toBe(0);
    expect(counted('some') / 4000).toBeCloseTo(0.25, 1);
    const again = new Bench({ sampling });
    for (let count = 0; count < 4000; count += 1) again.lines(['keep', 'never', 'some']);
    expect(again.texts).toEqual(bench.texts);
  });
});

describe('rate limit', () => {
  const rateLimit = { perSecond: 10, burst: 5, noticeAfter: 10_000 };
  const many = Array.from({ length: 100 }, (_, index) => `line ${index}`);

  test('a burst goes through, then so many a second; what is left out is told after a while', () => {
    const bench = new Bench({ rateLimit }).lines(many);
    expect(bench.texts).toEqual(many.slice(0, 5));
    bench.clock.advance(300);
    expect(bench.lines(many).texts).toHaveLength(8);
    bench.clock.advance(9_700);
    expect(bench.out.at(-1)).toMatchObject({
      text: '… 192 lines left out: more than 10 a second',
      level: 'warn',
      fields: { reason: 'rate-limit', left_out: 192 },
    });
    expect(bench.out).toHaveLength(9);
    expect(bench.clock.pending).toBe(0);
  });

  test('each line is let through or told, in the end', () => {
    const bench = new Bench({ rateLimit });
    for (let round = 0; round < 50; round += 1) {
      bench.lines(many);
      bench.clock.advance(700);
    }
    bench.end();
    const told = bench.out.reduce((sum, { fields }) => sum + Number(fields['left_out'] ?? 0), 0);
    const through = bench.out.filter(({ fields }) => fields['left_out'] === undefined).length;
    expect(told + through).toBe(5000);
    expect(through).toBeLessThanOrEqual(5 + 50 * 7 + 1);
    expect(bench.clock.pending).toBe(0);
  });

  test('one line is one line', () => {
    expect(new Bench({ rateLimit: { ...rateLimit, burst: 1 } }).lines(['a', 'b']).end().texts).toEqual([
      'a',
      '… 1 line left out: more than 10 a second',
    ]);
  });
});

describe('enrichers', () => {
  test('named groups become fields; level, time and message say what the line did not', () => {
    const bench = new Bench({
      enrichers: [
        {
          type: 'regex',
          pattern: '^(?P<time>\\S+) (?P<level>[A-Z]+) user=(?P<user>\\w+)? ?(?P<message>.*)$',
          source: null,
        },
        { type: 'regex', pattern: '(?<first>.)', source: 'user' },
        { type: 'static', fields: { team: 'core', tier: 1 } },
      ],
    });
    bench.lines(['2025-08-02T17:38:32Z ERROR user=bob it broke', 'nothing']);
    expect(bench.out[0]).toMatchObject({
      time: Date.UTC(2025, 7, 2, 17, 38, 32),
      level: 'error',
      message: 'it broke',
      fields: { user: 'bob', first: 'b', team: 'core', tier: 1 },
    });
    expect(bench.out[1]).toMatchObject({ level: null, fields: { team: 'core' } });
  });

  test('json_extract: from what a parser found, from JSON behind other text, from a field', () => {
    const paths = { user: ['context', 'user', 'id'], first: ['list', '0'] };
    const bench = new Bench({
      parsers: [{ type: 'json', levelKey: null, timeKey: null, messageKey: null }],
      enrichers: [
        { type: 'json_extract', paths, source: null },
        { type: 'json_extract', paths: { inner: ['a'] }, source: 'body' },
      ],
    });
    bench.lines([
      '{"context":{"user":{"id":7}},"body":"{\\"a\\":1}"}',
      'INFO payload={"context":{"user":{"id":8}},"list":["x"]} end',
      'INFO {broken',
      '{"body":{"a":2}}',
    ]);
    expect(bench.out.map(({ fields }) => [fields['user'], fields['first'], fields['inner']])).toEqual([
      [7, undefined, 1],
      [8, 'x', undefined],
      [undefined, undefined, undefined],
      [undefined, undefined, 2],
    ]);
  });
});

describe('correlation', () => {
  const correlation = { patterns: ['order (?P<request_id>\\d+)'] };
  const parsers = [{ type: 'json' as const, levelKey: null, timeKey: null, messageKey: null }];
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736';

  test.each([
    [`traceparent: 00-${trace}-00f067aa0ba902b7-01`, { trace_id: trace, span_id: '00f067aa0ba902b7' }],
    [
      `{"traceparent":"00-${trace.toUpperCase()}-00f067aa0ba902b7-01"}`,
      { trace_id: trace, span_id: '00f067aa0ba902b7' },
    ],
    [`trace_id=${trace} span_id=abc x`, { trace_id: trace, span_id: 'abc' }],
    [`{"traceId":"${trace}"}`, { trace_id: trace }],
    [`{"trace":{"id":"${trace}"},"span.id":"x1"}`, { trace_id: trace, span_id: 'x1' }],
    ['{"dd.trace_id":123}', { trace_id: '123' }],
    ['X-Request-ID: Ab-12 done', { request_id: 'Ab-12' }],
    ['[req_id=abc] x', { request_id: 'abc' }],
    ['{"req":{"headers":{"x-request-id":"r1"}}}', { request_id: 'r1' }],
    ['{"req":{"id":17}}', { request_id: '17' }],
    ['"correlation-id":"c9"', { request_id: 'c9' }],
    ['order 55 shipped', { request_id: '55' }],
    ['trace_id=0000000000000000 x', {}],
    ['request_id=-', {}],
    ['the required idea: x', {}],
    ['nothing', {}],
  ])('%s', (text, expected) => {
    const [found] = new Bench({ parsers, correlation }).lines([text]).out;
    const { trace_id, span_id, request_id } = found?.fields ?? {};
    expect(JSON.parse(JSON.stringify({ trace_id, span_id, request_id }))).toEqual(expected);
  });
});

describe('metadata', () => {
  test('what the master knows; numbers of lines count what was left out, too', () => {
    const bench = new Bench({
      filter: { include: [], exclude: ['no'], minLevel: null },
      metadata: { masterId: true, hostname: true, timestamp: true, sequence: true, lineNumber: true },
    });
    bench.lines(['a', 'no', 'b']).lines(['c'], { stream: 'stderr' }).lines(['d'], { run: 2 });
    bench.lines(['e'], { run: 2, piece: 'head' }).lines(['e'], { run: 2, piece: 'tail' });
    expect(bench.out[0]?.fields).toEqual({
      master_id: 'm1',
      host: 'h1',
      timestamp: '2025-08-02T14:38:32.000Z',
      sequence: 1,
      line_number: 1,
    });
    expect(bench.out.map(({ fields }) => fields['line_number'])).toEqual([1, 3, 1, 1, 2, 2]);
  });

  test('nothing that is not asked for', () => {
    const metadata = {
      masterId: false,
      hostname: true,
      timestamp: false,
      sequence: false,
      lineNumber: false,
    };
    expect(new Bench({ metadata }).lines(['a']).out[0]?.fields).toEqual({ host: 'h1' });
  });
});

describe('the whole', () => {
  test('stages are counted one by one', () => {
    const bench = new Bench({
      parsers: [{ type: 'timestamp', pattern: null }],
      filter: { include: [], exclude: ['b'], minLevel: 'info' },
      rateLimit: { perSecond: 1, burst: 1, noticeAfter: 1000 },
      enrichers: [{ type: 'static', fields: { a: 1 } }],
    });
    bench.lines(['a', 'b', 'c']).end();
    expect(bench.pipeline.counts()).toEqual([
      { stage: 'timestamp', in: 3, out: 3 },
      { stage: 'level', in: 3, out: 3 },
      { stage: 'filter', in: 3, out: 2 },
      { stage: 'rate-limit', in: 2, out: 1 },
      { stage: 'static', in: 2, out: 2 },
    ]);
  });

  test('a pipeline of nothing hands on the batch itself', () => {
    const bench = new Bench({});
    const batch = [...bench.lines(['a']).out];
    expect(bench.pipeline.push(batch)).toBe(batch);
    expect(bench.pipeline.counts()).toEqual([]);
    expect(bench.pipeline.end()).toEqual([]);
  });

  test('what comes late goes through the stages after it', () => {
    const bench = new Bench({
      multiline: {
        presets: ['node'],
        firstLine: null,
        continues: null,
        maxLines: 9,
        maxBytes: 999,
        timeout: 500,
      },
      filter: { include: [], exclude: ['secret place'], minLevel: null },
      rateLimit: { perSecond: 1, burst: 1, noticeAfter: 1000 },
      metadata: { masterId: true, hostname: false, timestamp: false, sequence: false, lineNumber: false },
    });
    bench.lines(['Error: x', '    at secret place']);
    bench.clock.advance(500);
    expect(bench.texts).toEqual([]);
    bench.lines(['a', 'b', 'c']);
    bench.clock.advance(2000);
    expect(bench.texts).toEqual(['a', '… 2 lines left out: more than 1 a second']);
    expect(bench.out.every(({ fields }) => fields['master_id'] === 'm1')).toBe(true);
  });
});

describe('from bytes to text', () => {
  const everything = {
    multiline: multilineSpec({ presets: ['java', 'python', 'node', 'go'] }),
    parsers: [
      { type: 'json' as const, levelKey: null, timeKey: null, messageKey: null },
      { type: 'logfmt' as const, levelKey: null, timeKey: null, messageKey: null },
      { type: 'timestamp' as const, pattern: null },
    ],
    filter: { include: [], exclude: ['^no'], minLevel: 'info' as const },
    enrichers: [{ type: 'regex' as const, pattern: 'user=(?P<user>\\w+)', source: null }],
    correlation: { patterns: [] },
    redaction: { presets: REDACTIONS, patterns: [], keys: [] },
    metadata: { masterId: true, hostname: true, timestamp: true, sequence: true, lineNumber: true },
  };

  /** What comes out of the whole way for these chunks. */
  function way(chunks: readonly Uint8Array[], maxLine = 64): readonly string[] {
    const bench = new Bench(everything);
    const splitter = lineSplitter({
      workerId: 'web',
      run: 1,
      stream: 'stdout',
      numbers: { next: 1 },
      maxLine,
    });
    const write = formatter(
      { format: 'structured_json', prefix: null, controls: 'keep' },
      { hostname: 'h1', masterId: 'm1' },
    );
    for (const chunk of chunks) bench.out.push(...bench.pipeline.push(splitter.push(chunk, 5)));
    bench.out.push(...bench.pipeline.push(splitter.end(5)));
    return bench.end().out.map(write);
  }

  const word = fc.constantFrom(
    'ERROR ',
    'DEBUG x',
    '{"level":30,"msg":"a","token":"t"}',
    'level=warn msg=x reqId=7',
    'user=bob',
    'no ',
    '\tat a.b(C.java:1)',
    'Traceback (most recent call last):',
    'ä€😀',
    '\r\n',
    '\n',
    '\n',
    '\0',
    '\x1b[2J',
    'password=x ',
    'x'.repeat(40),
    '2025-08-02T17:38:32Z ',
  );

  test('F1, F2, F3: neither the division into chunks nor that into batches makes a difference', () => {
    fc.assert(
      fc.property(
        fc.array(word, { maxLength: 30 }),
        fc.array(fc.nat(40), { maxLength: 20 }),
        (words, lengths) => {
          const bytes = Buffer.from(words.join(''));
          const chunks: Buffer[] = [];
          let from = 0;
          for (const length of lengths) {
            chunks.push(bytes.subarray(from, from + length));
            from += length;
          }
          chunks.push(bytes.subarray(from));
          expect(way(chunks)).toEqual(way([bytes]));
        },
      ),
      { numRuns: 500 },
    );
  });

  test('binary garbage goes through', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => {
        for (const line of way([bytes])) expect(typeof JSON.parse(line)).toBe('object');
      }),
    );
  });
});
