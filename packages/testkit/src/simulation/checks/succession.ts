import type { HsuEvent, MonotonicTime, ProcessIdentity, WorkerId } from '@hsu-master/core';
import type { SystemNews } from '../../fake/system.ts';
import type { Check, Order, Succession, World } from '../check.ts';

/** A run that the next master has no reason to end. */
interface Heir {
  readonly id: WorkerId;
  readonly run: number;
  readonly process: ProcessIdentity;
}

interface Counters {
  readonly run: number;
  readonly restarts: number;
}

/** How marks of processes begin that belong to nobody here. */
export const STRANGER = 'stranger';

/** From one master to the next: what runs goes on, counters and backoffs too, and strangers are left alone. */
export class SuccessionCheck implements Check {
  readonly #world: World;
  /** By mark, until the next master has taken over. */
  readonly #heirs = new Map<string, Heir>();
  readonly #counters = new Map<WorkerId, Counters>();
  /** When the next try of a worker in backoff is due. */
  readonly #due = new Map<WorkerId, MonotonicTime>();
  /** Backoffs of the earlier master of which the next one has said nothing yet. */
  readonly #carried = new Set<WorkerId>();

  constructor(world: World) {
    this.#world = world;
  }

  changed(ids: ReadonlySet<WorkerId>): void {
    for (const id of ids) {
      this.#due.delete(id);
      this.#carried.delete(id);
    }
    this.#forget(ids);
  }

  /** What is removed is forgotten, but for the numbers of its runs. */
  #forget(ids: ReadonlySet<WorkerId>): void {
    for (const id of ids) {
      const known = this.#counters.get(id);
      if (known !== undefined && !this.#world.specs.has(id))
        this.#counters.set(id, { ...known, restarts: 0 });
    }
  }

  succeeded({ uncertain, begunAnew, rebooted, changed, last }: Succession): void {
    this.#heirs.clear();
    this.#carried.clear();
    if (begunAnew || rebooted) {
      this.#counters.clear();
      this.#due.clear();
      return;
    }
    for (const id of changed) this.#due.delete(id);
    this.#forget(changed);
    for (const id of this.#due.keys()) this.#carried.add(id);
    for (const [id, { phase, run, process }] of last) {
      const spec = this.#world.specs.get(id);
      const isInvolved = spec?.dependsOn.some(({ restart }) => restart) !== false;
      if (phase !== 'running' || process === null || isInvolved || changed.has(id)) continue;
      if (uncertain?.id === id || !this.#world.system.isAlive(process)) continue;
      const mark = this.#world.system.find(process.pid)?.tree.mark;
      if (mark !== undefined) this.#heirs.set(mark, { id, run, process });
    }
  }

  order({ kind }: Order): void {
    if (kind !== 'start-all') this.#heirs.clear();
  }

  news(news: SystemNews): void {
    if (news.kind !== 'signalled') return;
    const { mark } = news.tree;
    if (mark.startsWith(STRANGER)) {
      this.#world.violate('strangers-are-left-alone', `${mark} was sent ${news.signal}`);
    }
    if (this.#heirs.has(mark)) {
      this.#world.violate('runs-outlive-their-master', `${mark} was sent ${news.signal} by the next master`);
    }
  }

  event(event: HsuEvent): void {
    const { workerId: id, run } = event;
    if (id === null) return;
    switch (event.type) {
      case 'worker.starting':
        this.#due.delete(id);
        this.#counts(id, run ?? 0, event.payload.restarts, 1);
        return;
      case 'worker.attached':
        this.#counts(id, run ?? 0, event.payload.restarts, 0);
        return;
      case 'worker.stopped':
      case 'worker.failed':
      case 'worker.blocked':
        this.#due.delete(id);
        return;
      case 'worker.backing-off':
        this.#waits(id, event.payload.delay);
        return;
      default:
    }
  }

  rested(): void {
    for (const [mark, { id, run, process }] of this.#heirs) {
      const { phase, run: now } = this.#world.supervisor().snapshot(id);
      const isThere = phase === 'running' && now === run;
      if (isThere || !this.#world.system.isAlive(process)) continue;
      const detail = `${mark} lives, and ${id} is ${phase} in run ${now}`;
      this.#world.violate('runs-outlive-their-master', detail);
    }
    this.#heirs.clear();
  }

  #counts(id: WorkerId, run: number, restarts: number, step: number): void {
    const known = this.#counters.get(id) ?? { run: 0, restarts: 0 };
    if (run < known.run + step || restarts < known.restarts) {
      const detail = `${id}: run ${run} after ${restarts} restarts came after run ${known.run} after ${known.restarts}`;
      this.#world.violate('counters-go-on', detail);
    }
    this.#counters.set(id, { run, restarts });
  }

  #waits(id: WorkerId, delay: number): void {
    const due = this.#world.clock.now() + delay;
    const before = this.#due.get(id);
    this.#due.set(id, due);
    if (!this.#carried.delete(id) || before === undefined) return;
    const expected = Math.max(before, this.#world.clock.now());
    if (Math.abs(due - expected) < 1e-3) return;
    this.#world.violate('counters-go-on', `${id}: its next try was due at ${before}, and is now at ${due}`);
  }
}
