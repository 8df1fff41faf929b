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
  'each-run-tells-its-story': 'starting, then spawn-failed or started, then exactly one exited.',
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
    | 'start-all'
    | 'shutdown'
    | 'force';
  /** null: all. */
  readonly id: WorkerId | null;
  /** When a shutdown begins to kill. */
  readonly deadline?: Milliseconds;
}

/** What checks look at, besides what they are told. */
export interface World {
  readonly clock: Clock;
  readonly system: FakeSystem;
  readonly specs: ReadonlyMap<WorkerId, WorkerSpec>;
  /** The longest time in which a host may not yet have said what happened. */
  readonly unnoticed: number;
  supervisor(): SimulatedSupervisor;
  /** Orders to the present master whose promises have not settled. */
  unanswered(): Iterable<Order>;
  /** With which the marks of the present master’s processes begin. */
  masterId(): string;
  violate(property: Property, detail: string): void;
}

/** Watches some properties of one master. Each method is called for all that happens of its kind. */
export interface Check {
  event?(event: HsuEvent): void;
  news?(news: SystemNews): void;
  order?(order: Order): void;
  decided?(before: Worker, message: Message, decision: Decision): void;
  /** All that was to be done at this moment is done. */
  rested?(): void;
  /** The final stop is over; `survivors` are the pids that it named. */
  ended?(survivors: ReadonlySet<number>): void;
}
