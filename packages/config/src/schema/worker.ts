import { as, forms, list, object, required, type Written } from './fields.ts';
import { healthCheck, probe, probes } from './health.ts';
import { IGNORED } from './ignored.ts';
import { limits } from './limits.ts';
import { channel, fileKeys, whenFull } from './logs.ts';
import { filters, processing } from './pipeline.ts';
import { command, environment, id, identity, portRange, stopping } from './process.ts';
import { restartMode, ruleKeys, startupGrace } from './restart.ts';
import { choice, duration, flag, integer, path, size, text } from './scalars.ts';
import { format, forwarding, logAlerts } from './targets.ts';
import { unit } from './units.ts';

const PROFILES = ['batch', 'web', 'database', 'worker', 'scheduler', 'default', ''] as const;

const dependency = object(
  {
    id: required(id('Worker that must be there first.')),
    condition: choice(
      ['started', 'ready', 'completed'],
      'When it counts as there; completed is an exit with a success code.',
      'ready where it has a readiness or startup probe, else started',
    ),
    restart: flag('Whether this worker is restarted whenever that one ends or is replaced.', 'false'),
  },
  'A worker that must be there first.',
  { name: 'Dependency' },
);

const dependencyId = id('');
const dependsOn = forms(
  {
    scalar: dependencyId,
    list: list(forms({ scalar: dependencyId, map: dependency }, ''), ''),
    map: dependency,
  },
  'Workers that must be there first: their ids, or {id, condition, restart}.',
);

const common = {
  id: required(id('Unique name: 1 to 64 letters, digits, _ and -; also unique when case is ignored.')),
  enabled: flag('false: defined and checked, but not started.', 'true'),
  depends_on: dependsOn,
  namespace: id('Namespace; shares the budget that the document’s `namespaces` gives it, if any.'),
  worker_group: id('Group of the document’s `groups` whose budget it shares, within its namespace.'),
  restart_dependents: flag(
    'Whether the workers that depend on this one are restarted whenever it ends or is replaced.',
    'false',
  ),
};

export const longForm = object(
  {
    ...common,
    type: required(choice(['managed', 'unmanaged', 'integrated'], 'Kind of the unit.')),
    profile_type: choice(PROFILES, 'Profile that worker_profile_multipliers refer to.', 'default'),
    unit: required(unit),
  },
  'A worker in the long form.',
  {
    name: 'Worker',
    ignored: IGNORED.worker,
    renamed: { process_profile_type: 'the key is called "profile_type" here' },
  },
);
export type WrittenLongWorker = Written<typeof longForm>;

const restartRule = object(
  {
    policy: restartMode('on-failure'),
    ...ruleKeys,
    max_retries: {
      ...ruleKeys.max_retries,
      meaning: 'Restarts allowed within `window` before the breaker opens; 0 means no bound.',
      fallback: '5',
    },
    retry_delay: as(ruleKeys.retry_delay, ruleKeys.retry_delay.meaning, '1s'),
    backoff_rate: as(ruleKeys.backoff_rate, ruleKeys.backoff_rate.meaning, '2'),
    window: as(ruleKeys.window, ruleKeys.window.meaning, '1m'),
    delay: as(ruleKeys.retry_delay, 'Another name of `retry_delay`.', null),
    factor: as(ruleKeys.backoff_rate, 'Another name of `backoff_rate`.', null),
  },
  'When, how often and how soon to restart.',
  { name: 'Restart' },
);

const log = object(
  {
    capture_stdout: flag('Whether standard output is kept.', 'true'),
    capture_stderr: flag('Whether standard error is kept.', 'true'),
    stdout: path(
      'File of standard output; a relative one lies in the directory of the workers’ logs.',
      '{worker_id}-stdout.log',
    ),
    stderr: path('File of standard error; the same as `stdout` joins both.', '{worker_id}-stderr.log'),
    max_size: size('A file is rotated before it would grow past this.', '100MB'),
    max_files: integer({ min: 0, max: 10_000 }, 'Rotated files kept beside the current one.', '10'),
    ...fileKeys,
    format: as(format, format.meaning, 'plain'),
    prefix: text('Text before each line of a text format; `{worker_id}` and `{stream}` are replaced.'),
    when_full: whenFull,
    channel,
    forwarding,
    alerts: logAlerts,
    processing,
    filtering: object(filters, 'The same as `processing.filters`, and added to them.'),
  },
  'Output of this worker.',
  { name: 'Log' },
);

export const shortForm = object(
  {
    ...common,
    command: required(
      command(
        'Program and arguments: a command line, split into words as a shell would, but without a shell; or a list of words.',
      ),
    ),
    shell: flag('true: the command line is run by /bin/sh -c.', 'false'),
    name: text('Name for people.', 'the id'),
    description: text('What it is, for people.'),
    cwd: path('Working directory.', 'directory of the configuration file'),
    env: environment('Variables added to the master’s environment: a map, or a list of NAME=value.'),
    port: as(
      portRange,
      'TCP port that it is given as PORT in its environment: this one; of a range, 50100-50199, one that is free; 0: any that is free. It is held for the program, which keeps it over restarts. Without it it is given none.',
      null,
    ),
    ...identity,
    ready: probe('Readiness probe: an http, https or tcp URL, or {exec: …}; asked every second.'),
    probes,
    health_check: healthCheck,
    restart: forms(
      { scalar: restartMode('on-failure'), map: restartRule },
      'When to restart: a policy, or a map.',
      'on-failure',
    ),
    startup_grace_period: startupGrace,
    stop_timeout: duration('Time between asking the program to end and killing it; 0 kills at once.', '20s'),
    ...stopping,
    limits,
    log,
  },
  'A worker in the short form: a managed unit.',
  {
    name: 'ShortWorker',
    renamed: {
      cmd: 'did you mean "command"?',
      args: 'put the arguments into command',
      execution: 'the short form takes command; the long form takes type and unit',
      executable_path: 'did you mean "command"?',
      working_directory: 'did you mean "cwd"?',
      environment: 'did you mean "env"?',
      restart_policy: 'did you mean "restart"?',
      graceful_timeout: 'did you mean "stop_timeout"?',
      log_collection: 'did you mean "log"?',
      logs: 'did you mean "log"?',
      readiness: 'did you mean "ready", or probes.readiness?',
    },
  },
);
export type WrittenShortWorker = Written<typeof shortForm>;

/** Keys that tell the two forms apart. */
export const LONG_ONLY: ReadonlySet<string> = new Set(
  [...longForm.keys.keys()].filter((key) => !shortForm.keys.has(key)),
);
export const SHORT_ONLY: ReadonlySet<string> = new Set(
  [...shortForm.keys.keys()].filter((key) => !longForm.keys.has(key)),
);
