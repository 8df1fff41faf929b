import {
  type Clock,
  type DiscoverySpec,
  describeStrategy,
  type EventDraft,
  type Finding,
  type Milliseconds,
  type ProcessFinder,
  type ProcessIdentity,
  type UnmanagedSpec,
  type Waiting,
  type Worker,
  type WorkerId,
  type WorkerSpec,
  waitingForProcess,
} from '@hsu-master/core';
import type { WorkerActor } from '../worker-actor.ts';

/** The first look after a process has gone is taken at once, the next ones soon: what is restarted returns in a moment. */
const FIRST_WAIT: Milliseconds = 50;

interface Parts {
  /** null: processes cannot be looked for here. */
  readonly finder: ProcessFinder | null;
  readonly clock: Clock;
  /** The processes of all workers but this one. */
  readonly takenBesides: (id: WorkerId) => readonly ProcessIdentity[];
  /** What it waits for has another reason. */
  readonly changed: (id: WorkerId) => void;
  readonly publish: (event: EventDraft, id: WorkerId) => void;
}

/** One unit, as long as its process is looked for. */
interface Search {
  reason: string;
  wait: Milliseconds;
  cancelTimer: () => void;
  /** Set when somebody has seen it, or nobody wants it any more. */
  isOver: boolean;
}

type Unmanaged = WorkerSpec & { readonly unmanaged: UnmanagedSpec };

/** Looks for the processes of the units that others start, again and again while they are wanted and not there. */
export class UnmanagedUnits {
  readonly #parts: Parts;
  readonly #searches = new Map<WorkerId, Search>();
  readonly #lastReasons = new Map<WorkerId, string>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** What such a unit waits for besides its dependencies. */
  waitingOf({ id, unmanaged }: WorkerSpec, { phase }: Worker): readonly Waiting[] {
    if (unmanaged === null || phase.name === 'running' || phase.name === 'stopping') return [];
    return [waitingForProcess(id, this.#searches.get(id)?.reason ?? lookedFor(unmanaged.discovery))];
  }

  /** A worker has come to another state. */
  turned(actor: WorkerActor): void {
    const { spec, worker } = actor;
    if (!isUnmanaged(spec)) return;
    const { phase, waiting } = worker;
    const isWanted = phase.name === 'blocked' && waiting.every(({ condition }) => condition === 'process');
    const search = this.#searches.get(spec.id);
    if (isWanted && search === undefined) this.#begin(actor, spec);
    else if (!isWanted && search !== undefined) this.#end(spec.id);
  }

  /** Its process is to be found otherwise: what is looked for now is looked for no more. */
  renew(actor: WorkerActor): void {
    this.forget(actor.spec.id);
    this.turned(actor);
  }

  forget(id: WorkerId): void {
    this.#end(id);
    this.#lastReasons.delete(id);
  }

  close(): void {
    // A map that shrinks while it is walked is walked to its end.
    for (const id of this.#searches.keys()) this.#end(id);
    this.#parts.finder?.close();
  }

  #begin(actor: WorkerActor, spec: Unmanaged): void {
    const { discovery } = spec.unmanaged;
    const reason = lookedFor(discovery);
    const search: Search = { reason, wait: FIRST_WAIT, cancelTimer: () => undefined, isOver: false };
    this.#searches.set(spec.id, search);
    if (this.#parts.finder === null) {
      this.#say(spec.id, search, 'processes cannot be looked for here, since the addon is missing');
      return;
    }
    void this.#look(actor, spec, search);
  }

  #end(id: WorkerId): void {
    const search = this.#searches.get(id);
    if (search === undefined) return;
    search.isOver = true;
    search.cancelTimer();
    this.#searches.delete(id);
  }

  async #look(actor: WorkerActor, spec: Unmanaged, search: Search): Promise<void> {
    const { finder, clock, takenBesides } = this.#parts;
    const { discovery } = spec.unmanaged;
    let taken: ReadonlySet<string> | null = null;
    const finding = await finder?.find(discovery, (process) => {
      taken ??= new Set(takenBesides(spec.id).map(keyOf));
      return taken.has(keyOf(process));
    });
    if (search.isOver || finding === undefined) return;
    this.#settle(actor, search, finding);
    if (search.isOver) return;
    search.cancelTimer = clock.after(Math.min(search.wait, discovery.interval), () => {
      void this.#look(actor, spec, search);
    });
    search.wait = Math.min(discovery.interval, search.wait * 2);
  }

  #settle(actor: WorkerActor, search: Search, finding: Finding): void {
    const { id } = actor.spec;
    if (finding.kind === 'found') {
      this.#lastReasons.delete(id);
      const { pid, startedAt, age } = finding.process;
      actor.tell({ kind: 'appeared', process: { pid, startedAt }, age });
      return;
    }
    const reason = finding.kind === 'invalid' ? invalid(finding) : finding.reason;
    if (finding.kind !== 'none' && this.#lastReasons.get(id) !== reason) {
      this.#lastReasons.set(id, reason);
      const found = finding.kind === 'invalid' ? [finding.process] : finding.processes;
      const processes = found.map(({ pid, startedAt }) => ({ pid, startedAt }));
      this.#parts.publish({ type: 'worker.not-found', payload: { reason, processes } }, id);
    }
    this.#say(id, search, reason);
  }

  #say(id: WorkerId, search: Search, reason: string): void {
    if (search.reason === reason) return;
    search.reason = reason;
    this.#parts.changed(id);
  }
}

function isUnmanaged(spec: WorkerSpec): spec is Unmanaged {
  return spec.unmanaged !== null;
}

function lookedFor({ strategy }: DiscoverySpec): string {
  return describeStrategy(strategy);
}

function invalid({ process, reason }: Finding & { kind: 'invalid' }): string {
  return `pid ${process.pid} (${process.title}) is not accepted: ${reason}`;
}

function keyOf({ pid, startedAt }: ProcessIdentity): string {
  return `${pid} ${startedAt}`;
}
