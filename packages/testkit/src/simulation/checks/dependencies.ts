import type {
  Decision,
  Dependency,
  DependencyCondition,
  HsuEvent,
  Message,
  MonotonicTime,
  Worker,
  WorkerId,
  WorkerSpec,
} from '@hsu-master/core';
import type { Check, Order, Succession, World } from '../check.ts';

interface Seen {
  readonly holds: Record<DependencyCondition, boolean>;
  /** When each condition last ceased to hold; what ceases in the same moment may have been seen before. */
  readonly ceased: Record<DependencyCondition, MonotonicTime>;
}

/** Dependents start only when their conditions hold, and restart with a dependency where they say so. */
export class DependenciesCheck implements Check {
  readonly #world: World;
  readonly #seen = new Map<WorkerId, Seen>();
  /** Dependents that must leave their run before this moment is over, and why. */
  readonly #owed = new Map<WorkerId, string>();
  #stopping = false;

  constructor(world: World) {
    this.#world = world;
  }

  order({ kind }: Order): void {
    if (kind === 'shutdown') this.#stopping = true;
  }

  succeeded({ begunAnew, rebooted, changed }: Succession): void {
    this.#stopping = false;
    for (const id of changed) this.#owed.delete(id);
    for (const id of this.#seen.keys()) {
      for (const condition of ['started', 'ready', 'completed'] as const) this.#set(id, condition, false);
    }
    if (begunAnew || rebooted) this.#owed.clear();
  }

  changed(ids: ReadonlySet<WorkerId>): void {
    for (const id of ids) this.#owed.delete(id);
  }

  event(event: HsuEvent): void {
    if (event.type === 'worker.removed')
      for (const condition of ['started', 'ready', 'completed'] as const)
        this.#set(event.workerId ?? '', condition, false);
    const spec = event.workerId === null ? undefined : this.#world.specs.get(event.workerId);
    if (spec === undefined) return;
    const isMain = spec.mainProcess === null;
    switch (event.type) {
      case 'worker.starting':
        this.#owed.delete(spec.id);
        this.#starting(spec);
        return;
      case 'worker.backing-off':
      case 'worker.failed':
      case 'worker.blocked':
        this.#owed.delete(spec.id);
        return;
      case 'worker.started':
        this.#set(spec.id, 'started', isMain);
        this.#set(spec.id, 'ready', isMain && spec.probes.readiness === null && spec.probes.startup === null);
        return;
      case 'worker.daemonized':
        this.#set(spec.id, 'started', true);
        return;
      case 'worker.ready':
      case 'worker.unready':
        this.#set(spec.id, 'ready', event.type === 'worker.ready');
        return;
      case 'worker.stopping':
      case 'worker.exited':
        this.#left(spec);
        return;
      case 'worker.stopped':
        this.#owed.delete(spec.id);
        this.#set(spec.id, 'completed', event.payload.completed);
        return;
      default:
    }
  }

  decided(before: Worker, message: Message, { worker }: Decision): void {
    const { phase } = worker;
    if (message.kind === 'recalled' && before.phase.name === 'stopped' && phase.name === 'running') {
      this.#set(worker.id, 'started', phase.mainKnown);
      this.#set(worker.id, 'ready', phase.mainKnown && phase.ready);
    }
    // A completed worker that is told to stop gives up its completion without an event.
    if (before.phase.name !== 'stopped' || worker.phase.name !== 'stopped' || worker.phase.completed) return;
    this.#set(worker.id, 'completed', false);
  }

  rested(): void {
    for (const why of this.#owed.values()) this.#world.violate('dependencies-are-kept', why);
    this.#owed.clear();
  }

  #seenOf(id: WorkerId): Seen {
    const known = this.#seen.get(id);
    if (known !== undefined) return known;
    const fresh: Seen = {
      holds: { started: false, ready: false, completed: false },
      ceased: { started: -1, ready: -1, completed: -1 },
    };
    this.#seen.set(id, fresh);
    return fresh;
  }

  #set(id: WorkerId, condition: DependencyCondition, now: boolean): void {
    const { holds, ceased } = this.#seenOf(id);
    if (holds[condition] && !now) ceased[condition] = this.#world.clock.now();
    holds[condition] = now;
  }

  #starting(spec: WorkerSpec): void {
    this.#set(spec.id, 'completed', false);
    for (const dependency of spec.dependsOn) {
      if (this.#held(dependency)) continue;
      const condition = `${dependency.id} (${dependency.condition})`;
      this.#world.violate('dependencies-are-kept', `${spec.id} started and ${condition} did not hold`);
    }
  }

  #held({ id, condition }: Dependency): boolean {
    const { holds, ceased } = this.#seenOf(id);
    return holds[condition] || ceased[condition] === this.#world.clock.now();
  }

  /** The process of a worker ends or has ended; for a daemon also one that never showed its main process. */
  #left({ id, mainProcess }: WorkerSpec): void {
    this.#owed.delete(id);
    if (!this.#seenOf(id).holds.started && mainProcess === null) return;
    this.#set(id, 'started', false);
    this.#set(id, 'ready', false);
    if (this.#stopping) return;
    for (const dependent of this.#world.specs.values()) {
      const follows = dependent.dependsOn.some((dependency) => dependency.id === id && dependency.restart);
      if (!follows || !this.#seenOf(dependent.id).holds.started) continue;
      this.#owed.set(dependent.id, `${id} ended and ${dependent.id} runs on`);
    }
  }
}
