import { anything, as, later, list, object, type Written } from './fields.ts';
import { IGNORED } from './ignored.ts';
import { enhancement, filters, processing } from './pipeline.ts';
import { choice, duration, flag, integer, lines, path, size, text } from './scalars.ts';

const rotation = object(
  {
    max_size: size('A file is rotated before it would grow past this.', '100MB'),
    max_files: integer({ min: 0, max: 10_000 }, 'Rotated files kept beside the current one.', '10'),
    max_age: later(
      duration('How long rotated files are kept.', '7d'),
      'rotated files are removed by their number only',
    ),
  },
  'Rotation.',
  { name: 'Rotation' },
);

const retention = as(rotation, 'Rotation of the worker’s files.');

const outputTarget = object(
  {
    type: choice(
      ['file', 'stdout', 'stderr', 'syslog', 'elasticsearch', 'master_stdout', 'process_manager_stdout'],
      'Kind of the target; `file` is acted on.',
      'file',
    ),
    path: path('File; a relative one lies in the directory of the workers’ logs; `{worker_id}` is replaced.'),
    format: later(
      choice(['plain', 'enhanced_plain', 'json', 'structured_json'], 'Format of the lines.'),
      'output is written as it comes',
      ['plain'],
    ),
    prefix: later(text('Text before each line.'), 'output is written as it comes'),
    rotation,
    authentication: later(
      object(
        {
          type: choice(['basic', 'token', 'certificate'], 'Kind.'),
          username: text('User.'),
          password: lines('Password.'),
          token: lines('Token.'),
          cert_file: text('Certificate.'),
          key_file: text('Key.'),
        },
        'Credentials.',
      ),
    ),
    facility: later(text('Facility of syslog.')),
    endpoint: later(text('Address of the service.')),
    config: later(anything('Further settings.')),
  },
  'Where lines go.',
  { name: 'OutputTarget' },
);
export type WrittenTarget = Written<typeof outputTarget>;

const onlyFiles = 'output goes to the worker’s own files and, in the foreground, to the terminal';

/** The original’s block for one worker, and the keys that the examples of its documents use beside it. */
export const workerLog = (meaning: string) =>
  object(
    {
      enabled: flag('false: the output is thrown away.', 'true'),
      capture_stdout: flag('Whether standard output is kept.', 'true'),
      capture_stderr: flag('Whether standard error is kept.', 'true'),
      retention_policy: retention,
      outputs: object(
        {
          separate: object(
            {
              stdout: list(outputTarget, 'Targets of standard output.'),
              stderr: list(outputTarget, 'Targets of standard error.'),
            },
            'Targets by stream. The first target of type file is acted on.',
          ),
          forwarding: later(list(outputTarget, 'Further targets.'), onlyFiles),
        },
        'Where the output goes.',
      ),
      buffer_size: later(size('Size of the buffer.'), 'buffers have a fixed size'),
      buffering: later(
        object(
          {
            size: size('Size of the buffer.'),
            flush_interval: duration('Time between writes.'),
            max_lines: integer({ min: 0 }, 'Lines.'),
          },
          'Buffering.',
        ),
        'buffers have a fixed size',
      ),
      processing,
      filtering: object(filters, 'The same as `processing.filters`, and added to them.'),
      forwarding: later(
        object(
          { enabled: flag('Whether it is used.'), targets: list(outputTarget, 'Targets.') },
          'Further targets.',
        ),
        onlyFiles,
      ),
    },
    meaning,
    { name: 'WorkerLog', ignored: IGNORED.logCollection },
  );
export type WrittenWorkerLog = Written<ReturnType<typeof workerLog>>;

const system = object(
  {
    worker_directory: text('Directory of the workers’ files.'),
    buffer_size: size('Size of the buffer.'),
    flush_interval: duration('Time between writes.'),
    max_workers: integer({ min: 0 }, 'Workers.'),
    metrics: object(
      {
        enabled: flag('Whether metrics are kept.'),
        interval: duration('Time between samples.'),
        targets: list(text(), 'Targets.'),
      },
      'Metrics.',
    ),
  },
  'The collector itself.',
);

export const logCollection = object(
  {
    enabled: later(flag('Whether output is collected.', 'true'), 'output is always collected', [
      'true',
      'yes',
      'on',
    ]),
    global_aggregation: later(
      object(
        { enabled: flag('Whether it is used.'), targets: list(outputTarget, 'Targets.') },
        'All output in one place.',
      ),
      onlyFiles,
    ),
    enhancement,
    default_worker: workerLog('What holds for every worker that does not say otherwise.'),
    system: later(system),
  },
  'Collection of output.',
  { name: 'LogCollection', ignored: IGNORED.logCollection },
);
