import {
  compilePattern,
  LOG_LEVELS,
  type LogLevel,
  levelNamed,
  REDACTIONS,
  type Redaction,
  STACK_TRACES,
} from '@hsu-master/core';
import { forms, list, map, object, type Read, required, scalar, type Written } from './fields.ts';
import { choice, duration, flag, integer, lines, number, size, text } from './scalars.ts';
import { suggest } from './suggest.ts';

const TEXT = { type: ['string', 'number', 'boolean'] };

function readPattern(source: string): Read<string> {
  const result = compilePattern(source);
  if (result.ok) return { value: source };
  const near = source.slice(result.at, result.at + 20);
  const place = near === '' ? '' : `; it is about ${JSON.stringify(near)}`;
  return { wrong: `is a pattern that ${result.reason}${place}` };
}

/** A regular expression that can be matched in bounded time. */
export const pattern = (meaning = '') => ({ ...scalar('pattern', TEXT, readPattern, meaning), lines: true });

function readLevel(text: string): Read<LogLevel | null> {
  if (text === '') return { value: null };
  const level = levelNamed(text);
  if (level !== null) return { value: level };
  const near = suggest(text, LOG_LEVELS);
  return {
    wrong: `${JSON.stringify(text.slice(0, 60))} is no level`,
    hint: near === null ? `write one of ${LOG_LEVELS.join(', ')}` : `did you mean "${near}"?`,
  };
}

export const level = (meaning: string) => scalar('level', TEXT, readLevel, meaning);

export const filters = {
  exclude_patterns: list(
    pattern(),
    'Lines that match one of them are left out, whatever `include_patterns` says.',
  ),
  include_patterns: list(pattern(), 'Where there are any, lines that match none of them are left out.'),
  level_filter: level(
    'Lines of a lower level are left out; lines that name no level are kept. Empty: no filter.',
  ),
};
const filterBlock = object(filters, 'Which lines are kept.');
export type WrittenFilters = Written<typeof filterBlock>;

const parser = object(
  {
    type: required(
      choice(
        ['json', 'logfmt', 'timestamp_extraction', 'level_extraction'],
        'What is understood: lines that are JSON objects; `key=value` pairs; a time or a level at the beginning of a line.',
        null,
        { timestamp: 'timestamp_extraction', time: 'timestamp_extraction', level: 'level_extraction' },
      ),
    ),
    enabled: flag('Whether it is used.', 'true'),
    config: object(
      {
        pattern: pattern(
          'For extraction: its group `time` or `level`, else its first, is the time or level.',
        ),
        level_key: text('Key of the level, before the customary ones; dots lead into objects.'),
        time_key: text('Key of the time, likewise.'),
        message_key: text('Key of the message, likewise.'),
      },
      'Settings.',
    ),
  },
  'Finds out level, time, message and fields of a line.',
  { name: 'Parser' },
);
export type WrittenParser = Written<typeof parser>;

const enricher = object(
  {
    type: required(
      choice(
        ['regex', 'json_extract', 'static', 'geo_ip'],
        'Where fields come from: named groups of a pattern; paths in JSON; the configuration. geo_ip is not acted on.',
      ),
    ),
    enabled: flag('Whether it is used.', 'true'),
    config: object(
      {
        pattern: pattern(
          'regex: its named groups become fields; `level`, `time` and `message` say what the line does not say otherwise.',
        ),
        source: text(
          'regex, json_extract: the field that is looked at, `message` for the message.',
          'the line',
        ),
        path: text('json_extract: the way to a value, like `context.user.id`.'),
        field: text('json_extract: the field that it becomes.', 'the last part of the path'),
        fields: map(
          lines(),
          'json_extract: paths by the fields that they become. static: values by their fields.',
        ),
      },
      'Settings.',
    ),
  },
  'Adds fields to a line.',
  { name: 'Enricher' },
);
export type WrittenEnricher = Written<typeof enricher>;

export const parsers = list(parser, 'Parsers, in their order.');
export const enrichers = list(enricher, 'Enrichers, in their order.');

export const metadata = object(
  {
    add_master_id: flag('Field `master_id`.', 'false'),
    add_process_manager_id: flag('Another name of `add_master_id`.'),
    add_hostname: flag('Field `host`.', 'false'),
    add_timestamp: flag('Field `timestamp`: the time of the line, else when it was read.', 'false'),
    add_sequence: flag('Field `sequence`: grows by one for each line of a worker.', 'false'),
    add_line_number: flag('Field `line_number`: within the stream of the run.', 'false'),
  },
  'What the master knows of a line, as fields.',
);
export type WrittenMetadata = Written<typeof metadata>;

const traces = [...STACK_TRACES, 'none'] as const;

