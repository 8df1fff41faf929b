import { type EventStream, type HsuEvent, isTelling, type WallTime, type WorkerId } from '@hsu-master/core';

/** How many telling events of each worker are kept; those of a busy neighbour push none of them out. */
const KEPT = 40;

interface Past {
  readonly events: HsuEvent[];
  startedAt: { readonly run: number; readonly at: WallTime } | null;
}

/** What happened to each worker, for longer than the common memory of events reaches. */
export class WorkerHistory {
  readonly #pasts = new Map<WorkerId, Past>();

  constructor(events: EventStream) {
    for (const event of events.since(0).events) this.#remember(event);
    events.subscribe((event) => this.#remember(event));
  }

  /** Oldest first. */
  of(id: WorkerId): readonly HsuEvent[] {
    return this.#pasts.get(id)?.events ?? [];
  }

  /** When that run began; null where it was not seen. */
  startOf(id: WorkerId, run: number): WallTime | null {
    const started = this.#pasts.get(id)?.startedAt;
    return started?.run === run ? started.at : null;
  }

  #remember(event: HsuEvent): void {
    const { workerId, run, at } = event;
    if (workerId === null) return;
    if (event.type === 'worker.removed') {
      this.#pasts.delete(workerId);
      return;
    }
    if (!isTelling(event)) return;
    let past = this.#pasts.get(workerId);
    if (past === undefined) {
      past = { events: [], startedAt: null };
      this.#pasts.set(workerId, past);
    }
    if (event.type === 'worker.started' && run !== null) past.startedAt = { run, at };
    if (event.type === 'worker.attached' && run !== null)
      past.startedAt = { run, at: Math.round(at - event.payload.uptime) };
    past.events.push(event);
    if (past.events.length > KEPT) past.events.shift();
  }
}
