import type { HsuEvent, Message, MonotonicTime, Worker, WorkerId } from '@hsu-master/core';
import type { SystemNews } from '../../fake/system.ts';
import type { Check, Order, Succession, World } from '../check.ts';

type News<K extends SystemNews['kind']> = Extract<SystemNews, { kind: K }>;

/** What a worker gets that is not configured any more. */
const FORGOTTEN_GRACE = 10_000;

/** Processes: one run at a time, grace before killing, nothing left at the end. */
export class TreesCheck implements Check {
  readonly #world: World;
  /** When the present master first asked a tree to end. */
  readonly #asked = new Map<string, MonotonicTime>();
  /** Marks of the trees that were sent SIGKILL. */
  readonly #killed = new Set<string>();
  readonly #killOrdered = new Set<WorkerId>();
  /** From then on the final stop may kill. */
  #allMayBeKilledAt = Number.POSITIVE_INFINITY;

  constructor(world: World) {
    this.#world = world;
  }

  order({ kind, id, deadline }: Order): void {
    const now = this.#world.clock.now();
    if (kind === 'kill' && id !== null) this.#killOrdered.add(id);
    if (kind === 'shutdown') this.#allMayBeKilledAt = now + (deadline ?? 0);
    if (kind === 'force') this.#allMayBeKilledAt = now;
  }

  succeeded({ uncertain }: Succession): void {
    this.#allMayBeKilledAt = Number.POSITIVE_INFINITY;
    if (uncertain?.kind === 'kill' && uncertain.id !== null) this.#killOrdered.add(uncertain.id);
  }

  decided(before: Worker, message: Message): void {
    const isKill = message.kind === 'limit-exceeded' && message.policy === 'immediate_kill';
    if (isKill && message.run === before.run && before.phase.name === 'running') {
      this.#killOrdered.add(before.id);
    }
  }

  event({ type, workerId }: HsuEvent): void {
    // An order to kill is about the run that it meets.
    if (type === 'worker.starting' && workerId !== null) this.#killOrdered.delete(workerId);
  }

  news(news: SystemNews): void {
    if (news.kind === 'born') this.#born(news);
    else if (news.kind === 'signalled') this.#signalled(news);
  }

  ended(survivors: ReadonlySet<number>): void {
    for (const { pid, tree } of this.#world.system.living()) {
      if (tree.workerId === null) continue;
      const named = survivors.has(pid);
      if (named && this.#killed.has(tree.mark)) continue;
      const what = named ? 'named as a survivor, but never sent SIGKILL' : 'alive and was not named';
      this.#world.violate('nothing-outlives-the-stop', `pid ${pid} of ${tree.mark} is ${what}`);
    }
  }

  #born({ process: { tree, pid } }: News<'born'>): void {
    if (tree.workerId === null) return;
    const other = this.#world.system.living(tree.workerId).find((process) => process.tree.mark !== tree.mark);
    if (other === undefined) return;
    const detail = `pid ${pid} of ${tree.mark} began while pid ${other.pid} of ${other.tree.mark} lives`;
    this.#world.violate('one-run-at-a-time', detail);
  }

  #signalled({ tree: { mark, workerId }, signal }: News<'signalled'>): void {
    if (workerId === null) return;
    const now = this.#world.clock.now();
    const askedAt = this.#asked.get(mark);
    if (signal !== 'SIGKILL') {
      if (askedAt === undefined) this.#asked.set(mark, now);
      return;
    }
    this.#killed.add(mark);
    if (now >= this.#allMayBeKilledAt || this.#killOrdered.has(workerId)) return;
    // What is removed is ended as it was described, or by a next master that knows nothing of it.
    const forgotten = Math.min(
      FORGOTTEN_GRACE,
      this.#world.described(workerId)?.stop.grace ?? FORGOTTEN_GRACE,
    );
    const grace = this.#world.specs.get(workerId)?.stop.grace ?? forgotten;
    if (askedAt !== undefined && now - askedAt >= grace - 1e-6) return;
    const waited = askedAt === undefined ? 'without asking' : `after ${now - askedAt} of ${grace} ms`;
    this.#world.violate('grace-is-kept', `${mark} was sent SIGKILL ${waited}`);
  }
}
