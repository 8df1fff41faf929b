import { type PipelineSpec, REDACTIONS } from '@hsu-master/core';
import { FakeClock } from '@hsu-master/testkit';
import { describe, expect, test } from 'vitest';
import { createPipeline, FORMATS, formatter, type LogRecord, lineSplitter } from '../../src/index.ts';

const FACTS = { hostname: 'here', masterId: 'main' };
const LINE = 64 * 1024;
/** Seconds that the worst of these lines may take, on a slow machine, through all stages: hours where a stage goes back and forth. */
const PATIENCE = 30 * Number(process.env.HSU_TIME_FACTOR ?? 1);

const nested = (depth: number) => `{"msg":"x","level":"error","a":${'['.repeat(depth)}${']'.repeat(depth)}}`;
const objects = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;

const HOSTILE: Readonly<Record<string, string | Buffer>> = {
  'JSON 10 000 objects deep': objects(10_000),
  'JSON 30 000 lists deep': nested(30_000),
  'keys of Object.prototype': '{"__proto__":{"x":1},"constructor":{"prototype":1},"msg":"m","toString":1}',
  'keys of Object.prototype in logfmt': '__proto__=1 constructor=2 msg=hi toString=3 hasOwnProperty=4',
  'thousands of keys': `{${Array.from({ length: 5000 }, (_unused, index) => `"k${index}":${index}`).join()}}`,
  'lone surrogates': '{"msg":"\\ud800 lone","k\\udfff":"\\udfff"}',
  'numbers that are none': '{"level":1e999,"time":1e308,"msg":-0,"t":123456789012345678901234567890}',
  'times that are none': '{"time":"99999-99-99T99:99:99Z","msg":"x"}',
  'a time before all': '{"ts":-9e15,"msg":"x"}',
  'every byte': Buffer.from(Array.from({ length: 60_000 }, (_unused, index) => (index * 7919) % 256)),
  blanks: ' '.repeat(LINE),
  'one letter': 'a'.repeat(LINE),
  quotes: `a="${'\\"'.repeat(30_000)}`,
  'equal signs': '='.repeat(LINE),
  'names of secrets': 'password='.repeat(7000),
  'numbers of cards': '4111 1111 1111 1112 '.repeat(3200),
  digits: '4'.repeat(LINE),
  'bearers of nothing': 'Bearer '.repeat(9000),
  'the beginnings of tokens': 'eyJ'.repeat(21_000),
  'a private key without end': `-----BEGIN RSA PRIVATE KEY-----${'x'.repeat(60_000)}`,
  'beginnings of private keys': '-----BEGIN '.repeat(5900),
  addresses: 'http://a:'.repeat(7000),
  'escape sequences': '\u001b['.repeat(30_000),
  NUL: '\0'.repeat(LINE),
  '10 MB': Buffer.alloc(10_000_000, 0x61),
  brackets: '[{('.repeat(20_000),
  'stack traces': 'Caused by: '.repeat(5000),
};

const SPEC: PipelineSpec = {
  multiline: {
    presets: ['java', 'python', 'node', 'go'],
    firstLine: '^(\\S+\\s+)+x$|^[^\\s]',
    continues: '^(\\s+)+at ',
    maxLines: 100,
    maxBytes: 1e6,
    timeout: 500,
  },
  parsers: [
    { type: 'json', levelKey: 'a.a.a', timeKey: null, messageKey: null },
    { type: 'logfmt', levelKey: null, timeKey: null, messageKey: null },
    { type: 'timestamp', pattern: '(?P<time>(\\d+-?)+)T$' },
    { type: 'timestamp', pattern: null },
    { type: 'level', pattern: '(?P<level>(\\w+)+)!$' },
    { type: 'level', pattern: null },
  ],
  filter: {
    include: ['(.*)(.*)(.*)x$', '(?s).*', '^$'],
    exclude: ['(a|a)*b$', '(a+)+$b', '(.*)(.*)(.*)y$'],
    minLevel: 'trace',
  },
  sampling: [{ pattern: '(a|aa)+$c', share: 0.5 }],
  rateLimit: null,
  enrichers: [
    { type: 'regex', source: null, pattern: '(?P<first>(a|aa)+)(?P<last>(a|aa)+)c|(?P<k>\\w+)=(?P<v>.*)$' },
    {
      type: 'json_extract',
      source: null,
      paths: { __proto__x: ['__proto__', 'x'], deep: Array.from({ length: 5000 }, () => 'a') },
    },
  ],
  correlation: { patterns: ['(?P<trace_id>(a|a)*)b', 'x(?P<request_id>.*.*.*)y'] },
  redaction: {
    presets: REDACTIONS,
    patterns: [
      { pattern: '(a*)*c', replacement: '$0$1' },
      { pattern: '\\s+$', replacement: '' },
    ],
    keys: ['k1', '__proto__'],
  },
  metadata: { masterId: true, hostname: true, timestamp: true, sequence: true, lineNumber: true },
};

