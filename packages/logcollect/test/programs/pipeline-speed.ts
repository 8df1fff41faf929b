// Lines per second of the splitter and of some pipelines: node --experimental-strip-types packages/logcollect/test/programs/pipeline-speed.ts
import type { PipelineSpec } from '@hsu-master/core';
import { formatter } from '../../dist/pipeline/format.js';
import { lineSplitter } from '../../dist/pipeline/lines.js';
import { createPipeline } from '../../dist/pipeline/pipeline.js';

const LINES = 400_000;
const NOTHING: PipelineSpec = {
  multiline: null,
  parsers: [],
  filter: null,
  sampling: [],
  rateLimit: null,
  enrichers: [],
  correlation: null,
  redaction: null,
  metadata: null,
};
const keys = { levelKey: null, timeKey: null, messageKey: null };
const json: PipelineSpec['parsers'] = [{ type: 'json', ...keys }];
const filter = { include: [], exclude: ['^DEBUG:', 'health check'], minLevel: 'info' as const };
const redaction: PipelineSpec['redaction'] = {
  presets: ['bearer', 'url_password', 'aws', 'key_value', 'jwt', 'private_key'],
  patterns: [],
  keys: [],
};
const metadata = { masterId: true, hostname: true, timestamp: true, sequence: true, lineNumber: true };

const plain =
  '2025-08-02T17:38:32.123Z INFO  http: GET /api/v1/users/4711 200 in 12 ms from 10.0.0.7 agent curl/8.1';
const structured =
  '{"level":"info","time":1754145512250,"msg":"GET /api/v1/users/4711","status":200,"ms":12,"reqId":"a1b2c3"}';

const cases: [string, string, Partial<PipelineSpec>][] = [
  ['nothing but lines', plain, {}],
  ['exclude ^DEBUG:, health check', plain, { filter: { ...filter, minLevel: null } }],
  ['exclude and level', plain, { filter }],
  ['include .*foo.*bar.*', plain, { filter: { include: ['.*GET.*curl.*'], exclude: [], minLevel: null } }],
  [
    'time and level',
    plain,
    {
      parsers: [
        { type: 'timestamp', pattern: null },
        { type: 'level', pattern: null },
      ],
    },
  ],
  ['json', structured, { parsers: json }],
  ['json, exclude, level, metadata (usual)', structured, { parsers: json, filter, metadata }],
  ['correlation', plain, { correlation: { patterns: [] } }],
  ['json and correlation', structured, { parsers: json, correlation: { patterns: [] } }],
  ['redaction', plain, { redaction }],
  ['json and redaction', structured, { parsers: json, redaction }],
  [
    'regex enricher',
    plain,
    {
      enrichers: [
        { type: 'regex', pattern: '(?P<method>[A-Z]+) (?P<path>/\\S+) (?P<status>\\d{3})', source: null },
      ],
    },
  ],
  [
    'multiline java, node',
    plain,
    {
      multiline: {
        presets: ['java', 'node'],
        firstLine: null,
        continues: null,
        maxLines: 100,
        maxBytes: 65_536,
        timeout: 500,
      },
    },
  ],
  ['rate limit', plain, { rateLimit: { perSecond: 1000, burst: 1000, noticeAfter: 10_000 } }],
];

const clock = { now: () => performance.now(), after: () => () => undefined, random: Math.random };

function measure(line: string, differs: Partial<PipelineSpec>): number {
  const pipeline = createPipeline(
    { ...NOTHING, ...differs },
    { clock, hostname: 'h', masterId: 'm', late: () => undefined },
  );
  const splitter = lineSplitter({ workerId: 'web', run: 1, stream: 'stdout', numbers: { next: 1 } });
  const perChunk = Math.floor(65_536 / (line.length + 1));
  const chunk = Buffer.from(`${line}\n`.repeat(perChunk));
  const began = performance.now();
  for (let done = 0; done < LINES; done += perChunk) pipeline.push(splitter.push(chunk, 1_754_145_512_250));
  return performance.now() - began;
}

for (const [name, line, differs] of cases) {
  measure(line, differs);
  const best = Math.min(measure(line, differs), measure(line, differs), measure(line, differs));
  const perLine = (best / LINES) * 1000;
  process.stdout.write(
    `${name.padEnd(42)} ${Math.round(LINES / best)
      .toString()
      .padStart(6)} k lines/s  ${perLine.toFixed(2)} µs/line\n`,
  );
}

const splitter = lineSplitter({ workerId: 'web', run: 1, stream: 'stdout', numbers: { next: 1 } });
const records = splitter.push(Buffer.from(`${plain}\n`.repeat(1000)), 1_754_145_512_250);
for (const format of ['plain', 'enhanced_plain', 'json', 'structured_json'] as const) {
  const write = formatter({ format, prefix: null, controls: 'keep' }, { hostname: 'h', masterId: 'm' });
  let best = Infinity;
  for (let round = 0; round < 4; round += 1) {
    const began = performance.now();
    for (let count = 0; count < LINES / 1000; count += 1) for (const record of records) write(record);
    best = Math.min(best, performance.now() - began);
  }
  process.stdout.write(
    `format ${format.padEnd(35)} ${Math.round(LINES / best)
      .toString()
      .padStart(6)} k lines/s\n`,
  );
}
