import type { Dependency, MonotonicTime, WorkerId, WorkerSpec } from '@hsu-master/core';
import type { Check, World } from '../check.ts';

interface Seen {
  running: boolean;
  ready: boolean;
  completed: boolean;
  /** When each condition last ceased to hold; what ceases in the same moment may have been seen before. */
  readonly ceased: { started: MonotonicTime; ready: MonotonicTime; completed: MonotonicTime };
}

/** Dependents start only when their conditions hold, and restart with a dependency where they say so. */
export function checkDependencies(world: World): Check {
  const { clock, specs } = world;
  let seen = new Map<WorkerId, Seen>();
  /** Dependents that must leave their run before this moment is over, and why. */
  let owed = new Map<WorkerId, string>();
  let stopping = false;
  const seenOf = (id: WorkerId): Seen => {
    const known = seen.get(id);
    if (known !== undefined) return known;
    const ceased = { started: -1, ready: -1, completed: -1 };
    const fresh: Seen = { running: false, ready: false, completed: false, ceased };
    seen.set(id, fresh);
    return fresh;
  };
  const leave = (id: WorkerId): void => {
    const state = seenOf(id);
    if (state.running) state.ceased.started = clock.now();
    if (state.ready) state.ceased.ready = clock.now();
    state.running = false;
    state.ready = false;
    owed.delete(id);
    if (stopping) return;
    for (const dependent of specs.values()) {
      const follows = dependent.dependsOn.some((dependency) => dependency.id === id && dependency.restart);
      if (follows && seenOf(dependent.id).running)
        owed.set(dependent.id, `${id} ended and ${dependent.id} runs on`);
    }
  };
  const holds = ({ id, condition }: Dependency): boolean => {
    const state = seenOf(id);
    const now =
      condition === 'started' ? state.running : condition === 'ready' ? state.ready : state.completed;
    return now || state.ceased[condition] === clock.now();
  };
  const isReadyAtOnce = ({ probes, mainProcess }: WorkerSpec): boolean =>
    probes.readiness === null && probes.startup === null && mainProcess === null;
  return {
    master() {
      seen = new Map();
      owed = new Map();
      stopping = false;
    },
    order({ kind }) {
      if (kind === 'shutdown') stopping = true;
    },
    event(event) {
      const spec = event.workerId === null ? undefined : specs.get(event.workerId);
      if (spec === undefined) return;
      const state = seenOf(spec.id);
      switch (event.type) {
        case 'worker.starting':
          if (state.completed) state.ceased.completed = clock.now();
          state.completed = false;
          for (const dependency of spec.dependsOn) {
            if (holds(dependency)) continue;
            const condition = `${dependency.id} (${dependency.condition})`;
            world.violate('dependencies-are-kept', `${spec.id} started and ${condition} did not hold`);
          }
          return;
        case 'worker.started':
          state.running = spec.mainProcess === null;
          state.ready = isReadyAtOnce(spec);
          return;
        case 'worker.daemonized':
          state.running = true;
          return;
        case 'worker.ready':
          state.ready = true;
          return;
        case 'worker.unready':
          state.ready = false;
          state.ceased.ready = clock.now();
          return;
        case 'worker.stopping':
        case 'worker.exited':
          if (state.running || spec.mainProcess !== null) leave(spec.id);
          return;
        case 'worker.stopped':
          if (state.completed && !event.payload.completed) state.ceased.completed = clock.now();
          state.completed = event.payload.completed;
          return;
        default:
      }
    },
    decided(before, _message, { worker }) {
      // A completed worker that is told to stop gives up its completion without an event.
      const state = seenOf(worker.id);
      if (
        state.completed &&
        before.phase.name === 'stopped' &&
        worker.phase.name === 'stopped' &&
        !worker.phase.completed
      ) {
        state.completed = false;
        state.ceased.completed = clock.now();
      }
    },
    rested() {
      for (const why of owed.values()) world.violate('dependencies-are-kept', why);
      owed.clear();
    },
  };
}
