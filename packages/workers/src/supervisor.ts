import {
  type Clock,
  type CommandMessage,
  type DependencyView,
  decide,
  dependencyView,
  dependents,
  type EventDraft,
  EventStream,
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
  processOf,
  type QuotaSpec,
  type RunHook,
  startOrder,
  type TicketOutcome,
  type Waiting,
  type Worker,
  type WorkerId,
  type WorkerMemo,
  type WorkerSpec,
  waitingFor,
} from '@hsu-master/core';
import { admit } from './admission.ts';
import { Change } from './change.ts';
import { UnmanagedUnits } from './kinds/unmanaged-units.ts';
import { LeftOvers } from './left-overs.ts';
import { legacyOf, lostOf, unrecorded, wantedOf } from './legacy.ts';
import { Mailbox } from './mailbox.ts';
import { OrderedStop, type ShutdownResult } from './ordered-stop.ts';
import type { PidFiles } from './pid-files/pid-files.ts';
import { Ports } from './ports/ports.ts';
import { snapshotOf, type WorkerSnapshot } from './snapshot.ts';
import { SpawnQueue } from './spawn-queue.ts';
import { type Ending, Transition, type TransitionResult } from './transition.ts';
import { WorkerActor } from './worker-actor.ts';

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

const ABOUT_TO_CHANGE: DependencyView = {
  started: false,
  ready: false,
  completed: false,
  doing: 'about to be ended, since its configuration changed',
};

/** Whether a process that ran runs no more; what was stopped while it was starting ran for no turn. */
function leftRunning(before: Worker, after: Worker): boolean {
  if (before.phase.name === 'running') return after.phase.name !== 'running';
  return before.phase.name === 'starting' && after.phase.name === 'stopping';
}

/** Holds the workers: takes commands, tells dependents of their dependencies, and ends everything in order. */
export class Supervisor {
  readonly events: EventStream;
  readonly #parts: SupervisorParts;
  readonly #actors = new Map<WorkerId, WorkerActor>();
  readonly #tickets = new Map<number, (outcome: TicketOutcome) => void>();
  readonly #mailbox = new Mailbox((error) => this.#defect(error));
  readonly #leftOvers: LeftOvers;
  readonly #unmanaged: UnmanagedUnits;
  readonly #surroundings: ConstructorParameters<typeof WorkerActor>[1];
  /** Numbers of the last runs of workers that were removed: no run of this master has the name of another. */
  readonly #lastRuns = new Map<WorkerId, number>();
  /** Workers that are ended for good, and what takes their places under their names; null: nothing. */
  readonly #leaving = new Map<WorkerId, WorkerSpec | null>();
  #transition: Transition | null = null;
  #dependents: ReadonlyMap<WorkerId, readonly WorkerId[]> = new Map();
  #lastTicket = 0;
  #stop: OrderedStop | null = null;
  #tookOver = false;
  #hasLeft = false;
  #ended: Promise<ShutdownResult> | null = null;

