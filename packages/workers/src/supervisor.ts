import {
  type Clock,
  type CommandMessage,
  decide,
  type EventDraft,
  EventStream,
  type Failure,
  type Host,
  HsuError,
  isAtRest,
  type Journal,
  type LimitReport,
  type LimitsSpec,
  type Milliseconds,
  type OutputCollector,
  type ProcessFinder,
  type ProcessIdentity,
  type QuotaSpec,
  type RunHook,
  startOrder,
  type TicketOutcome,
  type Worker,
  type WorkerId,
  type WorkerSpec,
} from '@hsu-master/core';
import { admit } from './admission.ts';
import { Changes } from './changes.ts';
import { Dependencies } from './dependencies.ts';
import { Fleet } from './fleet.ts';
import { UnmanagedUnits } from './kinds/unmanaged-units.ts';
import { LeftOvers } from './left-overs.ts';
import { Mailbox } from './mailbox.ts';
import { OrderedStop, type ShutdownResult } from './ordered-stop.ts';
import type { PidFiles } from './pid-files/pid-files.ts';
import { Ports } from './ports/ports.ts';
import { Snapshots, type WorkerSnapshot } from './snapshot.ts';
import { SpawnQueue } from './spawn-queue.ts';
import { takeOver } from './take-over.ts';
import { Tickets } from './tickets.ts';
import type { TransitionResult } from './transition.ts';
import { type Surroundings, WorkerActor } from './worker-actor.ts';

/** How many of the latest events a supervisor remembers. */
const REMEMBERED_EVENTS = 2000;

export interface SupervisorParts {
  readonly host: Host;
  readonly clock: Clock;
  readonly hooks: readonly RunHook[];
  readonly collector: OutputCollector;
  readonly journal: Journal;
  /** Looks for processes that others start; null: that cannot be done here. */
  readonly finder?: ProcessFinder | null;
  /** Names the state directory; marks the processes of all masters of it. */
  readonly instance: string;
  /** Unique per master life; marks its processes. */
  readonly masterId: string;
  readonly events?: EventStream;
  /** Gives workers their ports; without it they are remembered for this master’s life. */
  readonly ports?: Ports;
  /** Without it nobody is told where the processes are. */
  readonly pidFiles?: PidFiles;
  /** The rule of all workers; only the simulation gives another. */
  readonly decide?: typeof decide;
}

/** Holds the workers: takes commands, tells dependents of their dependencies, and ends everything in order. */
export class Supervisor {
  readonly events: EventStream;
  readonly #parts: SupervisorParts;
  readonly #fleet = new Fleet();
  readonly #tickets = new Tickets();
  readonly #mailbox = new Mailbox((error) => this.#defect(error));
  readonly #surroundings: Surroundings;
  readonly #dependencies: Dependencies;
  readonly #leftOvers: LeftOvers;
  readonly #unmanaged: UnmanagedUnits;
  readonly #changes: Changes;
  readonly #snapshots: Snapshots;
  #stop: OrderedStop | null = null;
  #tookOver = false;
  #hasLeft = false;
  #ended: Promise<ShutdownResult> | null = null;

