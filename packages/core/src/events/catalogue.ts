// Longer than other files: one map is the source of types, documentation and names of all events.

import type { Failure } from '../errors.ts';
import type { Waiting } from '../graph/waiting.ts';
import type { LimitName } from '../limits/names.ts';
import type { QuotaName } from '../limits/spec.ts';
import type { Milliseconds, WallTime } from '../units.ts';
import type { Exit, ProcessIdentity } from '../worker/exit.ts';
import type { WorkerId } from '../worker/spec.ts';

/** Why a run was ended from outside. */
export type StopCause =
  | 'operator'
  | 'shutdown'
  | 'restart'
  | 'configuration'
  | 'liveness'
  | 'startup'
  | 'dependency'
  | 'left-behind'
  | 'main-process'
  | 'limit';

/** Payloads by event type. Names are `noun.verb`: -ing is under way, past is done. */
export interface EventMap {
  'worker.starting': { readonly restarts: number };
  'worker.blocked': { readonly waiting: readonly Waiting[] };
  'worker.spawn-failed': { readonly failure: Failure };
  'worker.started': { readonly process: ProcessIdentity; readonly warning: string | null };
  'worker.attached': {
    readonly process: ProcessIdentity;
    readonly uptime: Milliseconds;
    readonly restarts: number;
    readonly ready: boolean;
    readonly origin: 'earlier-master' | 'foreign';
  };
  'worker.detached': { readonly process: ProcessIdentity };
  'worker.monitor-only': { readonly reason: string };
  'worker.not-found': {
    readonly reason: string;
    readonly processes: readonly ProcessIdentity[];
  };
  'worker.control-failed': { readonly action: 'stop' | 'restart'; readonly reason: string };
  'worker.daemonized': { readonly process: ProcessIdentity; readonly expected: boolean };
  'worker.ready': Record<never, never>;
  'worker.unready': { readonly reason: string };
  'worker.stopping': { readonly cause: StopCause; readonly detail: string };
  'worker.killed': { readonly after: Milliseconds };
  'worker.exited': {
    readonly exit: Exit;
    readonly asked: boolean;
    readonly success: boolean;
    readonly uptime: Milliseconds;
    readonly remaining: readonly ProcessIdentity[];
  };
  'worker.survivors': { readonly survivors: readonly ProcessIdentity[] };
  'worker.file-failed': { readonly file: string; readonly reason: string };
  'worker.backing-off': {
    readonly delay: Milliseconds;
    readonly until: WallTime;
    readonly failures: number;
    readonly breaker: 'closed' | 'open';
    readonly reason: string;
  };
  'worker.failed': { readonly failure: Failure };
  'worker.stopped': { readonly completed: boolean };
  'worker.removed': { readonly runs: number };
  'health.changed': {
    readonly probe: 'startup' | 'liveness' | 'readiness';
    readonly healthy: boolean;
    readonly reason: string;
  };
  'worker.throttled': { readonly limit: LimitName; readonly percent: number };
  'worker.unthrottled': { readonly reason: string };
  'limit.warned': { readonly limit: LimitName; readonly value: number; readonly allowed: number };
  'limit.exceeded': {
    readonly limit: LimitName;
    readonly value: number | null;
    readonly allowed: number | null;
    readonly quota: QuotaName | null;
    readonly reason: string;
  };
  'limit.cleared': {
    readonly limit: LimitName;
    readonly value: number | null;
    readonly allowed: number;
    readonly quota: QuotaName | null;
  };
  'limit.adjusted': { readonly limit: LimitName; readonly from: number; readonly to: number };
  'limit.unenforceable': {
    readonly limit: LimitName;
    readonly status: 'watched' | 'impossible';
    readonly quota: QuotaName | null;
    readonly reason: string;
  };
  'alert.failed': {
    readonly limit: LimitName;
    readonly to: 'exec' | 'webhook';
    readonly reason: string;
  };
  'log.dropped': { readonly bytes: number; readonly reason: string };
  'log.rotated': { readonly file: string };
  'log.removed': {
    readonly file: string;
    readonly files: number;
    readonly bytes: number;
    readonly because: 'count' | 'age' | 'budget';
  };
  'log.over-budget': { readonly bytes: number; readonly max: number };
  'log.alerted': {
    readonly kind: 'raised' | 'again' | 'cleared';
    readonly rule: string;
    readonly lines: number;
    readonly message: string;
  };
  'log.alert-failed': {
    readonly rule: string;
    readonly to: 'exec' | 'webhook';
    readonly reason: string;
  };
  'log.sink-failing': { readonly sink: string; readonly reason: string };
  'log.sink-recovered': {
    readonly sink: string;
    readonly failures: number;
    readonly after: Milliseconds;
  };
  'log.sink-found': { readonly sink: string; readonly lines: number };
  'log.sink-left': { readonly sink: string; readonly folder: string; readonly bytes: number };
  'api.listening': { readonly address: string };
  'api.certificate-loaded': { readonly file: string };
  'api.certificate-refused': { readonly file: string; readonly reason: string };
  'api.locked-out': { readonly from: string; readonly until: WallTime };
  'api.tokens-refused': { readonly file: string; readonly reason: string };
  'audit.failed': { readonly file: string; readonly reason: string };
  'config.loaded': {
    readonly revision: number;
    readonly file: string;
    readonly source: 'file' | 'applied';
    readonly workers: number;
  };
  'config.rejected': { readonly file: string; readonly by: string; readonly reason: string };
  'config.applied': {
    readonly revision: number;
    readonly by: string;
    readonly state: 'done' | 'superseded' | 'failed';
    readonly added: readonly WorkerId[];
    readonly removed: readonly WorkerId[];
    readonly changed: readonly WorkerId[];
    readonly restarted: readonly WorkerId[];
  };
  'supervisor.started': { readonly host: string; readonly workers: number };
  'supervisor.stopping': { readonly reason: string };
  'supervisor.stopped': { readonly survivors: readonly ProcessIdentity[] };
  'supervisor.left': { readonly reason: string; readonly workers: number };
  'supervisor.journal-refused': {
    readonly file: string;
    readonly records: number | null;
    readonly reason: string;
  };
  'supervisor.left-over-ended': { readonly process: ProcessIdentity };
  'supervisor.stray-found': { readonly process: ProcessIdentity };
  'supervisor.unrecorded': { readonly reason: string };
  'supervisor.defect': { readonly message: string };
}

