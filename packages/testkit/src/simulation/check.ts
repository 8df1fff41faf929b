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
export type Property =
  /** No process of a new run exists while one of an earlier run of that worker lives. */
  | 'one-run-at-a-time'
  /** Nothing is alive after the final stop but what it named, and it ends in time. */
  | 'nothing-outlives-the-stop'
  /** starting, then spawn-failed or started, then exactly one exited. */
  | 'each-run-tells-its-story'
  /** No SIGKILL before the grace is over, unless killing was commanded. */
  | 'grace-is-kept'
  /** No more automatic restarts than the policy allows, and none before its delay is over. */
  | 'restarts-are-bounded'
  /** A worker that rests or was told to stop starts only on command. */
  | 'rest-is-rest'
  /** Each ticket settles once, and `done` is true when it is said. */
  | 'tickets-settle'
  /** Event numbers have no gaps. */
  | 'events-are-numbered'
  /** A dependent starts only when its conditions hold, and restarts with its dependency where it says so. */
  | 'dependencies-are-kept'
  /** What the supervisor says of a worker is so. */
  | 'the-picture-is-true'
  | 'no-defect';

/** What has been broken. */
export interface Violation {
  readonly property: Property;
  readonly detail: string;
}

/** An order given to the supervisor. */
export interface Order {
  readonly kind: 'start' | 'stop' | 'restart' | 'reset' | 'kill' | 'start-all' | 'shutdown' | 'force';
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

/** Watches one property. Each method is called for all that happens of its kind. */
export interface Check {
  /** A new master begins; the processes of the one before may live on. */
  master?(): void;
  event?(event: HsuEvent): void;
  news?(news: SystemNews): void;
  order?(order: Order): void;
  decided?(before: Worker, message: Message, decision: Decision): void;
  /** All that was to be done at this moment is done. */
  rested?(): void;
  /** The final stop is over; `survivors` are the pids that it named. */
  ended?(survivors: ReadonlySet<number>): void;
}
