import { as, list, object, type Read, required, scalar, type Written } from './fields.ts';
import { healthCheck, probes, webAddress } from './health.ts';
import { limits } from './limits.ts';
import { workerLog } from './logs.ts';
import { metadata } from './metadata.ts';
import { pattern } from './pipeline.ts';
import { command } from './process.ts';
import { restartMode } from './restart.ts';
import { choice, duration, flag, integer, path, text } from './scalars.ts';

/** The seeds’ names of strategies, each with what the original and others call it. */
export const STRATEGIES = {
  pid_file: 'pid_file',
  'pid-file': 'pid_file',
  process_name: 'process_name',
  'process-name': 'process_name',
  process_name_pattern: 'process_name',
  command_line_pattern: 'command_line_pattern',
  'command-line': 'command_line_pattern',
  port: 'port',
  port_based: 'port',
  parent_process: 'parent_process',
  parent: 'parent_process',
  environment_variable: 'environment_variable',
  environment: 'environment_variable',
  working_directory: 'working_directory',
  user: 'user',
  user_based: 'user',
  open_file: 'open_file',
  resource_based: 'open_file',
  executable_path: 'executable_path',
  executable: 'executable_path',
  service_name: 'service_name',
  'service-name': 'service_name',
  service_registry: 'service_name',
} as const;

const strategyName = (meaning: string) =>
  choice(Object.keys(STRATEGIES) as (keyof typeof STRATEGIES)[], meaning);

export const SERVICE_MANAGERS = ['systemd', 'openrc', 'init.d', 'windows', 'launchd', ''] as const;

const portNumber = (meaning: string) => integer({ min: 1, max: 65_535 }, meaning);

/** What tells a process from others. Of several all must be true. */
const clues = {
  strategy: strategyName('Which of the keys below says who it is; needed only with `pattern`.'),
  method: strategyName('Another name of `strategy`.'),
  pattern: pattern('Pattern of the strategy: of a name, a command line or the value of a variable.'),
  pid_file: path('File that holds its pid, as the first word.'),
  process_name: text('Its name, that of its program, or what it calls itself.'),
  process_args: list(text(), 'Arguments that it must have.'),
  process_name_pattern: pattern('Pattern in its name, in that of its program, or in what it calls itself.'),
  command_line_pattern: pattern('Pattern in its arguments, joined by blanks.'),
  port: portNumber('Port that it listens on.'),
  protocol: choice(['tcp', 'udp'], 'Protocol of the port.', 'tcp'),
  address: text('Address on which it listens there.', 'any'),
  environment_variable: text('Variable that it was started with: NAME or NAME=value.'),
  working_directory: path('Directory in which it works.'),
  include_subdirectories: flag('Whether it may work below that directory.', 'false'),
  user: text('User it runs as, by name or number.'),
  open_file: path('File or unix socket that it has open.'),
  executable_path: path('Its program.'),
  service_name: text('Service whose main process it is.'),
  service_manager: choice(SERVICE_MANAGERS, 'Who knows that service.', 'whoever does here'),
};

const parent = object(clues, 'Who its parent is.', { name: 'Clue' });
export type WrittenClue = Written<typeof parent>;

const clue = object({ ...clues, parent_process: as(parent, 'Its parent, told in the same way.') }, '', {
  name: 'ClueWithParent',
});
export type WrittenClueWithParent = Written<typeof clue>;

const CHECKS = [
  'port_check',
  'port-check',
  'file_exists',
  'file-exists',
  'http_health',
  'http-health',
  'executable_path',
  'executable',
] as const;

const validation = object(
  {
    type: required(
      choice(
        CHECKS,
        'port_check: it, or what descends from it, listens there and answers; file_exists; http_health: a status from 200 to 299; executable_path: it is this program.',
      ),
    ),
    port: portNumber('port_check: the port.'),
    protocol: choice(['tcp', 'udp'], 'port_check: the protocol.', 'tcp'),
    host: text('port_check: where to connect to.', '127.0.0.1'),
    path: path('file_exists, executable_path: the path.'),
    endpoint: as(webAddress, 'http_health: the URL.'),
    url: as(webAddress, 'Another name of `endpoint`.'),
  },
  'What a process must pass, once found, before anything is done to it.',
  { name: 'Validation' },
);
export type WrittenValidation = Written<typeof validation>;