export type EventType = keyof EventMap;

/** An event before it is numbered: what a decision returns. */
export type EventDraft = {
  [T in EventType]: { readonly type: T; readonly payload: EventMap[T] };
}[EventType];

/** A published fact. `seq` grows by one without gaps within a master’s life. */
export type HsuEvent = EventDraft & {
  readonly seq: number;
  readonly at: WallTime;
  readonly workerId: WorkerId | null;
  readonly run: number | null;
};

/** What an event says and what it carries, for the generated documentation; complete by type. */
export type EventMeanings = {
  readonly [T in EventType]: {
    readonly means: string;
    readonly payload: { readonly [K in keyof EventMap[T]]: string };
  };
};

const FAILURE = 'code and message';
const LIMIT = 'the key below `limits`';
const QUOTA = 'the group or namespace whose limit it is; null: the worker’s own';
const VALUE = 'what was measured, in bytes, milliseconds, percent of one core, or a count';
const PROCESS = 'pid and start time';

export const EVENT_MEANINGS: EventMeanings = {
  'worker.starting': {
    means: 'A process is about to be started.',
    payload: { restarts: 'automatic restarts of this worker so far' },
  },
  'worker.blocked': {
    means: 'The worker is wanted up but waits for dependencies.',
    payload: { waiting: 'each with id, condition, and what it is doing instead' },
  },
  'worker.spawn-failed': { means: 'The process could not be started.', payload: { failure: FAILURE } },
  'worker.started': {
    means: 'The program runs.',
    payload: { process: PROCESS, warning: 'what was odd about the start, or null' },
  },
  'worker.attached': {
    means:
      'A process that runs already is watched from now on: a run that an earlier master began and that goes on, or what somebody else started.',
    payload: {
      process: PROCESS,
      uptime: 'milliseconds since it was started',
      restarts: 'automatic restarts of this worker so far',
      ready: 'whether it was ready; probes say from now on',
      origin: '`earlier-master`, or `foreign`: somebody else started it',
    },
  },
  'worker.detached': {
    means: 'A process that somebody else started is not watched any more, since the master ends; it runs on.',
    payload: { process: PROCESS },
  },
  'worker.monitor-only': {
    means:
      'The process that somebody else started is watched, but this master has no right to do anything to it.',
    payload: { reason: 'why it may not' },
  },
  'worker.not-found': {
    means:
      'The process of an unmanaged unit is not attached, though something was found: several match, or the one that does is not what it should be.',
    payload: { reason: 'what is wrong with it', processes: 'what was found' },
  },
  'worker.control-failed': {
    means:
      'A process that somebody else started was to be ended or restarted, and runs on, watched as before.',
    payload: { action: 'what was to be done', reason: 'why it was not done' },
  },
  'worker.daemonized': {
    means: 'Another process of the tree took over as the main process.',
    payload: { process: PROCESS, expected: 'whether control.main_process said so' },
  },
  'worker.ready': { means: 'The worker may get work; dependents that wait for it may start.', payload: {} },
  'worker.unready': { means: 'The worker should get no work.', payload: { reason: 'the probe’s answer' } },
  'worker.stopping': {
    means: 'The process tree was asked to end.',
    payload: { cause: 'who or what asked', detail: 'more in words, may be empty' },
  },
  'worker.killed': {
    means: 'The tree was sent SIGKILL.',
    payload: { after: 'milliseconds since it was asked to end' },
  },
  'worker.exited': {
    means: 'The main process ended.',
    payload: {
      exit: 'code or signal (neither where the system cannot tell), core dump, usage',
      asked: 'whether the master had asked it to end',
      success: 'whether it counts as success',
      uptime: 'milliseconds',
      remaining: 'living members of its tree, which are ended next',
    },
  },
  'worker.survivors': {
    means: 'Processes of the tree are alive after SIGKILL; the worker is not started again while they live.',
    payload: { survivors: 'pid and start time of each' },
  },
  'worker.file-failed': {
    means: 'The files that tell others of the process could not be written; the worker runs all the same.',
    payload: { file: 'path of the pid file', reason: 'who it names, or the system’s answer' },
  },
  'worker.backing-off': {
    means: 'The worker waits before its next start.',
    payload: {
      delay: 'milliseconds',
      until: 'wall time of the next try',
      failures: 'failures in a row',
      breaker: 'open: too many restarts in the window, and the next run is a single trial',
      reason: 'why the last run ended',
    },
  },
  'worker.failed': {
    means: 'The worker rests because of a failure and is not tried again by itself.',
    payload: { failure: FAILURE },
  },
  'worker.stopped': {
    means: 'The worker rests.',
    payload: { completed: 'true: it ended by itself with success' },
  },
  'worker.removed': {
    means: 'The configuration has the worker no more, nothing of it is alive, and it is forgotten.',
    payload: { runs: 'how many it had' },
  },
  'health.changed': {
    means: 'A probe’s verdict changed.',
    payload: {
      probe: 'startup, liveness or readiness',
      healthy: 'the new verdict',
      reason: 'the last answer',
    },
  },
  'worker.throttled': {
    means: 'The tree is held back until the excess of a limit ends; its probes are suspended meanwhile.',
    payload: { limit: LIMIT, percent: 'what it is left, in percent of one core' },
  },
  'worker.unthrottled': {
    means: 'The tree runs freely again, or is ended.',
    payload: { reason: 'what ended the throttling' },
  },
  'limit.warned': {
    means: 'The use has been above the warning threshold for longer than a spike.',
    payload: { limit: LIMIT, value: VALUE, allowed: 'the limit' },
  },
  'limit.exceeded': {
    means:
      'A limit was exceeded for longer than a spike, or the kernel killed at it or refused a process. Of a budget it is said of one of its workers.',
    payload: {
      limit: LIMIT,
      value: `${VALUE}; null where it is not known`,
      allowed: 'the limit, raised where it was; null where it is not known',
      quota: QUOTA,
      reason: '`oom-killed`, `out-of-cpu-time`, `fork-refused` just before it ended, or how it was noticed',
    },
  },
  'limit.cleared': {
    means: 'The excess has ended.',
    payload: {
      limit: LIMIT,
      value: `${VALUE}; null where it is not known`,
      allowed: 'the limit',
      quota: QUOTA,
    },
  },
  'limit.adjusted': {
    means: 'A limit was raised for the runs to come, as restart_adjusted says; it stays so until a reset.',
    payload: { limit: LIMIT, from: 'what held before', to: 'what holds from now on' },
  },
  'limit.unenforceable': {
    means:
      'A limit, its own or that of a budget, cannot be enforced on this host. Said once per worker and limit.',
    payload: {
      limit: LIMIT,
      status: 'watched: its use is measured and answered; impossible: nothing comes of it',
      quota: QUOTA,
      reason: 'why not, as the host says',
    },
  },
  'alert.failed': {
    means: 'An alert about a limit did not arrive, also when it was tried again.',
    payload: { limit: LIMIT, to: 'exec or webhook', reason: 'what came back' },
  },
  'log.dropped': {
    means: 'Output could not be written, or a target could not take it, and was counted instead.',
    payload: { bytes: 'how many; 0 when it begins', reason: 'what, and the system’s answer' },
  },
  'log.rotated': {
    means: 'A log file reached its size and a new one was begun.',
    payload: { file: 'path of the current file' },
  },
  'log.removed': {
    means: 'Old files of a log were removed.',
    payload: {
      file: 'path of the log’s current file',
      files: 'how many',
      bytes: 'their size',
      because:
        'count: there were more than max_files; age: they were older than max_age; budget: all logs together were more than max_total_size',
    },
  },
  'log.over-budget': {
    means:
      'The files that are written at the moment are more than log_collection.max_total_size, and nothing older is left to remove. Said again only after it has fitted.',
    payload: { bytes: 'of all files', max: 'max_total_size' },
  },
  'log.alerted': {
    means: 'A rule about lines holds for a worker, still holds, or holds no longer.',
    payload: {
      kind: 'raised; again: told again while it lasts; cleared',
      rule: 'its name',
      lines: 'how many lines have counted since it was raised',
      message: 'one line for people',
    },
  },
  'log.alert-failed': {
    means: 'An alert about lines did not arrive, also when it was tried again.',
    payload: { rule: 'its name', to: 'exec or webhook', reason: 'what came back' },
  },
  'log.sink-failing': {
    means: 'A target takes no lines; they wait in memory and on disk, and it is tried again.',
    payload: { sink: 'the target', reason: 'what came back' },
  },
  'log.sink-recovered': {
    means: 'A target that failed takes lines again.',
    payload: { sink: 'the target', failures: 'attempts that failed', after: 'milliseconds since the first' },
  },
  'log.sink-found': {
    means: 'Lines for a target that an earlier master had left on disk are sent first.',
    payload: { sink: 'the target', lines: 'how many' },
  },
  'log.sink-left': {
    means:
      'Lines lie on disk for a target that is not configured any more. They are sent if it comes back; the folder may be removed.',
    payload: { sink: 'the target', folder: 'where they are', bytes: 'how many' },
  },
  'api.listening': {
    means: 'The API answers at an address, besides the socket of its owner.',
    payload: { address: 'with its scheme' },
  },
  'api.certificate-loaded': {
    means: 'A new certificate is used for connections from now on.',
    payload: { file: 'the certificate' },
  },
  'api.certificate-refused': {
    means: 'A new certificate or key cannot be used; the API goes on with those it has.',
    payload: { file: 'the certificate', reason: 'what is wrong' },
  },
  'api.locked-out': {
    means:
      'Too many wrong tokens came from one address, which is not answered for a while. The socket of the owner is.',
    payload: { from: 'the way and the address', until: 'wall time of its next chance' },
  },
  'api.tokens-refused': {
    means: 'The file of tokens cannot be read or trusted; nobody is let in by a token.',
    payload: { file: 'the file', reason: 'what is wrong' },
  },
  'audit.failed': {
    means: 'The audit cannot be written; orders are carried out all the same.',
    payload: { file: 'where it belongs', reason: 'what the system said' },
  },
  'config.loaded': {
    means: 'A configuration was accepted and kept: from now on it is the one that holds.',
    payload: {
      revision: 'its number, which grows over the lives of masters',
      file: 'what it is called',
      source: 'file: as the configuration file was read; applied: changed since',
      workers: 'how many it has',
    },
  },
  'config.rejected': {
    means: 'A configuration was not accepted; the former one holds on.',
    payload: {
      file: 'what it is called',
      by: 'who asked; start: nobody, what an earlier master had kept is damaged, and the configuration file holds',
      reason: 'what is wrong with it',
    },
  },
  'config.applied': {
    means: 'A configuration has been carried out, or was overtaken by a later one.',
    payload: {
      revision: 'its number',
      by: 'who asked',
      state: 'done, superseded by a later one, or failed: something outlived its end',
      added: 'new workers',
      removed: 'workers that are gone',
      changed: 'workers with another description',
      restarted: 'those of them whose processes gave way to new ones',
    },
  },
  'supervisor.started': {
    means: 'The master holds its workers.',
    payload: { host: 'native or fallback host', workers: 'how many' },
  },
  'supervisor.stopping': { means: 'The ordered stop began.', payload: { reason: 'who or what asked' } },
  'supervisor.stopped': {
    means: 'All workers rest.',
    payload: { survivors: 'processes that could not be ended' },
  },
  'supervisor.left': {
    means: 'The master ends and leaves its workers running; the next one takes charge of them.',
    payload: { reason: 'who or what asked', workers: 'how many have a process' },
  },
  'supervisor.journal-refused': {
    means:
      'Some of what an earlier master wrote down is damaged or of an unknown form, and is not believed; the rest is.',
    payload: {
      file: 'its path; a copy is kept beside it, named .refused',
      records: 'how many, or null where that is not known',
      reason: 'what is wrong with them',
    },
  },
  'supervisor.left-over-ended': {
    means: 'What an earlier master had left of a worker that is not configured any more was ended.',
    payload: { process: PROCESS },
  },
  'supervisor.stray-found': {
    means: 'A worker left a process to the master that no run claims any more; it is ended with the master.',
    payload: { process: PROCESS },
  },
  'supervisor.unrecorded': {
    means: 'What the next master should know could not be written down; it is tried again.',
    payload: { reason: 'what, and the system’s answer' },
  },
  'supervisor.defect': {
    means:
      'Something happened that cannot, or a part of the master failed; no worker was changed by it. Please report it.',
    payload: { message: 'what, where' },
  },
};
