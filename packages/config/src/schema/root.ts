import { api } from './api.ts';
import { anything, later, map, object, type Written } from './fields.ts';
import { IGNORED } from './ignored.ts';
import { quotaLimits } from './limits.ts';
import { logCollection } from './logs.ts';
import { checkId } from './process.ts';
import { choice, duration, flag, integer, text, word } from './scalars.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export const ON_MASTER_EXIT = ['stop', 'leave'] as const;
export type OnMasterExit = (typeof ON_MASTER_EXIT)[number];
export type LogLevel = (typeof LOG_LEVELS)[number];

const grpc = object(
  {
    host: word(
      'address',
      'Address that `master.port` is opened at; `*` is any. Others than this machine’s own want `api.tls`.',
    ),
    open_status: flag(
      'Answer the original’s `MasterService.Status` without a token, as the original did.',
      'false',
    ),
  },
  'How the master answers gRPC at `master.port`. It is encrypted where `api.tls` is given.',
  { name: 'Grpc', renamed: { port: 'write it as master.port', tls: 'write it as api.tls' } },
);

export const master = object(
  {
    port: integer(
      { min: 0, max: 65_535 },
      'Port at which the master answers gRPC; a token is needed. Without it none is opened. 0: any that is free.',
    ),
    grpc,
    log_level: later(
      choice([...LOG_LEVELS, ''], 'How much the master says of itself.', 'info'),
      'the master says the same at every level in this version',
      ['info', ''],
    ),
    force_shutdown_timeout: duration(
      'Time for stopping all workers; what is left then is killed. 0 means the default.',
      '30s',
    ),
    on_master_exit: choice(
      [...ON_MASTER_EXIT, ''],
      'What an ordered end of the master does with the workers: `stop` ends them, `leave` lets them run, and the next master takes charge of them. A master that crashes or is killed leaves them in any case.',
      'stop',
    ),
  },
  'The master itself.',
  { name: 'Master', ignored: IGNORED.master },
);
export type WrittenMaster = Written<typeof master>;

const members = (meaning: string) =>
  object({ description: text('What it is, for people.'), limits: quotaLimits }, meaning, { name: 'Shared' });
const shared = members('What its workers share.');

/** The document, but for the workers, which are read one by one in their own form. */
export const root = object(
  {
    master,
    api,
    log_collection: logCollection,
    namespaces: map(
      shared,
      'Budgets of namespaces by their names; workers name theirs as `namespace`. A namespace without limits needs no entry.',
      checkId,
    ),
    groups: map(shared, 'Budgets of groups by their names; workers name theirs as `worker_group`.', checkId),
    workers: anything('What is run, each in the short or in the long form.', { elsewhere: true }),
  },
  'A configuration of HSU Master.',
  {
    ignored: IGNORED.root,
    renamed: {
      worker_groups: 'did you mean "groups"?',
      process_manager: 'the key is called "master" here',
      managed_processes: 'the key is called "workers" here',
      services: 'the key is called "workers" here, and holds a list',
      processes: 'the key is called "workers" here, and holds a list',
    },
  },
);
export type WrittenRoot = Written<typeof root>;
