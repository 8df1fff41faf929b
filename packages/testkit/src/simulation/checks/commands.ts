import type { Decision, HsuEvent, Message, MessageKind, Worker, WorkerId } from '@hsu-master/core';
import type { SystemNews } from '../../fake/system.ts';
import type { Check, Order, Succession, World } from '../check.ts';

/** Commands and facts: orders are obeyed, rest is rest, late facts are dropped, each ticket settles once with the truth. */
export class CommandsCheck implements Check {
  readonly #world: World;
  /** What was last ordered. */
  readonly #wanted = new Map<WorkerId, boolean>();
  readonly #resting = new Set<WorkerId>();
  /** Whose specs were ever changed: what failed with the former is tried anew by a next master. */
  readonly #changed = new Set<WorkerId>();
  readonly #tickets = new Map<number, { readonly kind: MessageKind; settled: boolean }>();
  #stopping = false;

  constructor(world: World) {
    this.#world = world;
  }

  order({ kind, id }: Order): void {
    if (kind === 'shutdown') this.#stopping = true;
    if (id === null || this.#stopping) return;
    if (kind === 'start' || kind === 'restart') this.#wanted.set(id, true);
    if (kind === 'stop' || kind === 'kill') this.#wanted.set(id, false);
  }

  changed(ids: ReadonlySet<WorkerId>): void {
    for (const id of ids) {
      this.#resting.delete(id);
      if (!this.#world.specs.has(id)) this.#wanted.delete(id);
    }
  }

  succeeded({ uncertain, rebooted, begunAnew, changed }: Succession): void {
    this.#tickets.clear();
    for (const id of changed) this.#changed.add(id);
    for (const id of this.#changed) this.#resting.delete(id);
    // What was not wanted any more only because its master ended is wanted again.
    if (this.#stopping || rebooted || begunAnew) this.#resting.clear();
    this.#stopping = false;
    const id = uncertain?.id ?? null;
    if (id === null) return;
    this.#wanted.delete(id);
    this.#resting.delete(id);
  }

  event({ type, workerId, run }: HsuEvent): void {
    if (workerId === null) return;
    if (type === 'worker.stopped' || type === 'worker.failed') this.#resting.add(workerId);
    if (type !== 'worker.starting') return;
    const why = this.#stopping
      ? 'during the final stop'
      : this.#wanted.get(workerId) === false
        ? 'after a stop'
        : this.#resting.has(workerId)
          ? 'at rest'
          : null;
    if (why !== null) this.#world.violate('rest-is-rest', `${workerId}: run ${run} began ${why}`);
  }

  news(news: SystemNews): void {
    const id = news.kind === 'born' && news.process.parent === null ? news.process.tree.workerId : null;
    if (id === null || !this.#resting.has(id)) return;
    this.#world.violate('rest-is-rest', `${id}: a process of it began while it rested`);
  }

  decided(before: Worker, message: Message, { worker, effects, events }: Decision): void {
    if (
      'run' in message &&
      message.run !== before.run &&
      (worker !== before || effects.length + events.length > 0)
    ) {
      const detail = `${worker.id}: ${message.kind} of run ${message.run} in run ${before.run}`;
      this.#world.violate('late-facts-change-nothing', detail);
    }
    if ('ticket' in message && message.ticket !== null) {
      this.#tickets.set(message.ticket, { kind: message.kind, settled: false });
    }
    if (message.kind === 'start' || message.kind === 'restart' || message.kind === 'reset') {
      if (worker.phase.name !== 'stopped') this.#resting.delete(worker.id);
    }
    for (const effect of effects) {
      if (effect.kind === 'settle') this.#settled(worker, effect.ticket, effect.outcome.kind === 'done');
    }
  }

  ended(survivors: ReadonlySet<number>): void {
    for (const [ticket, { kind, settled }] of this.#tickets) {
      if (settled || survivors.size > 0) continue;
      this.#world.violate('tickets-settle', `the rule never settled ticket ${ticket} (${kind})`);
    }
    for (const order of this.#world.unanswered()) {
      this.#world.violate('tickets-settle', `${order.kind} ${order.id ?? ''} was never answered`);
    }
  }

  #settled(worker: Worker, ticket: number, done: boolean): void {
    const known = this.#tickets.get(ticket);
    if (known === undefined || known.settled) {
      const detail = `${worker.id}: ticket ${ticket} settled ${known === undefined ? 'unasked' : 'twice'}`;
      this.#world.violate('tickets-settle', detail);
      return;
    }
    known.settled = true;
    const untrue = done ? this.#untrue(known.kind, worker) : null;
    if (untrue === null) return;
    this.#world.violate('tickets-settle', `${worker.id}: ${known.kind} is done, and ${untrue}`);
  }

  /** What contradicts that an order is done; null where nothing does. */
  #untrue(kind: MessageKind, { id, phase, run }: Worker): string | null {
    if (kind === 'stop' || kind === 'kill') {
      // What an earlier master left of one that was removed, and came back, is none of its runs.
      const living = this.#world.system.living(id).find(({ tree }) => tree.run <= run);
      return living === undefined ? null : `pid ${living.pid} is alive`;
    }
    if (kind !== 'start' && kind !== 'restart') return null;
    const isThere = phase.name === 'running' || (phase.name === 'stopped' && phase.completed);
    return isThere ? null : `it is ${phase.name}`;
  }
}
