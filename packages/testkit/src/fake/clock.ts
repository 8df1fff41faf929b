import type { Clock, Milliseconds, MonotonicTime, WallTime } from '@hsu-master/core';
import { Chance } from '../chance.ts';

interface Timer {
  readonly at: MonotonicTime;
  /** Timers of the same moment fire in the order in which they were set. */
  readonly order: number;
  fire: (() => void) | null;
}

function isBefore(one: Timer, other: Timer): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}

/** A clock that moves only when told to. Timers fire from within `advance` and `runNext`. */
export class FakeClock implements Clock {
  readonly #chance: Chance;
  /** A binary heap, the next timer first. Cancelled timers stay in it until they come up. */
  readonly #heap: Timer[] = [];
  #now: MonotonicTime = 0;
  #wallOffset: WallTime;
  #order = 0;
  #live = 0;

  /** @param seed of `random()`; @param wallStart what `wallNow()` says at the beginning */
  constructor(seed = 1, wallStart: WallTime = Date.UTC(2026, 0, 1)) {
    this.#chance = new Chance(seed);
    this.#wallOffset = wallStart;
  }

  now(): MonotonicTime {
    return this.#now;
  }

  wallNow(): WallTime {
    return this.#wallOffset + this.#now;
  }

  random(): number {
    return this.#chance.next();
  }

  after(delay: Milliseconds, fire: () => void): () => void {
    if (!(delay >= 0)) throw new RangeError(`a timer cannot be set for ${delay} ms`);
    const timer: Timer = { at: this.#now + delay, order: this.#order, fire };
    this.#order += 1;
    this.#live += 1;
    this.#push(timer);
    return () => {
      if (timer.fire === null) return;
      timer.fire = null;
      this.#live -= 1;
    };
  }

  /** How many timers are set. */
  get pending(): number {
    return this.#live;
  }

  /** When the next timer fires, or null. */
  get nextAt(): MonotonicTime | null {
    while (this.#heap[0]?.fire === null) this.#pop();
    return this.#heap[0]?.at ?? null;
  }

  /** Moves on to the next timer and fires it. false: there is none. */
  runNext(): boolean {
    const at = this.nextAt;
    const timer = at === null ? undefined : this.#pop();
    if (timer === undefined) return false;
    this.#now = timer.at;
    const { fire } = timer;
    timer.fire = null;
    this.#live -= 1;
    fire?.();
    return true;
  }

  /** Moves on by `span`, firing in order what falls into it, also what is set meanwhile. */
  advance(span: Milliseconds): void {
    const end = this.#now + span;
    for (let at = this.nextAt; at !== null && at <= end; at = this.nextAt) this.runNext();
    this.#now = end;
  }

  /** The wall clock is set to another time; the monotonic one does not notice. */
  stepWall(by: Milliseconds): void {
    this.#wallOffset += by;
  }

  #push(timer: Timer): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(timer);
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = heap[above] as Timer;
      if (!isBefore(timer, parent)) break;
      heap[index] = parent;
      index = above;
    }
    heap[index] = timer;
  }

  #pop(): Timer | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    let index = 0;
    for (let child = 1; child < heap.length; child = index * 2 + 1) {
      const right = heap[child + 1];
      if (right !== undefined && isBefore(right, heap[child] as Timer)) child += 1;
      const candidate = heap[child] as Timer;
      if (!isBefore(candidate, last)) break;
      heap[index] = candidate;
      index = child;
    }
    heap[index] = last;
    return first;
  }
}

/** The same clock, but its timers fire up to `lateness` too late, as on a busy machine. */
export function lateClock(clock: Clock, chance: Chance, lateness: Milliseconds): Clock {
  return {
    now: () => clock.now(),
    wallNow: () => clock.wallNow(),
    random: () => clock.random(),
    after: (delay, fire) => clock.after(chance.happens(0.5) ? delay : delay + chance.next() * lateness, fire),
  };
}
