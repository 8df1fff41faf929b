import type {
  EventMap,
  HsuEvent,
  MonotonicTime,
  RestartPolicy,
  StopCause,
  WorkerId,
  WorkerSpec,
} from '@hsu-master/core';
import type { Check, Order, Succession, World } from '../check.ts';
import { oomPolicy } from './limits.ts';

interface History {
  /** When automatic restarts were due since the last time that all was forgiven. */
  readonly restarts: MonotonicTime[];
  /** null: the present run did not start. */
  startedAt: MonotonicTime | null;
  /** Whose rule holds for what comes after the present run. */
  cause: 'exit' | 'health' | 'resource';
  /** It was asked to end before it did. */
  asked: boolean;
  /** The breaker was opened; only one trial may follow. */
  tripped: boolean;
  /** No start before this, but on command. */
  notBefore: MonotonicTime;
  /** What the earlier master did last may be unsaid; the next has said nothing yet. */
  unsaid: boolean;
}

function forgive(history: History): void {
  history.restarts.length = 0;
  history.tripped = false;
}

/** Whether a kill by the kernel is answered by a restart. */
function isRestart({ limits }: WorkerSpec): boolean {
  const policy = oomPolicy(limits);
  return policy === 'restart' || policy === 'restart_adjusted';
}

function lived(history: History, now: MonotonicTime): number {
  return history.startedAt === null ? 0 : now - history.startedAt;
}

/** Automatic restarts: at most so many in a window, one trial while the breaker is open, none before its delay is over. */
export class RestartsCheck implements Check {
  readonly #world: World;
  readonly #histories = new Map<WorkerId, History>();
  #ending = false;

  constructor(world: World) {
    this.#world = world;
  }

  order({ kind, id }: Order): void {
    if (kind === 'shutdown') this.#ending = true;
    if (id === null || (kind !== 'start' && kind !== 'restart' && kind !== 'reset')) return;
    const history = this.#historyOf(id);
    forgive(history);
    history.notBefore = 0;
  }

  changed(ids: ReadonlySet<WorkerId>): void {
    for (const id of ids) this.#histories.delete(id);
  }

  succeeded({ rebooted, begunAnew, changed }: Succession): void {
    if (begunAnew) this.#histories.clear();
    for (const id of changed) this.#histories.delete(id);
    const wasEnding = this.#ending;
    this.#ending = false;
    for (const [id, history] of this.#histories) {
      history.unsaid = true;
      // What its master had stopped as it ended begins at once, unless its breaker is open.
      if (wasEnding && !history.tripped) history.notBefore = 0;
      if (!rebooted) continue;
      // Of what a boot knew only an open breaker counts for the next.
      const resetAfter = this.#resetAfter(id);
      if (lived(history, this.#world.clock.now()) >= resetAfter) forgive(history);
      history.restarts.length = 0;
      history.startedAt = null;
      if (!history.tripped) history.notBefore = 0;
    }
  }

  event(event: HsuEvent): void {
    const { workerId } = event;
    const spec = workerId === null ? undefined : this.#world.specs.get(workerId);
    if (workerId === null || spec === undefined) return;
    const policy = spec.restart;
    const history = this.#historyOf(workerId);
    const now = this.#world.clock.now();
    const mostResetAfter = this.#resetAfter(workerId);
    if (history.unsaid && event.type !== 'worker.attached') {
      history.unsaid = false;
      if (lived(history, now) >= mostResetAfter) forgive(history);
      if (event.type === 'worker.backing-off') {
        history.notBefore = now + event.payload.delay;
        return;
      }
    }
    switch (event.type) {
      case 'worker.starting':
        this.#starting(workerId, history);
        return;
      case 'worker.started':
        history.startedAt = now;
        return;
      case 'worker.attached':
        history.unsaid = false;
        history.asked = false;
        history.cause = 'exit';
        history.startedAt = now - event.payload.uptime;
        return;
      case 'worker.stopping':
        this.#stopping(history, event.payload.cause);
        return;
      case 'worker.stopped':
        forgive(history);
        history.notBefore = 0;
        return;
      case 'worker.exited':
        if (
          !history.asked &&
          !event.payload.asked &&
          event.payload.exit.oomKilled === 'limit' &&
          isRestart(spec)
        )
          history.cause = 'resource';
        if (lived(history, now) >= mostResetAfter) forgive(history);
        return;
      case 'worker.backing-off':
        this.#backingOff(workerId, history, policy, event.payload);
        return;
      default:
    }
  }

  /** A run that lives this long forgives all, whatever the rule. */
  #resetAfter(id: WorkerId): number {
    const policy = this.#world.specs.get(id)?.restart;
    if (policy === undefined) return 0;
    return Math.max(...[policy.exit, policy.health, policy.resource].map((rule) => rule.resetAfter));
  }

  #historyOf(id: WorkerId): History {
    const known = this.#histories.get(id);
    if (known !== undefined) return known;
    const history: History = {
      restarts: [],
      startedAt: null,
      cause: 'exit',
      asked: false,
      tripped: false,
      notBefore: 0,
      unsaid: false,
    };
    this.#histories.set(id, history);
    return history;
  }

  #stopping(history: History, cause: StopCause): void {
    if (cause !== 'left-behind') history.asked = true;
    if (cause === 'liveness' || cause === 'startup') history.cause = 'health';
    else if (cause === 'limit') history.cause = 'resource';
    else if (cause !== 'left-behind') history.cause = 'exit';
  }

  #starting(id: WorkerId, history: History): void {
    const early = history.notBefore - this.#world.clock.now();
    if (early > 1e-6)
      this.#world.violate('restarts-are-bounded', `${id} started ${early} ms before its delay was over`);
    history.cause = 'exit';
    history.asked = false;
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
    const rule = policy[history.cause];
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
