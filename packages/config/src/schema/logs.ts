import { as, later, list, object, type Written } from './fields.ts';
import { IGNORED } from './ignored.ts';
import { enhancement, filters, processing } from './pipeline.ts';
import { choice, duration, flag, integer, path, size, text } from './scalars.ts';
import { alertKeys, forwarding, logAlerts, outputTarget, rotationKeys, targets } from './targets.ts';

/** How a worker’s own files are written. */
export const fileKeys = {
  max_age: duration('Rotated files that were last written longer ago are removed; 0: at no age.', '0'),
  compress: choice(['none', 'gzip', 'zstd'], 'Whether rotated files are compressed.', 'none'),
  rotate_every: choice(
    ['never', 'hour', 'day'],
    'A new file is begun at each full hour, or at midnight, of local time, whatever its size.',
    'never',
    { hourly: 'hour', daily: 'day' },
  ),
};

export const channel = choice(
  ['fifo', 'file'],
  '`fifo`: the master carries the output. `file`: the program appends to the file itself, which needs no master and loses nothing when one is killed; see “Output without a master”.',
  'fifo',
);

export const whenFull = choice(
  ['block', 'drop_oldest', 'drop_newest'],
  'What happens while disk or targets do not keep up. `block`: the worker waits for a slow disk, and for its lines on their way to targets; what a failing disk cannot take is dropped and counted. The others never let it wait: output is dropped and counted.',
  'block',
);

const retention = object(
  {
    ...rotationKeys,
    ...fileKeys,
  },
  'Rotation of the worker’s files.',
  { name: 'Rotation' },
);

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
            'Targets by stream. The first of type file is the worker’s own file: its format, unless it says another, is `plain`, which keeps every byte; filters and the like are not for it. The others get the lines as they leave the pipeline.',
          ),
          forwarding: list(outputTarget, 'Targets of both streams.'),
        },
        'Where the output goes.',
      ),
      buffer_size: size('Another name of `buffering.size`.'),
      buffering: object(
        {
          size: size('Memory for lines that wait: `config.buffer_size` of the targets.'),
          flush_interval: duration(
            'How long lines wait at most for others: `config.flush_interval` of the targets.',
          ),
          max_lines: integer(
            { min: 0 },
            'Lines sent at once: `config.batch_lines` of the targets; 0: as usual.',
          ),
        },
        'Buffers before this worker’s targets, where these do not say otherwise. Its own files are written at once.',
      ),
      processing,
      filtering: object(filters, 'The same as `processing.filters`, and added to them.'),
      forwarding: as(
        forwarding,
        'The same as `outputs.forwarding`, and added to it: {enabled, targets}, or a list.',
      ),
      when_full: whenFull,
      channel,
      alerts: logAlerts,
    },
    meaning,
    { name: 'WorkerLog', ignored: IGNORED.logCollection },
  );
export type WrittenWorkerLog = Written<ReturnType<typeof workerLog>>;

const system = object(
  {
    worker_directory: path(
      'Directory of the workers’ files; a relative one lies in that of the logs.',
      'workers',
    ),
    buffer_size: size('`buffering.size` where nothing else says it.'),
    flush_interval: duration('`buffering.flush_interval` where nothing else says it.'),
    max_workers: integer({ min: 0 }, 'A warning is given where there are more workers; 0: never.', '0'),
    metrics: later(
      object(
        {
          enabled: flag('Whether metrics are kept.'),
          interval: duration('Time between samples.'),
          targets: list(text(), 'Targets.'),
        },
        'Metrics.',
      ),
      'lines, bytes, levels, losses and lag are always counted; the master tells them when it is asked',
    ),
  },
  'The collector itself.',
);

const globalAlert = object(
  { ...alertKeys, workers: list(text(), 'Only lines of these workers count.', 'all') },
  'Tells somebody of lines.',
  { name: 'GlobalLogAlert' },
);

export const logCollection = object(
  {
    enabled: flag(
      'false: nothing goes to targets, no alert is raised, and the output of workers that do not say `enabled: true` or `capture_…: true` themselves is thrown away.',
      'true',
    ),
    max_total_size: size(
      'All files of output together: of workers, of targets, and of workers that are gone. Beyond it the oldest rotated files are removed.',
      'without bound',
    ),
    channel: as(channel, '`channel` of workers that say nothing of it.'),
    global_aggregation: targets('All output in one place.'),
    alerts: list(globalAlert, 'Alerts on lines of all workers.'),
    enhancement,
    default_worker: workerLog('What holds for every worker that does not say otherwise.'),
    system,
  },
  'Collection of output.',
  { name: 'LogCollection', ignored: IGNORED.logCollection },
);
export type WrittenLogCollection = Written<typeof logCollection>;