  constructor(parts: SupervisorParts) {
    const { host, clock, hooks, collector, journal, instance, masterId } = parts;
    this.#parts = parts;
    this.events = parts.events ?? new EventStream(REMEMBERED_EVENTS);
    this.#surroundings = {
      host,
      clock,
      hooks,
      collector,
      journal,
      instance,
      masterId,
      events: this.events,
      mailbox: this.#mailbox,
      spawns: new SpawnQueue(clock),
      ports: parts.ports ?? new Ports(host),
      pidFiles: parts.pidFiles ?? null,
      decide: parts.decide ?? decide,
      isEnding: () => this.#stop !== null,
      graceLeft: (grace) => (this.#stop === null ? grace : this.#stop.leaves(grace)),
      settle: (ticket, outcome) => this.#tickets.settle(ticket, outcome),
      defect: (error) => this.#defect(error),
      turned: (actor, before) => this.#turned(actor, before),
    };
    this.#unmanaged = new UnmanagedUnits({
      finder: parts.finder ?? null,
      clock,
      takenBesides: (id) => this.#fleet.processesBesides(id),
      changed: (id) => this.#ownWaitingChanged(id),
      publish: (event, id) => this.events.publish(event, clock.wallNow(), id, null),
    });
    this.#leftOvers = new LeftOvers({
      host,
      clock,
      journal,
      events: this.events,
      changed: (id) => this.#ownWaitingChanged(id),
    });
    this.#dependencies = new Dependencies({
      fleet: this.#fleet,
      clock,
      ownWaiting: ({ spec, worker }) => [
        ...this.#leftOvers.waitingOf(spec.id),
        ...this.#unmanaged.waitingOf(spec, worker),
      ],
      isAwaited: (id) => this.#changes.isAwaited(id),
    });
    this.#snapshots = new Snapshots({
      clock,
      portOf: (spec) => this.#surroundings.ports.portOf(spec),
      waitingOf: (actor) => this.#dependencies.waitingOf(actor),
    });
    this.#changes = new Changes({
      surroundings: this.#surroundings,
      fleet: this.#fleet,
      dependencies: this.#dependencies,
      unmanaged: this.#unmanaged,
      hasBegun: () => this.#tookOver,
      startIfWanted: (id) => this.#startIfWanted(id),
      setQuota: (quota) => this.setQuota(quota),
    });
  }

  /**
   * Takes in workers, at rest. All dependencies must be among them or already here.
   * @throws HsuError E_DUPLICATE_WORKER, E_MISSING_DEPENDENCY, E_CYCLE; nothing is taken in then
   */
  add(specs: readonly WorkerSpec[]): void {
    admit(this.#fleet.specs(), specs);
    this.#fleet.take(specs.map((spec) => new WorkerActor(spec, this.#surroundings)));
  }

  /** Those that are there, with those that are being ended for good. */
  present(): readonly WorkerSpec[] {
    return this.#fleet.specs();
  }

  /** null: there is none. */
  spec(id: WorkerId): WorkerSpec | null {
    return this.#fleet.actors.get(id)?.spec ?? null;
  }

  /** As they are wanted now. */
  specs(): readonly WorkerSpec[] {
    return this.#changes.wanted();
  }

  /**
   * Makes these the only workers. Those that are described as before are not touched; of the others those are ended and begun anew whose
   * processes could not be what is described now, dependents before what they depend on. Resolves when what was to go is gone and what was
   * to begin runs, or waits or fails by its own rules. A later call goes on from wherever this one has come. Before `startAll` nothing is
   * started.
   * @throws HsuError E_DUPLICATE_WORKER, E_MISSING_DEPENDENCY, E_CYCLE, E_SHUTTING_DOWN; nothing has changed then
   */
  apply(specs: readonly WorkerSpec[]): Promise<TransitionResult> {
    if (this.#isOver) throw new HsuError('E_SHUTTING_DOWN', 'the master is stopping');
    admit([], specs);
    const { promise, resolve } = Promise.withResolvers<TransitionResult>();
    this.#mailbox.post(() => this.#changes.turnInto(specs, resolve));
    return promise;
  }

  /**
   * Takes charge of what an earlier master left running, goes on where it was with what waited, and starts every other enabled worker
   * that the operator has not stopped, each as soon as its dependencies are there. Resolves when the orders are given, not when the
   * workers run.
   */
  async startAll(): Promise<void> {
    if (this.#isOver) return;
    this.#publish({
      type: 'supervisor.started',
      payload: { host: this.#parts.host.name, workers: this.#fleet.actors.size },
    });
    this.#takeOver();
    for (const id of startOrder(this.#fleet.specs())) this.#startIfWanted(id);
  }

  /** Resolves when the process runs, or why it does not; `already` when it did. */
  start(id: WorkerId): Promise<TicketOutcome> {
    return this.#command(id, (ticket) => ({ kind: 'start', ticket }));
  }

  /** Resolves when nothing of the worker is alive. It stays stopped until it is started again, beyond the master’s life. */
  stop(id: WorkerId): Promise<TicketOutcome> {
    return this.#command(id, (ticket) => ({ kind: 'stop', ticket, cause: 'operator' }));
  }

  /** Resolves when the new process runs. */
  restart(id: WorkerId): Promise<TicketOutcome> {
    return this.#command(id, (ticket) => ({ kind: 'restart', ticket }));
  }

  /** Forgets the worker’s failures; what waits only for a backoff or breaker starts at once. */
  reset(id: WorkerId): Promise<TicketOutcome> {
    return this.#command(id, (ticket) => ({ kind: 'reset', ticket }));
  }

  /** Like `stop`, without grace. */
  kill(id: WorkerId): Promise<TicketOutcome> {
    return this.#command(id, (ticket) => ({ kind: 'kill', ticket, cause: 'operator' }));
  }

  /**
   * Replaces a worker’s limits, for the tree that lives and for the runs to come; what had been raised falls. Returns what became
   * of each; of a worker that does not run, what became of those of its last run.
   */
  setLimits(id: WorkerId, limits: LimitsSpec): readonly LimitReport[] {
    this.#fleet.of(id).setLimits(limits);
    return this.snapshot(id).limits;
  }

  /** The living processes of the worker's tree, as the host sees them now. */
  members(id: WorkerId): readonly ProcessIdentity[] {
    return this.#fleet.of(id).members();
  }

  /** Replaces the limits of a budget, for all workers that share it, now and later. Returns what became of each. */
  setQuota(quota: QuotaSpec): readonly LimitReport[] {
    const reports = this.#parts.host.setQuota(quota);
    for (const actor of this.#fleet.actors.values()) actor.setQuota(quota);
    return reports;
  }

  snapshot(id: WorkerId): WorkerSnapshot {
    return this.#snapshots.of(this.#fleet.of(id));
  }

  snapshots(): readonly WorkerSnapshot[] {
    return [...this.#fleet.actors.keys()].map((id) => this.snapshot(id));
  }

  /**
   * Ends all workers, dependents before what they depend on, in parallel where the graph allows. When `deadline` is over, or
   * `force` is called, what is left is killed. Resolves when nothing is alive or the survivors are known. A second call returns
   * the first one’s promise.
   */
  shutdown(reason: string, deadline: Milliseconds): Promise<ShutdownResult> {
    this.#ended ??= new Promise((finish) => {
      this.#changes.breakOff();
      const parts = {
        clock: this.#parts.clock,
        mailbox: this.#mailbox,
        actors: this.#fleet.actors,
        leftOvers: this.#leftOvers,
        finished: (result: ShutdownResult): void => {
          this.#end(result);
          finish(result);
        },
      };
      this.#stop = new OrderedStop(parts, deadline);
      this.#publish({ type: 'supervisor.stopping', payload: { reason } });
      this.#stop.begin();
    });
    return this.#ended;
  }

  /**
   * Ends the supervision and leaves every process as it is, but for what was held back, which is let go. Whoever waits for a command is
   * told that the master ends. The next master takes charge of what is left.
   */
  leave(reason: string): void {
    if (this.#hasLeft || this.#stop?.finished === true) return;
    this.#hasLeft = true;
    this.#changes.breakOff();
    this.#mailbox.close();
    this.#surroundings.spawns.clear();
    this.#stop?.abandon();
    for (const actor of this.#fleet.actors.values()) actor.leave();
    this.#leftOvers.abandon();
    this.#unmanaged.close();
    const workers = [...this.#fleet.actors.values()].filter((actor) => actor.members().length > 0).length;
    this.#publish({ type: 'supervisor.left', payload: { reason, workers } });
    const message = 'the master ended and left its workers running';
    this.#tickets.failAll({ code: 'E_SHUTTING_DOWN', message });
  }

  /** During a shutdown: kills what is left at once. */
  force(): void {
    this.#stop?.force();
  }

  #startIfWanted(id: WorkerId): void {
    const { spec, worker } = this.#fleet.of(id);
    if (spec.enabled && worker.desired === 'down' && this.#parts.journal.desired(id) !== 'down')
      this.#begin(id, { kind: 'start', ticket: null });
  }

  get #isOver(): boolean {
    return this.#hasLeft || this.#stop !== null;
  }

  #publish(draft: EventDraft): void {
    this.events.publish(draft, this.#parts.clock.wallNow(), null, null);
  }

  #defect(error: unknown): void {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#publish({ type: 'supervisor.defect', payload: { message } });
  }

  #command(id: WorkerId, message: (ticket: number) => CommandMessage): Promise<TicketOutcome> {
    this.#fleet.of(id);
    const { ticket, settled } = this.#tickets.open();
    this.#begin(id, message(ticket));
    return settled;
  }

  /** Gives a worker a command, and with it the present view of its dependencies. */
  #begin(id: WorkerId, message: CommandMessage): void {
    this.#takeOver();
    const starts = message.kind === 'start' || message.kind === 'restart' || message.kind === 'reset';
    if (this.#hasLeft || (starts && this.#stop !== null)) {
      this.#refuse(message, { code: 'E_SHUTTING_DOWN', message: `worker "${id}": the master is stopping` });
      return;
    }
    if (starts && this.#changes.isLeaving(id)) {
      this.#refuse(message, { code: 'E_UNKNOWN_WORKER', message: `worker "${id}" is being removed` });
      return;
    }
    const actor = this.#fleet.of(id);
    this.#dependencies.show(actor);
    actor.tell(message);
  }

  #refuse({ ticket }: CommandMessage, failure: Failure): void {
    this.#tickets.settle(ticket, { kind: 'failed', failure });
  }

  #takeOver(): void {
    if (this.#tookOver || this.#isOver) return;
    this.#tookOver = true;
    for (const refusal of this.#parts.journal.refusals())
      this.#publish({ type: 'supervisor.journal-refused', payload: refusal });
    takeOver(this.#surroundings, this.#fleet, this.#dependencies, this.#leftOvers);
  }

  /** What an earlier master left of a worker is gone, or survives; or what is known of the process that a unit waits for is new. */
  #ownWaitingChanged(id: WorkerId): void {
    const actor = this.#fleet.actors.get(id);
    if (actor === undefined) this.#parts.pidFiles?.sweepForgotten(id);
    if (this.#stop !== null) this.#stop.look();
    else if (actor !== undefined) this.#dependencies.tell(actor, null);
  }

  #turned(actor: WorkerActor, before: Worker): void {
    this.#unmanaged.turned(actor);
    if (this.#stop !== null) {
      this.#stop.turned(actor);
      return;
    }
    this.#dependencies.turned(actor, before);
    this.#changes.turned(actor);
  }

  /** The ordered stop is over. */
  #end({ survivors }: ShutdownResult): void {
    // A timer of a survivor would keep the program from ending.
    for (const actor of this.#fleet.actors.values()) actor.abandon();
    this.#leftOvers.abandon();
    // An ordered stop is an end: the next master begins anew.
    const { journal } = this.#parts;
    for (const [id, { worker }] of this.#fleet.actors) {
      if (!isAtRest(worker)) continue;
      journal.remember(id, null);
      journal.recordJudgement(id, null);
    }
    this.#unmanaged.close();
    this.#publish({
      type: 'supervisor.stopped',
      payload: { survivors: survivors.map((survivor) => survivor.process) },
    });
    const message = 'the master stopped while processes of the worker were alive after SIGKILL';
    this.#tickets.failAll({ code: 'E_SURVIVORS', message });
  }
}