  constructor(parts: SupervisorParts) {
    this.#parts = parts;
    this.events = parts.events ?? new EventStream(REMEMBERED_EVENTS);
    this.#surroundings = {
      host: parts.host,
      clock: parts.clock,
      hooks: parts.hooks,
      collector: parts.collector,
      journal: parts.journal,
      instance: parts.instance,
      masterId: parts.masterId,
      events: this.events,
      mailbox: this.#mailbox,
      spawns: new SpawnQueue(parts.clock),
      ports: parts.ports ?? new Ports(parts.host),
      pidFiles: parts.pidFiles ?? null,
      decide: parts.decide ?? decide,
      isEnding: () => this.#stop !== null,
      settle: (ticket, outcome) => this.#settle(ticket, outcome),
      defect: (error) => this.#defect(error),
      turned: (actor, before) => this.#turned(actor, before),
    };
    this.#unmanaged = new UnmanagedUnits({
      finder: parts.finder ?? null,
      clock: parts.clock,
      takenBesides: (id) => this.#takenBesides(id),
      changed: (id) => this.#ownWaitingChanged(id),
      publish: (event, id) => this.events.publish(event, parts.clock.wallNow(), id, null),
    });
    this.#leftOvers = new LeftOvers({
      host: parts.host,
      clock: parts.clock,
      journal: parts.journal,
      events: this.events,
      changed: (id) => this.#ownWaitingChanged(id),
    });
  }

  /**
   * Takes in workers, at rest. All dependencies must be among them or already here.
   * @throws HsuError E_DUPLICATE_WORKER, E_MISSING_DEPENDENCY, E_CYCLE; nothing is taken in then
   */
  add(specs: readonly WorkerSpec[]): void {
    const all = admit(this.#specs(), specs);
    for (const spec of specs) this.#actors.set(spec.id, new WorkerActor(spec, this.#surroundings));
    this.#dependents = dependents(all);
  }

  /** Those that are there, with those that are being ended for good. */
  present(): readonly WorkerSpec[] {
    return this.#specs();
  }

  /** null: there is none. */
  spec(id: WorkerId): WorkerSpec | null {
    return this.#actors.get(id)?.spec ?? null;
  }

  /** As they are wanted now. */
  specs(): readonly WorkerSpec[] {
    return [...this.#actors].flatMap(([id, { spec }]) => {
      const next = this.#leaving.get(id);
      if (next === undefined) return [spec];
      return next === null ? [] : [next];
    });
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
    this.#mailbox.post(() => this.#turnInto(specs, resolve));
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
      payload: { host: this.#parts.host.name, workers: this.#actors.size },
    });
    this.#takeOver();
    for (const id of startOrder(this.#specs())) {
      const { spec, worker } = this.#actorOf(id);
      if (spec.enabled && worker.desired === 'down' && this.#parts.journal.desired(id) !== 'down')
        this.#begin(id, { kind: 'start', ticket: null });
    }
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
    this.#actorOf(id).setLimits(limits);
    return this.snapshot(id).limits;
  }

  /** The living processes of the worker's tree, as the host sees them now. */
  members(id: WorkerId): readonly ProcessIdentity[] {
    return this.#actorOf(id).members();
  }

  /** Replaces the limits of a budget, for all workers that share it, now and later. Returns what became of each. */
  setQuota(quota: QuotaSpec): readonly LimitReport[] {
    const reports = this.#parts.host.setQuota(quota);
    for (const actor of this.#actors.values()) actor.setQuota(quota);
    return reports;
  }

  snapshot(id: WorkerId): WorkerSnapshot {
    const actor = this.#actorOf(id);
    const port = this.#surroundings.ports.portOf(actor.spec);
    return snapshotOf(actor.spec, actor.worker, this.#waitingOf(actor.spec), port, this.#parts.clock);
  }

  snapshots(): readonly WorkerSnapshot[] {
    return [...this.#actors.keys()].map((id) => this.snapshot(id));
  }

  /**
   * Ends all workers, dependents before what they depend on, in parallel where the graph allows. When `deadline` is over, or
   * `force` is called, what is left is killed. Resolves when nothing is alive or the survivors are known. A second call returns
   * the first one’s promise.
   */
  shutdown(reason: string, deadline: Milliseconds): Promise<ShutdownResult> {
    this.#ended ??= new Promise((finish) => {
      this.#breakOff();
      const { clock } = this.#parts;
      const stopParts = { clock, mailbox: this.#mailbox, actors: this.#actors, leftOvers: this.#leftOvers };
      const finished = (result: ShutdownResult): void => {
        this.#end(result);
        finish(result);
      };
      this.#stop = new OrderedStop({ ...stopParts, finished }, deadline);
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
    this.#breakOff();
    this.#mailbox.close();
    this.#surroundings.spawns.clear();
    this.#stop?.abandon();
    for (const actor of this.#actors.values()) actor.leave();
    this.#leftOvers.abandon();
    this.#unmanaged.close();
    const workers = [...this.#actors.values()].filter((actor) => actor.members().length > 0).length;
    this.#publish({ type: 'supervisor.left', payload: { reason, workers } });
    const failure = {
      code: 'E_SHUTTING_DOWN',
      message: 'the master ended and left its workers running',
    } as const;
    for (const ticket of this.#tickets.keys()) this.#settle(ticket, { kind: 'failed', failure });
  }

  /** During a shutdown: kills what is left at once. */
  force(): void {
    this.#stop?.force();
  }

  #turnInto(specs: readonly WorkerSpec[], finished: (result: TransitionResult) => void): void {
    const failure = {
      code: 'E_SUPERSEDED',
      message: 'a later configuration took its place',
      workerId: null,
    } as const;
    this.#transition?.abandon({ state: 'superseded', failures: [failure] });
    const awaited: ReadonlyMap<WorkerId, Ending> = this.#transition?.awaited ?? new Map();
    const change = new Change(specs, { actors: this.#actors, leaving: this.#leaving, awaited });
    for (const { actor, spec } of change.kept) actor.change(spec);
    for (const quota of change.quotas) this.setQuota(quota);
    for (const spec of change.added) this.#take(spec);
    this.#order(specs);
    for (const { actor } of change.kept) if (actor.isOutdated) this.#unmanaged.renew(actor);
    if (!this.#tookOver) {
      // Nothing has begun: what is not wanted is just not there.
      for (const id of this.#leaving.keys()) this.#remove(id);
      finished({ state: 'done', failures: [] });
      return;
    }
    const starting = new Set([...change.added.map(({ id }) => id), ...change.enabled]);
    this.#transition = new Transition({
      mailbox: this.#mailbox,
      actors: this.#actors,
      ending: change.ending(),
      needs: change.needs,
      starting,
      tell: (actor, how) => this.#endFor(actor, how),
      finished,
    });
    for (const { actor } of change.kept) this.#showDependencies(actor);
    for (const id of [...change.ending().keys(), ...awaited.keys()]) this.#showDependents(id);
    for (const id of startOrder(specs)) if (starting.has(id)) this.#startIfWanted(id);
    this.#transition.look();
  }

  /** In the order of the specs; what is ended for good comes last. */
  #order(specs: readonly WorkerSpec[]): void {
    const actors = new Map(this.#actors);
    this.#actors.clear();
    for (const { id } of specs) this.#actors.set(id, actors.get(id) as WorkerActor);
    for (const [id, actor] of actors) if (!this.#actors.has(id)) this.#actors.set(id, actor);
    this.#dependents = dependents(this.#specs());
  }

  #take(spec: WorkerSpec): void {
    const { id } = spec;
    this.#actors.set(id, new WorkerActor(spec, this.#surroundings, this.#lastRuns.get(id)));
  }

  #startIfWanted(id: WorkerId): void {
    const { spec, worker } = this.#actorOf(id);
    if (spec.enabled && worker.desired === 'down' && this.#parts.journal.desired(id) !== 'down')
      this.#begin(id, { kind: 'start', ticket: null });
  }

  /** The turn of a worker has come that is ended for a change of specs. */
  #endFor(actor: WorkerActor, how: Ending): void {
    const { id } = actor.spec;
    if (how === 'replace') this.#showDependencies(actor);
    else actor.tell({ kind: 'stop', ticket: null, cause: 'configuration' });
    // Also of one that is stopped: what it runs now is not what it runs if somebody starts it meanwhile.
    if (how !== 'remove') actor.replace();
    // When it has heard it: until then it is as it was.
    this.#mailbox.post(() => this.#showDependents(id));
  }

  /** Nothing of a worker is alive that was ended for good: it is forgotten, and what takes its name begins. */
  #remove(id: WorkerId): void {
    const { journal } = this.#parts;
    const { worker } = this.#actorOf(id);
    const next = this.#leaving.get(id) ?? null;
    this.#leaving.delete(id);
    this.#lastRuns.set(id, worker.run);
    this.#unmanaged.forget(id);
    this.#surroundings.ports.forget(id);
    journal.remember(id, null);
    journal.recordJudgement(id, null);
    if (next === null) {
      this.#actors.delete(id);
      journal.recordDesired(id, 'up');
      const removed = { type: 'worker.removed', payload: { runs: worker.run } } as const;
      if (this.#tookOver) this.events.publish(removed, this.#parts.clock.wallNow(), id, null);
    } else this.#take(next);
    this.#dependents = dependents(this.#specs());
    if (next === null || !this.#tookOver) return;
    this.#startIfWanted(id);
    this.#showDependents(id);
  }

  #showDependents(id: WorkerId): void {
    for (const dependent of this.#dependents.get(id) ?? []) this.#showDependencies(this.#actorOf(dependent));
  }

  /** The master ends: what was not carried out of a change is the next one’s. */
  #breakOff(): void {
    const failure = { code: 'E_SHUTTING_DOWN', message: 'the master ended', workerId: null } as const;
    this.#transition?.abandon({ state: 'failed', failures: [failure] });
    this.#transition = null;
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

  #specs(): readonly WorkerSpec[] {
    return [...this.#actors.values()].map((actor) => actor.spec);
  }

  #actorOf(id: WorkerId): WorkerActor {
    const actor = this.#actors.get(id);
    if (actor === undefined) throw new HsuError('E_UNKNOWN_WORKER', `there is no worker "${id}"`, { id });
    return actor;
  }

  #command(id: WorkerId, message: (ticket: number) => CommandMessage): Promise<TicketOutcome> {
    this.#actorOf(id);
    this.#lastTicket += 1;
    const ticket = this.#lastTicket;
    const settled = new Promise<TicketOutcome>((resolve) => this.#tickets.set(ticket, resolve));
    this.#begin(id, message(ticket));
    return settled;
  }

  /** Gives a worker a command, and with it the present view of its dependencies. */
  #begin(id: WorkerId, message: CommandMessage): void {
    this.#takeOver();
    const starts = message.kind === 'start' || message.kind === 'restart' || message.kind === 'reset';
    if (this.#hasLeft || (starts && this.#stop !== null)) {
      const failure = { code: 'E_SHUTTING_DOWN', message: `worker "${id}": the master is stopping` } as const;
      if (message.ticket !== null) this.#settle(message.ticket, { kind: 'failed', failure });
      return;
    }
    if (starts && this.#leaving.has(id)) {
      const failure = { code: 'E_UNKNOWN_WORKER', message: `worker "${id}" is being removed` } as const;
      if (message.ticket !== null) this.#settle(message.ticket, { kind: 'failed', failure });
      return;
    }
    const actor = this.#actorOf(id);
    this.#showDependencies(actor);
    actor.tell(message);
  }

  #showDependencies(actor: WorkerActor): void {
    const waiting = this.#waitingOf(actor.spec);
    if (waiting.length > 0 || actor.worker.waiting.length > 0)
      actor.tell({ kind: 'dependencies', waiting, lost: null });
  }

  /** Goes on where an earlier master was: first all that is alive, then the rest in the order of dependencies. */
  #takeOver(): void {
    if (this.#tookOver || this.#isOver) return;
    this.#tookOver = true;
    const { journal, clock } = this.#parts;
    for (const refusal of journal.refusals()) {
      this.#publish({ type: 'supervisor.journal-refused', payload: refusal });
    }
    const order = startOrder(this.#specs());
    const { memos, forgotten } = legacyOf(
      journal,
      order.map((id) => this.#actorOf(id).spec),
      clock,
    );
    this.#leftOvers.end(forgotten);
    this.#leftOvers.endUnrecorded(unrecorded(this.#parts, memos));
    for (const [id, memo] of memos) if (processOf(memo) !== null) this.#recall(id, memo);
    for (const [id, memo] of memos) {
      if (processOf(memo) === null) continue;
      const actor = this.#actorOf(id);
      const lost = lostOf(
        actor.spec,
        memos,
        (other) => this.#actorOf(other).worker.phase.name === 'stopping',
      );
      actor.tell({ kind: 'dependencies', waiting: this.#waitingOf(actor.spec), lost });
    }
    for (const [id, memo] of memos) {
      if (processOf(memo) !== null) continue;
      this.#showDependencies(this.#actorOf(id));
      this.#recall(id, memo);
    }
  }

  #recall(id: WorkerId, memo: WorkerMemo): void {
    const actor = this.#actorOf(id);
    actor.recall(memo, wantedOf(actor.spec, memo, this.#parts.journal.desired(id)));
  }

  /** Processes of other workers: all of their trees, of what others started just the main ones. */
  #takenBesides(id: WorkerId): readonly ProcessIdentity[] {
    return [...this.#actors].flatMap(([other, actor]) => {
      if (other === id) return [];
      const { phase } = actor.worker;
      const main = phase.name === 'running' || phase.name === 'stopping' ? [phase.process] : [];
      return actor.spec.unmanaged === null ? [...main, ...actor.members()] : main;
    });
  }

  /** What an earlier master left of a worker is gone, or survives; or what is known of the process that a unit waits for is new. */
  #ownWaitingChanged(id: WorkerId): void {
    if (!this.#actors.has(id)) this.#parts.pidFiles?.sweepForgotten(id);
    if (this.#stop !== null) {
      this.#stop.look();
      return;
    }
    const actor = this.#actors.get(id);
    actor?.tell({ kind: 'dependencies', waiting: this.#waitingOf(actor.spec), lost: null });
  }

  #settle(ticket: number, outcome: TicketOutcome): void {
    this.#tickets.get(ticket)?.(outcome);
    this.#tickets.delete(ticket);
  }

  #waitingOf(spec: WorkerSpec): readonly Waiting[] {
    const actor = this.#actors.get(spec.id);
    const process = actor === undefined ? [] : this.#unmanaged.waitingOf(spec, actor.worker);
    const own = [...this.#leftOvers.waitingOf(spec.id), ...process];
    if (spec.dependsOn.length === 0) return own;
    const now = this.#parts.clock.now();
    const others = waitingFor(spec.dependsOn, (id) => {
      const actor = this.#actors.get(id);
      if (actor === undefined) return null;
      return this.#transition?.isAwaited(id) === true ? ABOUT_TO_CHANGE : dependencyView(actor.worker, now);
    });
    return [...own, ...others];
  }

  #turned(actor: WorkerActor, before: Worker): void {
    this.#unmanaged.turned(actor);
    if (this.#stop !== null) {
      this.#stop.turned(actor);
      return;
    }
    this.#tellDependents(actor, before);
    const { id } = actor.spec;
    if (this.#leaving.has(id) && isAtRest(actor.worker)) this.#remove(id);
    this.#transition?.turned(actor);
  }

  #tellDependents(actor: WorkerActor, before: Worker): void {
    const now = this.#parts.clock.now();
    const old = dependencyView(before, now);
    const view = dependencyView(actor.worker, now);
    const ended = leftRunning(before, actor.worker);
    const same = old.started === view.started && old.ready === view.ready && old.completed === view.completed;
    if (same && !ended) return;
    for (const id of this.#dependents.get(actor.spec.id) ?? []) {
      const dependent = this.#actorOf(id);
      const restarts = dependent.spec.dependsOn.some((entry) => entry.id === actor.spec.id && entry.restart);
      const lost = ended && restarts ? actor.spec.id : null;
      dependent.tell({ kind: 'dependencies', waiting: this.#waitingOf(dependent.spec), lost });
    }
  }

  /** The ordered stop is over. */
  #end({ survivors }: ShutdownResult): void {
    // A timer of a survivor would keep the program from ending.
    for (const actor of this.#actors.values()) actor.abandon();
    this.#leftOvers.abandon();
    // An ordered stop is an end: the next master begins anew.
    for (const [id, { worker }] of this.#actors) {
      if (!isAtRest(worker)) continue;
      this.#parts.journal.remember(id, null);
      this.#parts.journal.recordJudgement(id, null);
    }
    this.#unmanaged.close();
    this.#publish({
      type: 'supervisor.stopped',
      payload: { survivors: survivors.map((survivor) => survivor.process) },
    });
    const message = 'the master stopped while processes of the worker were alive after SIGKILL';
    for (const ticket of this.#tickets.keys()) {
      this.#settle(ticket, { kind: 'failed', failure: { code: 'E_SURVIVORS', message } });
    }
  }
}
