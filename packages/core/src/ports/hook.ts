import type { EventDraft } from '../events/catalogue.ts';
import type { LimitName } from '../limits/names.ts';
import type { LimitPolicy, LimitsSpec } from '../limits/spec.ts';
import type { MonotonicTime } from '../units.ts';
import type { ProcessIdentity } from '../worker/exit.ts';
import type { WorkerSpec } from '../worker/spec.ts';
import type { Clock } from './clock.ts';
import type { Host, HostRun } from './host.ts';

/** What the hooks of a run may tell its worker. */
export type HookFact =
  | { readonly kind: 'became-ready' }
  | { readonly kind: 'became-unready'; readonly reason: string }
  | { readonly kind: 'became-unhealthy'; readonly probe: 'startup' | 'liveness'; readonly reason: string }
  | { readonly kind: 'main-process-found'; readonly process: ProcessIdentity }
  | { readonly kind: 'main-process-missing'; readonly reason: string }
  /** An excess is to be answered so. `reason` says what was measured and what is allowed. */
  | {
      readonly kind: 'limit-exceeded';
      readonly limit: LimitName;
      readonly policy: LimitPolicy;
      readonly reason: string;
    }
  /** The excess of this limit has ended. */
  | { readonly kind: 'limit-cleared'; readonly limit: LimitName };

export interface RunContext {
  /** As it is now: its limits can be changed while it runs. */
  readonly spec: WorkerSpec;
  readonly run: number;
  /** The limits that hold for it now: those of the spec, raised where an earlier excess raised them. */
  readonly limits: LimitsSpec | null;
  /** The main process now: a daemonizing program changes it. */
  readonly process: ProcessIdentity;
  /** When the run began, maybe under an earlier master. */
  readonly since: MonotonicTime;
  /** An earlier master saw it pass its startup: that is not asked again. */
  readonly startedUp: boolean;
  readonly host: Host;
  readonly clock: Clock;
  /** The TCP port that it was given; null: none. */
  readonly port: number | null;
  /** The living members of the run’s tree. */
  members(): readonly ProcessIdentity[];
  /** The run itself, for what hooks ask of the host. */
  readonly tree: HostRun;
  /** The tree is throttled, or was at any time after `since`: what it did not answer says nothing about it. */
  isHeldBack(since?: MonotonicTime): boolean;
  tell(fact: HookFact): void;
  /** Publishes an event about this worker and run. */
  publish(event: EventDraft): void;
}

/** Why an accompaniment ends: the tree is asked to end, or it is gone, or the master leaves it. */
export type RunEnding = 'asked' | 'gone' | 'left';

/** Accompanies a run and ends with it. */
export interface RunHook {
  readonly name: string;
  /** Called when the process has started; the returned function ends the accompaniment and is called exactly once. */
  begin(context: RunContext): (how: RunEnding) => void;
}
