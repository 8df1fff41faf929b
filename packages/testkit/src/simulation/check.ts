import type {
  Clock,
  Decision,
  HsuEvent,
  Message,
  Milliseconds,
  Worker,
  WorkerId,
  WorkerSpec,
} from '@hsu-master/core';
import type { FakeSystem, SystemNews } from '../fake/system.ts';
import type { SimulatedSupervisor } from './supervisor.ts';

/** The properties that the simulation holds a supervisor to. */
export const PROPERTIES = {
  'one-run-at-a-time': 'No process of a new run exists while one of an earlier run of that worker lives.',
  'nothing-outlives-the-stop':
    'Nothing is alive after the final stop but what it named, and it ends in time.',
  'each-run-tells-its-story':
    'starting or attached first, then at most one of spawn-failed and started, and exactly one exited after started or attached.',
  'grace-is-kept': 'No SIGKILL before the grace is over, unless killing was commanded.',
  'restarts-are-bounded':
    'No more automatic restarts than the policy allows, and none before its delay is over.',
  'rest-is-rest': 'A worker that rests or was told to stop starts only on command.',
  'tickets-settle': 'Each ticket settles once, and “done” is true when it is said.',
  'events-are-numbered': 'Event numbers have no gaps.',
  'dependencies-are-kept':
    'A dependent starts only when its conditions hold, and restarts with its dependency where it says so.',
  'late-facts-change-nothing': 'A fact of an earlier run changes nothing and publishes nothing.',
  'the-picture-is-true': 'What the supervisor says of a worker is so.',
  'held-back-only-while-running':
    'A tree is throttled only while its worker runs; never when it is asked to end, and never at rest.',
  'limit-answers-are-kept':
    'Each run begins with the limits that hold, raised at most to their cap; after graceful_shutdown and immediate_kill none begins by itself.',
  'runs-outlive-their-master':
    'What ran under a master that is killed runs on under the next, unless something else wants its end.',
  'counters-go-on':
    'The numbers of runs and restarts never fall, and no backoff begins anew with a new master.',
  'changes-are-carried-out': 'When a change of specs is said to be done, what runs is what is described.',
  'strangers-are-left-alone': 'No process that is not a worker’s is ever signalled.',
  'no-defect': 'No message arrives where it cannot, and nothing throws.',
} as const;

export type Property = keyof typeof PROPERTIES;

/** What has been broken. */
export interface Violation {
  readonly property: Property;
  readonly detail: string;
}

/** An order given to the supervisor. */
export interface Order {
  readonly kind:
    | 'start'
    | 'stop'
    | 'restart'
    | 'reset'
    | 'kill'
    | 'limits'
    | 'apply'
    | 'start-all'
    | 'shutdown'
    | 'force';
  /** null: all. */
  readonly id: WorkerId | null;
  /** When a shutdown begins to kill. */
  readonly deadline?: Milliseconds;
}

/** What a supervisor says of a worker. */
export type Seen = ReturnType<SimulatedSupervisor['snapshot']>;

/** What changed between two masters. */
export interface Succession {
  /** The order in whose midst the earlier one was killed: it may have been obeyed, or not. */
  readonly uncertain: Order | null;
  /** The machine was started anew: no process is left. */
  readonly rebooted: boolean;
  /** The earlier one had ended in order, so that nothing goes on. */
  readonly begunAnew: boolean;
  /** Workers whose specs are other ones, or that are gone. */
  readonly changed: ReadonlySet<WorkerId>;
  /** What the earlier one said of its workers last. */
  readonly last: ReadonlyMap<WorkerId, Seen>;
}

/** What checks look at, besides what they are told. */
export interface World {
  readonly clock: Clock;
  readonly system: FakeSystem;
  /** As they are now. */
  readonly specs: ReadonlyMap<WorkerId, WorkerSpec>;
  /** As it is now, or was before the worker was removed. */
  described(id: WorkerId): WorkerSpec | undefined;
  /** The longest time in which a host may not yet have said what happened. */
  readonly unnoticed: number;
  supervisor(): SimulatedSupervisor;
  /** Orders to the present master whose promises have not settled. */
  unanswered(): Iterable<Order>;
  violate(property: Property, detail: string): void;
}

/** Watches some properties. Each method is called for all that happens of its kind. */
export interface Check {
  event?(event: HsuEvent): void;
  news?(news: SystemNews): void;
  order?(order: Order): void;
  /** The specs of these are others from now on, in the midst of a master’s life; those that `specs` has no more are removed. */
  changed?(ids: ReadonlySet<WorkerId>): void;
  /** The earlier master is dead; what follows is the next one’s. */
  succeeded?(succession: Succession): void;
  decided?(before: Worker, message: Message, decision: Decision): void;
  /** All that was to be done at this moment is done. */
  rested?(): void;
  /** The final stop is over; `survivors` are the pids that it named. */
  ended?(survivors: ReadonlySet<number>): void;
}
