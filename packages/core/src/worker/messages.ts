import type { Failure } from '../errors.ts';
import type { Waiting } from '../graph/waiting.ts';
import type { LimitName } from '../limits/names.ts';
import type { LimitPolicy, LimitReport, LimitsSpec } from '../limits/spec.ts';
import type { Milliseconds } from '../units.ts';
import type { Exit, ProcessIdentity } from './exit.ts';
import type { WorkerMemo } from './memo.ts';

/** Timers of a worker; at most one of each name runs. reset: the run has lived long enough to forgive earlier failures. */
export type TimerName = 'backoff' | 'grace' | 'verify' | 'reset';

/** Who wants a worker to end: somebody, the end of the master, or a configuration that has it no more or not enabled. */
export type EndCause = 'operator' | 'shutdown' | 'configuration';

/** An order, with the ticket of the one who waits for it, or null. */
export type CommandMessage =
  | { readonly kind: 'start'; readonly ticket: number | null }
  | { readonly kind: 'stop'; readonly ticket: number | null; readonly cause: EndCause }
  | { readonly kind: 'restart'; readonly ticket: number | null }
  /** Forgets failures and closes the breaker; starts at once what waits only for it. */
  | { readonly kind: 'reset'; readonly ticket: number | null }
  /** Like stop, without grace. */
  | { readonly kind: 'kill'; readonly ticket: number | null; readonly cause: EndCause };

/** What happened in the run that it names. */
export type FactMessage =
  | {
      readonly kind: 'spawned';
      readonly run: number;
      readonly process: ProcessIdentity;
      readonly warning: string | null;
      /** What became of each limit. */
      readonly limits: readonly LimitReport[];
    }
  | {
      readonly kind: 'spawn-failed';
      readonly run: number;
      readonly failure: Failure;
      readonly transient: boolean;
    }
  | {
      readonly kind: 'exited';
      readonly run: number;
      readonly exit: Exit;
      readonly remaining: readonly ProcessIdentity[];
    }
  | { readonly kind: 'tree-empty'; readonly run: number }
  | { readonly kind: 'surveyed'; readonly run: number; readonly members: readonly ProcessIdentity[] }
  | { readonly kind: 'timer'; readonly run: number; readonly timer: TimerName }
  | { readonly kind: 'became-ready'; readonly run: number }
  | { readonly kind: 'became-unready'; readonly run: number; readonly reason: string }
  | {
      readonly kind: 'became-unhealthy';
      readonly run: number;
      readonly probe: 'startup' | 'liveness';
      readonly reason: string;
    }
  | { readonly kind: 'main-process-found'; readonly run: number; readonly process: ProcessIdentity }
  | { readonly kind: 'main-process-missing'; readonly run: number; readonly reason: string }
  | {
      readonly kind: 'limit-exceeded';
      readonly run: number;
      readonly limit: LimitName;
      readonly policy: LimitPolicy;
      readonly reason: string;
    }
  | { readonly kind: 'limit-cleared'; readonly run: number; readonly limit: LimitName }
  /** Whoever was to end or restart the process did not do it. */
  | {
      readonly kind: 'control-failed';
      readonly run: number;
      readonly action: 'stop' | 'restart';
      readonly reason: string;
    }
  /** What became of limits that were changed while it ran. */
  | { readonly kind: 'limits-set'; readonly run: number; readonly limits: readonly LimitReport[] };

/** The process of an unmanaged unit is there. */
export interface AppearedMessage {
  readonly kind: 'appeared';
  readonly process: ProcessIdentity;
  /** How long it has been there. */
  readonly age: Milliseconds;
}

/** News of the neighbours. `lost`: the run of a dependency with `restart` ended, named by its id. */
export interface DependencyMessage {
  readonly kind: 'dependencies';
  readonly waiting: readonly Waiting[];
  readonly lost: string | null;
}

/** The spec has other limits from now on. */
export interface LimitsMessage {
  readonly kind: 'limits-changed';
  /** What takes away those that it had, where the spec has none any more. */
  readonly lifted?: LimitsSpec;
}

/** The spec is another one. */
export interface SpecMessage {
  readonly kind: 'spec-changed';
  /** Its process, or that it rests, is by a spec that this one does not go on from. */
  readonly restart: boolean;
  /** Its probes are others. */
  readonly probes: boolean;
}

/** What an earlier master knew of the worker; the first message, if there is one. */
export interface RecalledMessage {
  readonly kind: 'recalled';
  readonly memo: WorkerMemo;
  /** What is wanted of it now. */
  readonly desired: 'up' | 'down';
}

export type Message =
  | CommandMessage
  | FactMessage
  | AppearedMessage
  | DependencyMessage
  | LimitsMessage
  | SpecMessage
  | RecalledMessage;
export type MessageKind = Message['kind'];
