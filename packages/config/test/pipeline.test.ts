import { describe, expect, test } from 'vitest';
import { configDocs } from '../src/docs.ts';
import { describeConfig } from '../src/index.ts';
import { accept, corpus, refusals, warnings } from './corpus.ts';

const short = (processing: string, rest = '') =>
  `${rest}workers: [{id: a, command: x, log: {processing: ${processing}}}]`;
const pipeline = (text: string, worker = 0) => accept(text).workers[worker]?.log.pipeline;

const NOTHING = {
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
const json = { type: 'json', levelKey: null, timeKey: null, messageKey: null };
const logfmt = { ...json, type: 'logfmt' };

describe('what is done with lines', () => {
  test('nothing, where nothing is asked for', () => {
    for (const text of [
      'workers: [{id: a, command: x}]',
      'log_collection: {enhancement: {enabled: false, parsers: [{type: json}]}}\nworkers: [{id: a, command: x}]',
      short('{}'),
      short('{multiline: none, redact: false, correlation: false, sampling: 100%, parsers: []}'),
    ])
      expect(pipeline(text)).toBe(null);
  });

  test('the original’s keys: enhancement is for all, default_worker comes first', () => {
    expect(pipeline(corpus('logging-full'))).toEqual({
      ...NOTHING,
      parsers: [logfmt, json],
      filter: { exclude: ['^DEBUG:'], include: [], minLevel: 'debug' },
      metadata: { masterId: true, hostname: true, timestamp: true, sequence: true, lineNumber: false },
    });
  });

  test('the documents’ spelling', () => {
    expect(pipeline(corpus('documented'))).toEqual({
      ...NOTHING,
      filter: { exclude: ['^DEBUG:', 'health check'], include: ['ERROR:', 'WARN:'], minLevel: null },
    });
  });

  test('a worker’s keys replace those for all workers one by one; enhancement stays', () => {
    const text = `log_collection:
  enhancement:
    parsers: [{type: json}]
    enrichers: [{type: static, config: {fields: {site: here}}}]
    metadata: {add_process_manager_id: true}
  default_worker:
    processing: {filters: {exclude_patterns: [a], level_filter: warning}, parsers: [{type: logfmt}], redact: true}
    filtering: {exclude_patterns: [b]}
workers:
  - {id: same, command: x}
  - id: other
    command: x
    log:
      filtering: {include_patterns: [c], level_filter: ""}
      processing: {parsers: [{type: level_extraction}], enrichers: [], redact: false}
  - {id: plain, command: x, log: {processing: {parse_structured: false, add_metadata: false}}}
  - {id: more, command: x, log: {processing: {parse_structured: true, add_metadata: true}}}
`;
    const site = { type: 'static', fields: { site: 'here' } };
    const metadata = {
      masterId: true,
      hostname: false,
      timestamp: false,
      sequence: false,
      lineNumber: false,
    };
    expect(pipeline(text)).toMatchObject({
      parsers: [logfmt, json],
      filter: { exclude: ['a', 'b'], include: [], minLevel: 'warn' },
      redaction: { presets: ['bearer', 'url_password', 'aws', 'key_value', 'jwt', 'private_key'] },
      enrichers: [site],
      metadata,
    });
    expect(pipeline(text, 1)).toMatchObject({
      parsers: [{ type: 'level', pattern: null }, json],
      filter: { exclude: ['a', 'b'], include: ['c'], minLevel: null },
      redaction: null,
      enrichers: [site],
    });
    expect(pipeline(text, 2)).toMatchObject({ parsers: [], metadata: null, enrichers: [site] });
    expect(pipeline(text, 3)).toMatchObject({ parsers: [logfmt, json], metadata });
  });

  test('metadata where nothing says which: all of it', () => {
    expect(pipeline(short('{add_metadata: true}'))?.metadata).toEqual({
      masterId: true,
      hostname: true,
      timestamp: true,
      sequence: true,
      lineNumber: true,
    });
  });

  test.each([
    [
      'java',
      { presets: ['java'], firstLine: null, continues: null, maxLines: 500, maxBytes: 262_144, timeout: 500 },
    ],
    ['[python, node]', { presets: ['python', 'node'] }],
    [
      '{first_line: "^\\\\d", max_lines: 5, max_bytes: 1KiB, timeout: 2s}',
      { presets: [], firstLine: '^\\d', maxLines: 5, maxBytes: 1024, timeout: 2000 },
    ],
  ])('multiline: %s', (written, expected) => {
    const text = written.includes('^') ? written.replace('"^\\\\d"', "'^\\d'") : written;
    expect(pipeline(short(`{multiline: ${text}}`))?.multiline).toMatchObject(expected);
  });

  test.each([
    ['sampling: 10%', { sampling: [{ pattern: null, share: 0.1 }] }],
    ['sampling: 0.5', { sampling: [{ pattern: null, share: 0.5 }] }],
    [
      'sampling: [{pattern: GET, share: 1%}, {share: 0.5}]',
      {
        sampling: [
          { pattern: 'GET', share: 0.01 },
          { pattern: null, share: 0.5 },
        ],
      },
    ],
    ['rate_limit: 2.5', { rateLimit: { perSecond: 2.5, burst: 3, noticeAfter: 10_000 } }],
    [
      'rate_limit: {lines_per_second: 10, burst: 50, notice_after: 1m}',
      { rateLimit: { perSecond: 10, burst: 50, noticeAfter: 60_000 } },
    ],
    ['correlation: true', { correlation: { patterns: [] } }],
    [
      "correlation: {patterns: ['(?P<request_id>r\\d+)']}",
      { correlation: { patterns: ['(?P<request_id>r\\d+)'] } },
    ],
    ['redact: [aws, card]', { redaction: { presets: ['aws', 'card'], patterns: [], keys: [] } }],
    [
      'redact: {presets: [], patterns: [abc, {pattern: d, replacement: e}], keys: [pin]}',
      {
        redaction: {
          presets: [],
          patterns: [
            { pattern: 'abc', replacement: '[redacted]' },
            { pattern: 'd', replacement: 'e' },
          ],
          keys: ['pin'],
        },
      },
    ],
    [
      'parsers: [{type: json, config: {level_key: a.b, time_key: t, message_key: m}}, {type: timestamp_extraction, config: {pattern: x}}]',
      {
        parsers: [
          { type: 'json', levelKey: 'a.b', timeKey: 't', messageKey: 'm' },
          { type: 'timestamp', pattern: 'x' },
        ],
      },
    ],
    [
      "enrichers: [{type: regex, config: {pattern: '(?P<a>b)', source: message}}]",
      { enrichers: [{ type: 'regex', pattern: '(?P<a>b)', source: 'message' }] },
    ],
    [
      'enrichers: [{type: json_extract, config: {path: $.a.b, fields: {x: /c/d}}}]',
      { enrichers: [{ type: 'json_extract', paths: { b: ['a', 'b'], x: ['c', 'd'] }, source: null }] },
    ],
  ])('%s', (written, expected) => {
    expect(pipeline(short(`{${written}}`))).toEqual({ ...NOTHING, ...expected });
  });

  test('it is said in words', () => {
    const text = short(
      '{multiline: [go], parsers: [{type: json}], filters: {include_patterns: [a, b], exclude_patterns: [c], level_filter: info}, sampling: 5%, rate_limit: 100, enrichers: [{type: static, config: {fields: {a: b}}}], correlation: true, redact: true, add_metadata: true}',
    );
    expect(describeConfig(accept(text))).toContain(
      'joined by go (at most 500 lines, 256KiB); parsed as json; from level info on; only those that match 2 patterns; without those that match 1 pattern; 5 % of them; at most 100 a second, 100 at once (told after 10s); enriched by static; ids of traces and requests found; secrets redacted, but for its own files; metadata added',
    );
  });
});

test('geo_ip is accepted, and said not to be done', () => {
  const text = short('{enrichers: [{type: geo_ip, config: {source: ip}}]}');
  expect(warnings(text)).toMatchInlineSnapshot(`
    [
      "1:62 workers[0].log.processing.enrichers[0]: geo_ip is not done: it takes a database of addresses and places, which this program neither carries nor fetches (let the service that stores the lines do it)",
    ]
  `);
  expect(pipeline(text)).toBe(null);
  expect(warnings(text.replace('geo_ip,', 'geo_ip, enabled: false,'))).toEqual([]);
});

test('mistakes are told with their places', () => {
  const text = `log_collection:
  enhancement:
    parsers: [{type: xml}]
    enrichers:
      - {type: regex}
      - {type: regex, config: {pattern: '(a'}}
      - {type: json_extract, config: {field: x}}
      - {type: static}
  default_worker:
    processing:
      filters: {level_filter: eror, include_patterns: ['(?=a)b', '(a)\\1', 'a**']}
      multiline: {max_lines: 0}
workers:
  - {id: a, command: x, log: {processing: {multiline: cobol, sampling: 120%, rate_limit: 0, redact: [passwords]}}}
  - {id: b, command: x, log: {filtering: {exclude_patterns: ['[z-a]'], exclude: [x]}, processing: {multiline: {timeout: 1s}}}}
`;
  expect(refusals(text)).toMatchInlineSnapshot(`
    [
      "3:22 log_collection.enhancement.parsers[0].type: "xml" is none of json, logfmt, timestamp_extraction, level_extraction",
      "5:9 log_collection.enhancement.enrichers[0]: the regex enricher lacks its pattern (write config: {pattern: …} with named groups)",
      "6:41 log_collection.enhancement.enrichers[1].config.pattern: is a pattern that has a "(" that is never closed; it is about "(a"",
      "7:9 log_collection.enhancement.enrichers[2]: the json_extract enricher lacks its paths (write config: {path: a.b} or config: {fields: {name: a.b}})",
      "8:9 log_collection.enhancement.enrichers[3]: the static enricher lacks its fields (write config: {fields: {name: value}})",
      "11:31 log_collection.default_worker.processing.filters.level_filter: "eror" is no level (did you mean "error"?)",
      "11:56 log_collection.default_worker.processing.filters.include_patterns[0]: is a pattern that looks ahead or behind, which cannot be done in bounded time; it is about "(?=a)b"",
      "11:66 log_collection.default_worker.processing.filters.include_patterns[1]: is a pattern that refers back to a group, which cannot be done in bounded time; it is about "\\\\1"",
      "11:75 log_collection.default_worker.processing.filters.include_patterns[2]: is a pattern that repeats a repetition; put the first one into (?:…)",
      "12:18 log_collection.default_worker.processing.multiline: says nothing about which lines belong together (write presets, first_line or continues)",
      "12:30 log_collection.default_worker.processing.multiline.max_lines: 0 is not a number from 1 to 100000",
      "14:55 workers[0].log.processing.multiline: "cobol" is none of java, python, node, go, none",
      "14:72 workers[0].log.processing.sampling: "120%" is no share (write it like 10% or 0.1)",
      "14:90 workers[0].log.processing.rate_limit: 0 is not more than 0",
      "14:102 workers[0].log.processing.redact[0]: "passwords" is none of bearer, url_password, aws, key_value, jwt, private_key, card",
      "15:62 workers[1].log.filtering.exclude_patterns[0]: is a pattern that has a range in brackets whose ends are no characters in order; it is about "[z-a]"",
      "15:72 workers[1].log.filtering.exclude: unknown key "exclude" (known keys: exclude_patterns, include_patterns, level_filter)",
    ]
  `);
});

test('the example of the reference is acted on as a whole', () => {
  const example = /```yaml\n(log_collection:[^]*?)```/.exec(configDocs())?.[1] ?? '';
  expect(warnings(example)).toEqual([]);
  expect(pipeline(example)).toMatchObject({
    multiline: { presets: ['java'] },
    parsers: [json],
    filter: { exclude: ['GET /health'], minLevel: 'info' },
    sampling: [{ pattern: 'cache (?:hit|miss)', share: 0.01 }],
    enrichers: [{ pattern: 'user=(?P<user>\\w+)' }],
  });
});
