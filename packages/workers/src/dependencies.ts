import {
  type Clock,
  type DependencyView,
  dependencyView,
  type Waiting,
  type Worker,
  type WorkerId,
  waitingFor,
} from '@hsu-master/core';
import type { Fleet } from './fleet.ts';
import type { WorkerActor } from './worker-actor.ts';

const ABOUT_TO_CHANGE: DependencyView = {
  started: false,
  ready: false,
  completed: false,
  doing: 'about to be ended, since its configuration changed',
};

interface Parts {
  readonly fleet: Fleet;
  readonly clock: Clock;
  /** What a worker waits for besides other workers. */
  readonly ownWaiting: (actor: WorkerActor) => readonly Waiting[];
  /** Whether a worker is still as it was and about to be ended. */
  readonly isAwaited: (id: WorkerId) => boolean;
}

/** Tells workers what they wait for. */
export class Dependencies {
  readonly #in: Parts;

  constructor(parts: Parts) {
    this.#in = parts;
  }

  waitingOf(actor: WorkerActor): readonly Waiting[] {
    const own = this.#in.ownWaiting(actor);
    const { dependsOn } = actor.spec;
    if (dependsOn.length === 0) return own;
    const { fleet, clock, isAwaited } = this.#in;
    const now = clock.now();
    const others = waitingFor(dependsOn, (id) => {
      const other = fleet.actors.get(id);
      if (other === undefined) return null;
      return isAwaited(id) ? ABOUT_TO_CHANGE : dependencyView(other.worker, now);
    });
    return [...own, ...others];
  }

  /** @param lost the dependency whose end it has to follow; null: none */
  tell(actor: WorkerActor, lost: WorkerId | null): void {
    actor.tell({ kind: 'dependencies', waiting: this.waitingOf(actor), lost });
  }

  /** The same, unless it waits for nothing and knows it. */
  show(actor: WorkerActor): void {
    const waiting = this.waitingOf(actor);
    if (waiting.length > 0 || actor.worker.waiting.length > 0)
      actor.tell({ kind: 'dependencies', waiting, lost: null });
  }

  /** To all that depend on it. */
  showDependents(id: WorkerId): void {
    for (const dependent of this.#in.fleet.dependentsOf(id)) this.show(dependent);
  }

  /** A worker has changed: those that depend on it are told, where it is another thing to them. */
  turned({ spec: { id }, worker }: WorkerActor, before: Worker): void {
    const { fleet, clock } = this.#in;
    const now = clock.now();
    const old = dependencyView(before, now);
    const view = dependencyView(worker, now);
    const ended = leftRunning(before, worker);
    const same = old.started === view.started && old.ready === view.ready && old.completed === view.completed;
    if (same && !ended) return;
    for (const dependent of fleet.dependentsOf(id)) {
      const restarts = dependent.spec.dependsOn.some((entry) => entry.id === id && entry.restart);
      this.tell(dependent, ended && restarts ? id : null);
    }
  }
}

/** Whether a process that ran runs no more; what was stopped while it was starting ran for no turn. */
function leftRunning(before: Worker, after: Worker): boolean {
  if (before.phase.name === 'running') return after.phase.name !== 'running';
  return before.phase.name === 'starting' && after.phase.name === 'stopping';
}