const multiline = forms(
  {
    scalar: choice(traces, ''),
    list: list(choice(STACK_TRACES, ''), ''),
    map: object(
      {
        presets: list(choice(STACK_TRACES, ''), 'Kinds of stack traces that are known by their looks.'),
        first_line: pattern('Lines that match begin a record, all others continue it.'),
        continues: pattern('Lines that match continue the record before them.'),
        max_lines: integer({ min: 1, max: 100_000 }, 'Lines joined at most.', '500'),
        max_bytes: size('Size of a joined record at most.', '256KiB'),
        timeout: duration('A record is handed on when nothing was added to it for so long.', '500ms', {
          positive: true,
        }),
      },
      'Which lines are joined.',
      { name: 'Multiline' },
    ),
  },
  `Lines that belong together become one record: kinds of stack traces (${STACK_TRACES.join(', ')}), or a map; \`none\` switches it off.`,
);

const share = (meaning = '') => {
  const read = (text: string): Read<number> => {
    const percent = /^(.*?)\s*%$/.exec(text);
    const value = Number(percent === null ? text : percent[1]) / (percent === null ? 1 : 100);
    if (text.trim() !== '' && value >= 0 && value <= 1) return { value };
    return { wrong: `${JSON.stringify(text.slice(0, 60))} is no share`, hint: 'write it like 10% or 0.1' };
  };
  return scalar(
    'share',
    { type: ['number', 'string'], minimum: 0, maximum: 1, pattern: '%|\\$\\{' },
    read,
    meaning,
  );
};

const sample = object(
  {
    pattern: pattern('Which lines; without it all that no earlier entry is about.'),
    share: required(share('The share that is kept: 10%, or 0.1.')),
  },
  'A share of lines that is kept.',
  { name: 'Sample' },
);

const sampling = forms(
  { scalar: share(), list: list(sample, ''), map: sample },
  'The share of lines that is kept, by chance: 10%, or for patterns; the first entry that is about a line decides.',
);

const rateLimit = forms(
  {
    scalar: number({ min: 0, above: true }, ''),
    map: object(
      {
        lines_per_second: required(number({ min: 0, above: true }, 'Lines let through in the long run.')),
        burst: integer({ min: 1 }, 'Lines let through at once after a time of quiet.', 'one second’s worth'),
        notice_after: duration('What was left out is told in a line after so long.', '10s', {
          positive: true,
        }),
      },
      'A bound for lines.',
      { name: 'RateLimit' },
    ),
  },
  'Lines a second, of the worker as a whole; what is left out is counted and told.',
);

const correlation = forms(
  {
    scalar: flag(''),
    map: object(
      {
        patterns: list(
          pattern(),
          'Searched before the customary forms; their groups `trace_id`, `span_id` and `request_id` are the ids.',
        ),
      },
      'Where ids are found.',
      { name: 'Correlation' },
    ),
  },
  'true: ids of traces and requests (traceparent, trace_id, x-request-id …) become the fields `trace_id`, `span_id`, `request_id`.',
  'false',
);

const redact = forms(
  {
    scalar: flag(''),
    list: list(choice(REDACTIONS, ''), ''),
    map: object(
      {
        presets: list(choice(REDACTIONS, ''), `Kinds of secrets: ${REDACTIONS.join(', ')}.`, 'all but card'),
        patterns: list(
          forms(
            {
              scalar: pattern(),
              map: object(
                {
                  pattern: required(pattern('What is made unreadable.')),
                  replacement: lines('Stands in its place; `$1` is its first group.'),
                },
                'A secret of one’s own.',
                { name: 'Secret' },
              ),
            },
            '',
          ),
          'Secrets of one’s own.',
        ),
        keys: list(text(), 'Further names whose values are secret, beside password, token and the like.'),
      },
      'What is made unreadable.',
      { name: 'Redact' },
    ),
  },
  'true: secrets are replaced by `[redacted]` in lines and fields; or kinds of secrets, or a map.',
  'false',
);

/** What is done with the lines of a worker. */
export const processing = object(
  {
    parse_structured: flag(
      'true: JSON and logfmt are parsed; false: they are not, whatever holds for all workers.',
    ),
    add_metadata: flag(
      'true: what the master knows is added; false: it is not, whatever holds for all workers.',
    ),
    filters: filterBlock,
    parsers,
    enrichers,
    multiline,
    sampling,
    rate_limit: rateLimit,
    correlation,
    redact,
  },
  'Processing of lines.',
  { name: 'Processing' },
);
export type WrittenProcessing = Written<typeof processing>;

const ELSEWHERE = 'it belongs to "processing", for all workers below default_worker';
const IN_PROCESSING = Object.fromEntries(
  ['redact', 'redaction', 'multiline', 'sampling', 'rate_limit', 'correlation', 'filters'].map((key) => [
    key,
    ELSEWHERE,
  ]),
);

export const enhancement = object(
  {
    enabled: flag('Whether this block counts.', 'true'),
    parsers,
    metadata,
    enrichers,
  },
  'Enhancement of the lines of all workers.',
  { name: 'Enhancement', renamed: IN_PROCESSING },
);
export type WrittenEnhancement = Written<typeof enhancement>;

export const USUAL_REDACTIONS: readonly Redaction[] = REDACTIONS.filter((preset) => preset !== 'card');
