import { anything, later, list, object, required, type Written } from './fields.ts';
import { healthCheck, probes, runOptions } from './health.ts';
import { IGNORED } from './ignored.ts';
import { limits } from './limits.ts';
import { workerLog } from './logs.ts';
import { execution, portRange, processFile, stopping } from './process.ts';
import { contextAwareRestart, restartMode } from './restart.ts';
import { choice, duration, flag, integer, path, text } from './scalars.ts';

const metadata = object(
  { name: text('Name for people.', 'the id'), description: text('What it is, for people.') },
  'For people.',
  { name: 'Metadata' },
);

const control = object(
  {
    execution: required(execution),
    process_file: processFile,
    restart_policy: restartMode('on-failure'),
    context_aware_restart: contextAwareRestart,
    limits,
    graceful_timeout: duration(
      'Time between asking the program to end and killing it; 0 means the default.',
      '20s',
    ),
    log_collection: workerLog('Output of this worker.'),
    ...stopping,
  },
  'How the program is run.',
  { name: 'ManagedControl', ignored: IGNORED.control },
);

export const managed = object(
  { metadata, control: required(control), health_check: healthCheck, probes },
  'A program that the master starts, watches and stops.',
  { name: 'Managed' },
);
export type WrittenManaged = Written<typeof managed>;

const integrated = object(
  {
    metadata,
    control: required(control),
    port: portRange,
    port_argument: text(
      'What stands before the port at the end of the arguments; empty: nothing is added.',
      '--port',
    ),
    port_handover: choice(
      ['reserve', 'socket'],
      'reserve: the port is held for the program until it binds it; socket: it is given a socket that listens (LISTEN_FDS).',
      'reserve',
    ),
    health_check_run_options: runOptions,
    probes,
  },
  'A managed program that is given a TCP port, and answers there over gRPC: Ping, health, control.',
  { name: 'Integrated' },
);
export type WrittenIntegrated = Written<typeof integrated>;

const METHODS = [
  'pid-file',
  'process-name',
  'port',
  'service-name',
  'process_name_pattern',
  'port_based',
  'pid_file',
  'service_name',
] as const;

const discovery = object(
  {
    method: choice(METHODS, 'How the process is found.'),
    strategy: choice(METHODS, 'Another name of `method`.'),
    pid_file: path('pid-file: the file.'),
    process_name: text('process-name: the name.'),
    process_args: list(text(), 'process-name: arguments it must have.'),
    pattern: text('process-name: pattern of its command line.'),
    port: integer({ min: 1, max: 65_535 }, 'port: the port it listens on.'),
    protocol: choice(['tcp', 'udp'], 'port: the protocol.', 'tcp'),
    service_name: text('service-name: the service.'),
    check_interval: duration('Time between looks.', '30s'),
    validation: list(anything(''), 'Checks that a process found must pass.'),
  },
  'How the process is found.',
  { name: 'Discovery' },
);

const unmanaged = later(
  object(
    {
      metadata,
      discovery: required(discovery),
      control: object(
        {
          can_terminate: flag('Whether the master may end it.'),
          can_restart: flag('Whether the master may restart it.'),
          service_manager: choice(['systemd', 'windows', 'launchd', ''], 'Who runs it.'),
          service_name: text('Its name there.'),
          allowed_signals: anything('Signals that may be sent.'),
          graceful_timeout: duration('Time between asking and killing.', '30s'),
        },
        'What the master may do.',
        { name: 'SystemControl' },
      ),
      health_check: healthCheck,
    },
    'A process that somebody else started.',
    { name: 'Unmanaged' },
  ),
  'unmanaged units are not run in this version',
);

export const unit = object(
  { managed, unmanaged, integrated },
  'Exactly one block, the one that `type` names.',
  {
    name: 'Unit',
  },
);
