import type { EventMap, HsuEvent, MonotonicTime, RestartPolicy, WorkerId } from '@hsu-master/core';
import type { Check, Order, World } from '../check.ts';

interface History {
  /** When automatic restarts were due since the last time that all was forgiven. */
  readonly restarts: MonotonicTime[];
  /** null: the present run did not start. */
  startedAt: MonotonicTime | null;
  byProbe: boolean;
  /** The breaker was opened; only one trial may follow. */
  tripped: boolean;
  /** No start before this, but on command. */
  notBefore: MonotonicTime;
}

function forgive(history: History): void {
  history.restarts.length = 0;
  history.tripped = false;
}

function lived(history: History, now: MonotonicTime): number {
  return history.startedAt === null ? 0 : now - history.startedAt;
}

/** Automatic restarts: at most so many in a window, one trial while the breaker is open, none before its delay is over. */
export class RestartsCheck implements Check {
  readonly #world: World;
  readonly #histories = new Map<WorkerId, History>();

  constructor(world: World) {
    this.#world = world;
  }

  order({ kind, id }: Order): void {
    if (id === null || (kind !== 'start' && kind !== 'restart' && kind !== 'reset')) return;
    const history = this.#historyOf(id);
    forgive(history);
    history.notBefore = 0;
  }

  event(event: HsuEvent): void {
    const { workerId } = event;
    const policy = workerId === null ? undefined : this.#world.specs.get(workerId)?.restart;
    if (workerId === null || policy === undefined) return;
    const history = this.#historyOf(workerId);
    const now = this.#world.clock.now();
    switch (event.type) {
      case 'worker.starting':
        this.#starting(workerId, history);
        return;
      case 'worker.started':
        history.startedAt = now;
        return;
      case 'worker.stopping':
        history.byProbe = event.payload.cause === 'liveness' || event.payload.cause === 'startup';
        return;
      case 'worker.stopped':
        forgive(history);
        return;
      case 'worker.exited':
        if (lived(history, now) >= Math.max(policy.exit.resetAfter, policy.health.resetAfter))
          forgive(history);
        return;
      case 'worker.backing-off':
        this.#backingOff(workerId, history, policy, event.payload);
        return;
      default:
    }
  }

  #historyOf(id: WorkerId): History {
    const known = this.#histories.get(id);
    if (known !== undefined) return known;
    const history: History = { restarts: [], startedAt: null, byProbe: false, tripped: false, notBefore: 0 };
    this.#histories.set(id, history);
    return history;
  }

  #starting(id: WorkerId, history: History): void {
    const early = history.notBefore - this.#world.clock.now();
    if (early > 1e-6)
      this.#world.violate('restarts-are-bounded', `${id} started ${early} ms before its delay was over`);
    history.byProbe = false;
    history.notBefore = 0;
    history.startedAt = null;
  }

  #backingOff(
    id: WorkerId,
    history: History,
    policy: RestartPolicy,
    { delay, breaker }: EventMap['worker.backing-off'],
  ): void {
    const now = this.#world.clock.now();
    const rule = history.byProbe ? policy.health : policy.exit;
    if (lived(history, now) >= rule.resetAfter) forgive(history);
    history.notBefore = now + delay;
    if (breaker === 'open') {
      history.tripped = true;
      return;
    }
    if (history.tripped)
      this.#world.violate('restarts-are-bounded', `${id} had its trial and was restarted again`);
    const counted = history.restarts.filter((at) => now - at < rule.window).length;
    if (rule.maxRetries > 0 && counted >= rule.maxRetries) {
      const detail = `${id} was restarted ${counted + 1} times within ${rule.window} ms`;
      this.#world.violate('restarts-are-bounded', detail);
    }
    history.restarts.push(now + delay);
  }
}
