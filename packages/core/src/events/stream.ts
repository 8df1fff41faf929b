import { maskAll } from '../control/secrets.ts';
import type { WallTime } from '../units.ts';
import type { WorkerId } from '../worker/spec.ts';
import type { EventDraft, HsuEvent } from './catalogue.ts';

/** A numbered, bounded sequence of events with a bounded memory of the latest. */
export class EventStream {
  readonly #capacity: number;
  readonly #recent: HsuEvent[] = [];
  readonly #listeners = new Set<(event: HsuEvent) => void>();
  /** Published and not delivered yet: what a listener causes is delivered after what it hears. */
  readonly #undelivered: HsuEvent[] = [];
  #delivering = false;
  #seq = 0;

  /** @param capacity how many of the latest events are kept for late readers */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** The number of the newest event; 0 before the first. */
  get seq(): number {
    return this.#seq;
  }

  /**
   * Numbers and publishes an event; listeners are called at once, in the order in which they subscribed. An event that a listener
   * causes is delivered when all have heard the one before.
   */
  publish(draft: EventDraft, at: WallTime, workerId: WorkerId | null, run: number | null): HsuEvent {
    this.#seq += 1;
    // Messages of programs and systems repeat what they were given: an address with its password, a variable.
    const { type, payload } = draft;
    const event = { seq: this.#seq, at, workerId, run, type, payload: maskAll(payload) } as HsuEvent;
    this.#recent.push(event);
    if (this.#recent.length > this.#capacity * 2)
      this.#recent.splice(0, this.#recent.length - this.#capacity);
    this.#undelivered.push(event);
    if (!this.#delivering) this.#deliver();
    return event;
  }

  #deliver(): void {
    this.#delivering = true;
    try {
      for (let next = this.#undelivered.shift(); next !== undefined; next = this.#undelivered.shift()) {
        for (const listener of this.#listeners) this.#tell(listener, next);
      }
    } finally {
      this.#delivering = false;
    }
  }

  /** A listener that throws is a defect of its owner and is told nothing more; no other and no worker suffers from it. */
  #tell(listener: (event: HsuEvent) => void, event: HsuEvent): void {
    try {
      listener(event);
    } catch (error) {
      this.#listeners.delete(listener);
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      const message = `a listener threw at "${event.type}" and is told nothing more: ${text}`;
      this.publish({ type: 'supervisor.defect', payload: { message } }, event.at, null, null);
    }
  }

  /** Calls `listener` for each later event until the returned function is called. One that throws is called no more. */
  subscribe(listener: (event: HsuEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * The events after `seq` that are still remembered, oldest first, and how many in between are not.
   * `since(0)` is everything remembered.
   */
  since(seq: number): { readonly events: readonly HsuEvent[]; readonly lost: number } {
    const kept = this.#recent.slice(-this.#capacity);
    const events = kept.filter((event) => event.seq > seq);
    const first = events[0]?.seq ?? this.#seq + 1;
    return { events, lost: Math.max(0, first - seq - 1) };
  }
}