const discovery = object(
  {
    ...clues,
    parent_process: as(parent, 'Its parent, told in the same way.'),
    all: list(clue, 'All of these are true of it as well.'),
    any: list(clue, 'At least one of these is true of it as well.'),
    filters: list(clue, 'Another name of `all`.'),
    exclude: list(clue, 'None of these is true of it.'),
    choose: choice(
      ['only', 'oldest', 'newest'],
      'Which of several is meant that do not descend from each other; only: none, and they are named.',
      'only',
    ),
    validation: list(validation, 'Checks that it must pass, once found.'),
    validation_timeout: duration('How long one of them may take.', '5s', { positive: true }),
    check_interval: duration('Between looks while it is not there; sooner at first.', '5s'),
  },
  'How the process is found. Never meant are the master, whom it descends from, its own workers, pid 1 and threads of the kernel.',
  { name: 'Discovery' },
);
export type WrittenDiscovery = Written<typeof discovery>;

/** Numbers as the original’s examples have them; those of Linux. */
const NUMBERS: Readonly<Record<string, string>> = {
  1: 'HUP',
  2: 'INT',
  3: 'QUIT',
  6: 'ABRT',
  9: 'KILL',
  10: 'USR1',
  12: 'USR2',
  15: 'TERM',
  18: 'CONT',
  19: 'STOP',
};

const SIGNALS = new Set(
  'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS'.split(
    ' ',
  ),
);

function readAnySignal(written: string): Read<`SIG${string}`> {
  const bare = NUMBERS[written] ?? written.toUpperCase().replace(/^SIG/, '');
  if (SIGNALS.has(bare)) return { value: `SIG${bare}` };
  return {
    wrong: `${JSON.stringify(written.slice(0, 40))} is not a signal`,
    hint: 'write a name like SIGHUP or SIGTERM',
  };
}

const systemControl = object(
  {
    can_terminate: flag('Whether the master may end it when it is asked to stop it.', 'false'),
    can_restart: flag('Whether the master may have it restarted.', 'false'),
    can_move: flag(
      'Whether it may be brought to a cgroup of the master, by which the kernel enforces its limits; it is given back when it is watched no longer. Where it is not allowed, or somebody else has it in a cgroup, as systemd has its services, such limits are watched.',
      'false',
    ),
    service_manager: choice(SERVICE_MANAGERS, 'Who ends and restarts it: systemd, openrc or init.d.'),
    service_name: text('What it is called there.'),
    stop_command: command('Program that ends it; goes before the service.'),
    restart_command: command('Program that restarts it, also when it is not there; goes before the service.'),
    stop_signal: scalar(
      'signal',
      { type: 'string' },
      readAnySignal,
      'Signal that asks it to end.',
      'SIGTERM',
    ),
    allowed_signals: list(
      scalar('signal', { type: ['string', 'integer'] }, readAnySignal),
      'Signals that may be sent to it.',
      'with can_terminate: stop_signal and SIGKILL',
    ),
    graceful_timeout: duration('How long it may take to end or to be restarted; 0 means the default.', '30s'),
    restart_policy: as(
      restartMode('never'),
      'never; or on-failure: with can_restart it is restarted when a probe finds it unhealthy. When it ends by itself it is waited for.',
      'never',
    ),
    limits,
  },
  'What the master may do. At its end it leaves the process alone, whatever is allowed.',
  { name: 'SystemControl' },
);
export type WrittenSystemControl = Written<typeof systemControl>;

export const unmanaged = object(
  {
    metadata,
    discovery: required(discovery),
    control: systemControl,
    log_files: list(path(''), 'Files that it writes: their new lines are taken for its output.'),
    log_collection: workerLog('What is done with these lines.'),
    health_check: healthCheck,
    probes,
  },
  'A process that somebody else starts: it is waited for, watched, and controlled as far as is allowed.',
  { name: 'Unmanaged' },
);
export type WrittenUnmanaged = Written<typeof unmanaged>;
