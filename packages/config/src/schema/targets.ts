import { LOG_FORMATS } from '@hsu-master/core';
import { as, forms, list, object, required, values, type Written } from './fields.ts';
import { webAddress } from './health.ts';
import { level, pattern } from './pipeline.ts';
import { commandLine } from './process.ts';
import { choice, duration, flag, integer, lines, path, size, text } from './scalars.ts';

/** How many files, and how long; what it means differs between a worker’s own file and a target. */
export const rotationKeys = {
  max_size: size('A file is rotated before it would grow past this.', '100MB'),
  max_files: integer({ min: 0, max: 10_000 }, 'Rotated files kept beside the current one.', '10'),
};

const TYPES = [
  'file',
  'stdout',
  'stderr',
  'syslog',
  'elasticsearch',
  'opensearch',
  'loki',
  'splunk',
  'splunk_hec',
  'otlp',
  'opentelemetry',
  'webhook',
  'http',
  'master_stdout',
  'master_stderr',
  'process_manager_stdout',
  'process_manager_stderr',
] as const;

export const format = choice(
  LOG_FORMATS,
  '`plain`: the line as it came; `enhanced_plain`: `[time][worker][stream] line`; `json`; `structured_json`: with level, fields and what else was found.',
);

export const outputTarget = object(
  {
    type: choice(
      TYPES,
      'Kind of the target. `master_stdout` and `process_manager_stdout` are the master’s own, as `stdout` is.',
      'file',
    ),
    path: path(
      'File; `{worker_id}` is replaced. A relative one lies in the directory of the workers’ logs, of `global_aggregation` in that of the logs.',
    ),
    endpoint: text(
      'Address of a service; of syslog `udp://`, `tcp://`, `tls://`, `unix://` or `unixgram://`.',
    ),
    url: text('Another name of `endpoint`.'),
    facility: text('Facility of syslog.', 'local0'),
    format: as(format, format.meaning, 'enhanced_plain for files and streams'),
    prefix: text(
      'Text before each line of a text format; `{worker_id}`, `{stream}`, `{timestamp}`, `{level}`, `{sequence}`, `{run}`, `{host}` and `{master_id}` are replaced.',
    ),
    rotation: object(
      {
        ...rotationKeys,
        max_age: duration('Rotated files older than this are removed.'),
      },
      'Rotation of a file.',
    ),
    authentication: object(
      {
        type: choice(['none', 'basic', 'token', 'certificate'], 'Kind.'),
        username: text('User.'),
        password: lines('Password; write `${VARIABLE}`.'),
        token: lines('Token; write `${VARIABLE}`.'),
        cert_file: text('Certificate, also beside the others.'),
        key_file: text('Its key.'),
      },
      'Credentials.',
    ),
    config: values('Further settings: see “Targets”.'),
  },
  'Where lines go.',
  { name: 'OutputTarget' },
);
export type WrittenTarget = Written<typeof outputTarget>;

export const targets = (meaning: string) =>
  object({ enabled: flag('Whether it is used.', 'true'), targets: list(outputTarget, 'Targets.') }, meaning);

export const forwarding = forms(
  { list: list(outputTarget, ''), map: targets('') },
  'Targets of both streams: a list, or {enabled, targets}.',
);

export const alertKeys = {
  name: required(text('Unique name.')),
  pattern: pattern('Lines that match count; without it any line.'),
  level: level('Lines of this level or a higher one count.'),
  stream: choice(['stdout', 'stderr'], 'Only lines of this stream count.', 'both'),
  count: integer({ min: 1, max: 10_000 }, 'So many lines …', '1'),
  within: duration('… within this raise it; it is cleared when this time has had fewer.', '1m', {
    positive: true,
  }),
  every: duration('While it lasts it is told again so often at most; 0: only once.', '5m'),
  exec: forms(
    { scalar: commandLine, list: list(lines(), '') },
    'Program that is run for each alert. It finds HSU_ALERT (raised, again, cleared), HSU_ALERT_RULE, _WORKER, _RUN, _LINES, _LINE and _MESSAGE in its environment.',
  ),
  webhook: as(webAddress, 'Address to which each alert is POSTed as JSON.'),
  timeout: duration('Time that either may take; what failed is tried once more.', '10s', { positive: true }),
};

export const logAlert = object(alertKeys, 'Tells somebody of lines: event, program, webhook.', {
  name: 'LogAlert',
});
export type WrittenLogAlert = Written<typeof logAlert>;

export const logAlerts = list(
  logAlert,
  'Alerts on lines, as they leave the pipeline: what filters leave out raises none.',
);
