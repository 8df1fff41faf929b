import { unmanaged } from './discovery.ts';
import { object, required, type Written } from './fields.ts';
import { healthCheck, probes, runOptions } from './health.ts';
import { IGNORED } from './ignored.ts';
import { limits } from './limits.ts';
import { workerLog } from './logs.ts';
import { metadata } from './metadata.ts';
import { execution, portRange, processFile, stopping } from './process.ts';
import { contextAwareRestart, restartMode } from './restart.ts';
import { choice, duration, text } from './scalars.ts';

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

export const unit = object(
  { managed, unmanaged, integrated },
  'Exactly one block, the one that `type` names.',
  {
    name: 'Unit',
  },
);
