import type { Failure } from '../errors.ts';
import type { Waiting } from '../graph/waiting.ts';
import type { Milliseconds, WallTime } from '../units.ts';
import type { Exit, ProcessIdentity } from '../worker/exit.ts';
import type { WorkerId } from '../worker/spec.ts';

/** Why a run was ended from outside. */
export type StopCause =
  | 'operator'
  | 'shutdown'
  | 'restart'
  | 'liveness'
  | 'startup'
  | 'dependency'
  | 'left-behind'
  | 'main-process';

/** Payloads by event type. Names are `noun.verb`: -ing is under way, past is done. */
export interface EventMap {
  'worker.starting': { readonly attempt: number };
  'worker.blocked': { readonly waiting: readonly Waiting[] };
  'worker.spawn-failed': { readonly failure: Failure };
  'worker.started': { readonly process: ProcessIdentity; readonly warning: string | null };
  'worker.daemonized': { readonly process: ProcessIdentity; readonly expected: boolean };
  'worker.ready': Record<never, never>;
  'worker.unready': { readonly reason: string };
  'worker.stopping': { readonly cause: StopCause; readonly detail: string };
  'worker.killed': { readonly after: Milliseconds };
  'worker.exited': {
    readonly exit: Exit;
    readonly success: boolean;
    readonly uptime: Milliseconds;
    readonly remaining: readonly ProcessIdentity[];
  };
  'worker.survivors': { readonly survivors: readonly ProcessIdentity[] };
  'worker.backing-off': {
    readonly delay: Milliseconds;
    readonly until: WallTime;
    readonly failures: number;
    readonly breaker: 'closed' | 'open';
    readonly reason: string;
  };
  'worker.failed': { readonly failure: Failure };
  'worker.stopped': { readonly completed: boolean };
  'health.changed': {
    readonly probe: 'startup' | 'liveness' | 'readiness';
    readonly healthy: boolean;
    readonly reason: string;
  };
  'log.dropped': { readonly bytes: number; readonly reason: string };
  'log.rotated': { readonly file: string };
  'config.loaded': { readonly file: string; readonly workers: number };
  'supervisor.started': { readonly host: string; readonly workers: number };
  'supervisor.stopping': { readonly reason: string };
  'supervisor.stopped': { readonly survivors: readonly ProcessIdentity[] };
  'supervisor.left-over-ended': { readonly process: ProcessIdentity };
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

/** What each event says, for the generated documentation. */
export const EVENT_MEANINGS: Readonly<Record<EventType, string>> = {
  'worker.starting': 'A process is about to be started; `attempt` counts the restarts of this worker.',
  'worker.blocked': 'The worker is wanted up but waits for the dependencies named.',
  'worker.spawn-failed': 'The process could not be started.',
  'worker.started': 'The program runs.',
  'worker.daemonized':
    'Another process took over as the main process; `expected` tells whether main_process said so.',
  'worker.ready': 'The worker may get work; dependents that wait for it may start.',
  'worker.unready': 'The worker should get no work.',
  'worker.stopping': 'The process tree was asked to end.',
  'worker.killed': 'The grace was over and the tree was sent SIGKILL.',
  'worker.exited': 'The main process ended; `remaining` are living members of its tree.',
  'worker.survivors':
    'Processes of the tree are alive after SIGKILL; the worker is not started again while they live.',
  'worker.backing-off': 'The worker waits before its next start; with `breaker: open` until one trial run.',
  'worker.failed': 'The worker rests because of a failure and is not tried again by itself.',
  'worker.stopped': 'The worker rests as wanted; `completed` means it ended by itself with a success code.',
  'health.changed': 'A probe’s verdict changed.',
  'log.dropped': 'Output could not be written and was counted instead.',
  'log.rotated': 'A log file reached its size and a new one was begun.',
  'config.loaded': 'A configuration was accepted.',
  'supervisor.started': 'The master holds its workers.',
  'supervisor.stopping': 'The master began its ordered stop.',
  'supervisor.stopped': 'All workers rest; `survivors` are the processes that could not be ended.',
  'supervisor.left-over-ended':
    'A process that an earlier, killed master had left was ended before its worker starts.',
  'supervisor.defect': 'A message arrived in a state where it cannot; nothing was changed. Please report it.',
};
