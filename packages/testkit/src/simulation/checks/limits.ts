import type {
  Decision,
  EventMap,
  HsuEvent,
  LimitName,
  LimitPolicy,
  LimitsSpec,
  Message,
  Worker,
  WorkerId,
} from '@hsu-master/core';
import type { FakeTree, SystemNews } from '../../fake/system.ts';
import type { Check, Order, Succession, World } from '../check.ts';

/** The kernel’s answers and the policies’: what is held back is let go in time, what a limit ended stays so, raises are bounded. */
export class LimitsCheck implements Check {
  readonly #world: World;
  /** Trees that are held to less than they want, or stopped. */
  readonly #held = new Map<string, FakeTree>();
  /** Workers that must not begin by themselves, since the answer to an excess was their end. */
  readonly #ended = new Map<WorkerId, LimitPolicy>();
  /** The same before it was said. */
  readonly #ending = new Map<WorkerId, LimitPolicy>();
  /** The present run was asked to end before it did. */
  readonly #asked = new Set<WorkerId>();
  readonly #raised = new Set<WorkerId>();

  constructor(world: World) {
    this.#world = world;
    for (const tree of world.system.held()) this.#held.set(tree.mark, tree);
  }

  order({ kind, id }: Order): void {
    if (id === null) return;
    if (kind === 'start' || kind === 'restart' || kind === 'reset') this.#ended.delete(id);
    if (kind === 'reset' || kind === 'limits') this.#raised.delete(id);
  }

  changed(ids: ReadonlySet<WorkerId>): void {
    for (const id of ids) this.#ended.delete(id);
  }

  succeeded({ uncertain, rebooted, begunAnew, changed }: Succession): void {
    this.#ending.clear();
    for (const id of changed) this.#ended.delete(id);
    const unsure = uncertain?.id ?? null;
    if (unsure !== null) this.#raised.add(unsure);
    if (!begunAnew && !rebooted) return;
    // What was raised may still be remembered of some, if the end was cut short.
    this.#ended.clear();
    this.#asked.clear();
  }

  news(news: SystemNews): void {
    if (news.kind === 'held') this.#hold(news.tree, news.percent !== null);
    if (news.kind === 'frozen') this.#hold(news.tree, news.frozen);
    if (news.kind === 'signalled' && this.#held.has(news.tree.mark)) {
      this.#broken(`${news.tree.mark} was sent ${news.signal} while it was held back`);
    }
    if (news.kind === 'died' && this.#world.system.account(news.process.tree.mark) === null) {
      this.#held.delete(news.process.tree.mark);
    }
  }

  event(event: HsuEvent): void {
    const { workerId: id } = event;
    if (id === null) return;
    if (event.type === 'worker.started' || event.type === 'worker.attached') this.#asked.delete(id);
    if (event.type === 'worker.stopping') {
      if (event.payload.cause !== 'left-behind') this.#asked.add(id);
      const ending = this.#ending.get(id);
      if (ending !== undefined && event.payload.cause === 'limit') this.#ended.set(id, ending);
    }
    // By an order, or with its master.
    if (event.type === 'worker.stopped') this.#ended.delete(id);
    // An order may have come before an exit that an earlier master saw is told again.
    if (event.type === 'worker.exited' && !this.#asked.has(id) && !event.payload.asked)
      this.#exited(id, event.payload);
    const policy = event.type === 'worker.starting' ? this.#ended.get(id) : undefined;
    if (policy !== undefined) {
      this.#world.violate('limit-answers-are-kept', `${id} began again after ${policy}`);
    }
  }

  decided(before: Worker, message: Message, { effects, events }: Decision): void {
    if (events.some(({ type }) => type === 'limit.adjusted')) this.#raised.add(before.id);
    if (message.kind === 'limit-exceeded' && message.run === before.run && before.phase.name === 'running') {
      this.#ending.delete(before.id);
      if (isFinal(message.policy)) this.#ending.set(before.id, message.policy);
    }
    for (const effect of effects) if (effect.kind === 'spawn') this.#spawned(before.id, effect.limits);
  }

  rested(): void {
    for (const { mark, workerId } of this.#held.values()) {
      if (workerId === null || !this.#world.specs.has(workerId)) continue;
      const { phase } = this.#world.supervisor().snapshot(workerId);
      if (phase !== 'running') this.#broken(`${mark} is held back although ${workerId} is ${phase}`);
    }
  }

  ended(): void {
    for (const { mark } of this.#held.values()) this.#broken(`${mark} is held back and nobody is there`);
  }

  #hold(tree: FakeTree, isHeld: boolean): void {
    if (isHeld) this.#held.set(tree.mark, tree);
    else this.#held.delete(tree.mark);
  }

  #broken(detail: string): void {
    this.#world.violate('held-back-only-while-running', detail);
  }

  /** The kernel’s kill is answered by the first step that would have ended the run. */
  #exited(id: WorkerId, { exit }: EventMap['worker.exited']): void {
    if (exit.oomKilled !== 'limit') return;
    const policy = oomPolicy(this.#world.specs.get(id)?.limits ?? null);
    if (policy !== null && isFinal(policy)) this.#ended.set(id, policy);
  }

  #spawned(id: WorkerId, given: LimitsSpec | null): void {
    const written = this.#world.specs.get(id)?.limits ?? null;
    const names = Object.keys(given?.values ?? {}) as LimitName[];
    for (const name of names) {
      const from = written?.values[name] ?? 0;
      const value = given?.values[name] ?? 0;
      const cap = this.#raised.has(id) ? (written?.responses.memory.adjust.cap ?? 1) : 1;
      if (value >= from && value <= Math.max(1, cap) * from + 1) continue;
      const detail = `${id} was given ${name} ${value}, and ${from} is written`;
      this.#world.violate('limit-answers-are-kept', detail);
    }
    if (written !== null && names.length < Object.keys(written.values).length) {
      this.#world.violate('limit-answers-are-kept', `${id} was started without its limits`);
    }
  }
}

function isFinal(policy: LimitPolicy): boolean {
  return policy === 'graceful_shutdown' || policy === 'immediate_kill';
}

/** What the policies say of a kill by the kernel; null: nothing. */
export function oomPolicy(limits: LimitsSpec | null): LimitPolicy | null {
  const ends = (policy: LimitPolicy): boolean =>
    isFinal(policy) || policy === 'restart' || policy === 'restart_adjusted';
  return limits?.responses.memory.steps.find(({ policy }) => ends(policy))?.policy ?? null;
}