function through(bytes: Uint8Array, clock = new FakeClock()): LogRecord[] {
  const records: LogRecord[] = [];
  const late = (more: readonly LogRecord[]) => void records.push(...more);
  const pipeline = createPipeline(SPEC, { ...FACTS, clock, late });
  const lines = lineSplitter({ workerId: 'web', run: 1, stream: 'stdout', numbers: { next: 1 } });
  for (let at = 0; at < bytes.length; at += 100_000)
    late(pipeline.push(lines.push(bytes.subarray(at, at + 100_000), clock.wallNow())));
  late(pipeline.push(lines.end(clock.wallNow())));
  late(pipeline.end());
  return records;
}

describe('whatever a line holds, it goes through all stages and comes out as text of one line', () => {
  test.each(Object.entries(HOSTILE))(
    '%s',
    (name, line) => {
      const bytes = Buffer.concat([Buffer.from(line), Buffer.from('\nthe next line\n')]);
      const records = through(bytes);
      // Lines within a private key are no one's to read.
      expect(records.at(-1)?.text).toBe(
        name === 'a private key without end' ? '[redacted]' : 'the next line',
      );
      for (const format of FORMATS) {
        const write = formatter({ format, prefix: '{worker_id} ', controls: 'harmless' }, FACTS);
        for (const record of records) {
          const text = write(record);
          expect(typeof text).toBe('string');
          if (!format.endsWith('json')) continue;
          expect(text.includes('\n')).toBe(false);
          expect(JSON.parse(text)).toBeTypeOf('object');
        }
      }
      expect(({} as { x?: unknown }).x).toBeUndefined();
    },
    PATIENCE * 1000,
  );
});

test('a clock that is set back or forward by years changes neither what is joined nor what goes through', () => {
  let skew = 0;
  const fake = new FakeClock();
  const records: LogRecord[] = [];
  const clock = {
    now: () => fake.now(),
    wallNow: () => fake.wallNow() + skew,
    random: () => 0,
    after: fake.after.bind(fake),
  };
  const late = (more: readonly LogRecord[]) => void records.push(...more);
  const spec = {
    ...SPEC,
    filter: null,
    sampling: [],
    rateLimit: { perSecond: 10, burst: 10, noticeAfter: 1000 },
  };
  const pipeline = createPipeline(spec, { ...FACTS, clock, late });
  const lines = lineSplitter({ workerId: 'web', run: 1, stream: 'stdout', numbers: { next: 1 } });
  const YEAR = 365 * 86_400_000;
  for (const step of [0, 10 * YEAR, -20 * YEAR, 5 * YEAR]) {
    skew = step;
    late(
      pipeline.push(
        lines.push(Buffer.from('Error: x\n    at a (b.js:1:2)\n    at c (d.js:3:4)\n'), clock.wallNow()),
      ),
    );
    fake.advance(600);
  }
  expect(records.map(({ text }) => text.split('\n').length)).toEqual([3, 3, 3, 3]);
});
