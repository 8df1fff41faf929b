import type { Failure } from '../errors.ts';
import type { StopCause } from '../events/catalogue.ts';
import type { DependencyView } from '../graph/plan.ts';
import { isForItself, type Waiting } from '../graph/waiting.ts';
import type { LimitFactors } from '../limits/adjust.ts';
import type { LimitName } from '../limits/names.ts';
import type { LimitReport } from '../limits/spec.ts';
import { type FailureHistory, noFailures } from '../restart/breaker.ts';
import { formatDuration, type Milliseconds, type MonotonicTime } from '../units.ts';
import type { LimitAnswer } from './answer.ts';
import type { Exit, ProcessIdentity } from './exit.ts';
import type { WorkerId } from './spec.ts';

/** A caller that waits: for the process to run, or for the worker to rest. */
export interface PendingTicket {
  readonly id: number;
  readonly until: 'running' | 'rest';
  /** It asked for what was under way already. */
  readonly joined?: true;
}

/** How the last run ended. `exit` is null where nothing was ever executed. */
export interface RunEnd {
  readonly run: number;
  readonly exit: Exit | null;
  readonly success: boolean;
  readonly uptime: Milliseconds;
  readonly at: MonotonicTime;
}

export interface Stopped {
  readonly name: 'stopped';
  /** It ended by itself with success, and would be wanted up. */
  readonly completed: boolean;
}

/** Wanted up, but a dependency is not there. */
export interface Blocked {
  readonly name: 'blocked';
}

/** The host was asked to spawn and has not answered yet. */
export interface Starting {
  readonly name: 'starting';
  /** A command to end the run that came meanwhile. */
  readonly end: 'stop' | 'kill' | 'restart' | null;
  /** Its limits were changed after it was asked for. */
  readonly outdated: boolean;
  /** Its spec is another one now, with which this process does not go on: it is ended whatever else is asked for. */
  readonly replaced: boolean;
}

export interface Running {
  readonly name: 'running';
  readonly process: ProcessIdentity;
  readonly since: MonotonicTime;
  /** As the probes say; it counts once the main process is known. */
  readonly ready: boolean;
  /** Why it is not ready, as the probe last said. */
  readonly unreadyReason: string;
  /** false while a daemonizing program’s main process is still looked for. */
  readonly mainKnown: boolean;
  /** The limits for whose excess it is held back; none: it runs freely. */
  readonly throttled: readonly LimitName[];
}

export interface Stopping {
  readonly name: 'stopping';
  /** The main process, which may be gone already; its tree is not. */
  readonly process: ProcessIdentity;
  /** When the run began and when it was asked to end. */
  readonly since: MonotonicTime;
  readonly askedAt: MonotonicTime;
  readonly cause: StopCause;
  readonly detail: string;
  /** What is to follow, where the cause is a limit. */
  readonly answer: LimitAnswer | null;
  /** asking: the grace runs. killing: SIGKILL was sent. */
  readonly step: 'asking' | 'killing';
  /** Set once the main process is gone. */
  readonly exit: Exit | null;
  /** What an earlier master saw of its end, and this one has not told yet. */
  readonly earlierExit: Exit | null;
  /** Of a process that somebody else starts: once it is gone, whoever restarts it is asked for a new one. */
  readonly restartAfter: boolean;
  /** Alive after SIGKILL, as last seen. */
  readonly survivors: readonly ProcessIdentity[];
}

export interface BackingOff {
  readonly name: 'backoff';
  readonly until: MonotonicTime;
  readonly reason: string;
}

export interface Failed {
  readonly name: 'failed';
  readonly failure: Failure;
}

export type Phase = Stopped | Blocked | Starting | Running | Stopping | BackingOff | Failed;
export type PhaseName = Phase['name'];

/** Everything that is known of a worker between two turns. */
export interface Worker<P extends Phase = Phase> {
  readonly id: WorkerId;
  readonly desired: 'up' | 'down';
  /** Number of the current or last run; 0 before the first. */
  readonly run: number;
  /** Automatic restarts so far. */
  readonly restarts: number;
  readonly history: FailureHistory;
  readonly waiting: readonly Waiting[];
  readonly tickets: readonly PendingTicket[];
  readonly lastEnd: RunEnd | null;
  /** How far limits have been raised; until a `reset` or other limits. */
  readonly limitFactors: LimitFactors;
  /** What became of the limits of the present or last run. */
  readonly limitReports: readonly LimitReport[];
  /** The limits of which it was said already that they cannot be enforced. */
  readonly unenforceable: readonly string[];
  readonly phase: P;
}

/** A worker that was never started. */
export function newWorker(id: WorkerId): Worker<Stopped> {
  return {
    id,
    desired: 'down',
    run: 0,
    restarts: 0,
    history: noFailures,
    waiting: [],
    tickets: [],
    lastEnd: null,
    limitFactors: {},
    limitReports: [],
    unenforceable: [],
    phase: { name: 'stopped', completed: false },
  };
}

/** Whether nothing of the worker is alive and nothing will start by itself. */
export function isAtRest(worker: Worker): boolean {
  return worker.phase.name === 'stopped' || worker.phase.name === 'failed';
}

/** Whether it may get work. */
export function isReady(worker: Worker): boolean {
  return worker.phase.name === 'running' && worker.phase.ready && worker.phase.mainKnown;
}

/** What its dependents see of it. */
export function dependencyView(worker: Worker, now: MonotonicTime): DependencyView {
  const { phase } = worker;
  return {
    started: phase.name === 'running' && phase.mainKnown,
    ready: isReady(worker),
    completed: phase.name === 'stopped' && phase.completed,
    doing: doing(worker, now),
  };
}

/** What a worker is doing, in a few words for a table or a message. */
export function doing(worker: Worker, now: MonotonicTime): string {
  const { phase } = worker;
  switch (phase.name) {
    case 'running':
      return `${doingWhileRunning(phase)}${heldBack(phase)}`;
    case 'backoff':
      return `backoff ${formatDuration(Math.max(0, phase.until - now))}: ${phase.reason}`;
    case 'blocked':
      return awaited(worker.waiting);
    case 'failed':
      // Whose failure it is says whoever asks.
      return `failed: ${phase.failure.message.replace(/^worker "[^"]*": /, '')}`;
    case 'stopped':
      return phase.completed ? 'completed' : 'stopped';
    default:
      return phase.name;
  }
}

function doingWhileRunning({ mainKnown, ready, unreadyReason }: Running): string {
  if (!mainKnown) return 'waiting for its main process';
  if (ready) return 'ready';
  return unreadyReason === '' ? 'not ready' : `not ready: ${unreadyReason}`;
}

function heldBack({ throttled }: Running): string {
  return throttled.length === 0 ? '' : `; throttled for ${throttled.join(', ')}`;
}

/** What it waits for of itself, which has no other name, then the dependencies by theirs. */
function awaited(waiting: readonly Waiting[]): string {
  const own = waiting.filter(isForItself).map(({ reason }) => reason);
  const others = waiting.filter((one) => !isForItself(one)).map(({ id }) => id);
  return [
    ...(own.length > 0 ? [`waiting for ${own.join(', ')}`] : []),
    ...(others.length > 0 ? [`blocked by ${others.join(', ')}`] : []),
  ].join('; ');
}
