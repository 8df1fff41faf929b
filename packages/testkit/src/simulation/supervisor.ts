import type {
  Clock,
  decide,
  EventStream,
  Host,
  Journal,
  LimitsSpec,
  OutputCollector,
  PhaseName,
  ProcessIdentity,
  RunHook,
  TicketOutcome,
  WorkerId,
  WorkerSpec,
} from '@hsu-master/core';

/** The supervisor as the simulation uses it. */
export interface SimulatedSupervisor {
  readonly events: EventStream;
  add(specs: readonly WorkerSpec[]): void;
  startAll(): Promise<void>;
  start(id: WorkerId): Promise<TicketOutcome>;
  stop(id: WorkerId): Promise<TicketOutcome>;
  restart(id: WorkerId): Promise<TicketOutcome>;
  reset(id: WorkerId): Promise<TicketOutcome>;
  kill(id: WorkerId): Promise<TicketOutcome>;
  setLimits(id: WorkerId, limits: LimitsSpec): unknown;
  specs(): readonly WorkerSpec[];
  apply(specs: readonly WorkerSpec[]): Promise<{ readonly state: string }>;
  shutdown(
    reason: string,
    deadline: number,
  ): Promise<{ readonly survivors: readonly { readonly process: ProcessIdentity }[] }>;
  force(): void;
  leave(reason: string): void;
  snapshot(id: WorkerId): {
    readonly phase: PhaseName;
    readonly desired: 'up' | 'down';
    readonly run: number;
    readonly process: ProcessIdentity | null;
  };
}

/** What a supervisor is made of; faults are planted here. */
export interface SimulatedParts {
  readonly host: Host;
  readonly clock: Clock;
  readonly hooks: readonly RunHook[];
  readonly collector: OutputCollector;
  readonly journal: Journal;
  readonly instance: string;
  readonly masterId: string;
  readonly events: EventStream;
  readonly decide: typeof decide;
}

export type MakeSupervisor = (parts: SimulatedParts) => SimulatedSupervisor;
