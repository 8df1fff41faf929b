import type { Clock, Milliseconds } from '@hsu-master/core';

/** How long spawns may hold the event loop before probes, exits and logs get their turn. */
const SLICE: Milliseconds = 8;

/** Does pieces of work in order, in slices between which the event loop breathes. While there is no press, at once. */
export class SpawnQueue {
  readonly #clock: Clock;
  readonly #waiting: (() => void)[] = [];
  #sliceEnds = 0;
  /** A slice was begun and the event loop has not turned since. */
  #inSlice = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(work: () => void): void {
    if (!this.#inSlice) this.#beginSlice();
    if (this.#waiting.length === 0 && this.#clock.now() < this.#sliceEnds) work();
    else this.#waiting.push(work);
  }

  /** What waits is not done any more. */
  clear(): void {
    this.#waiting.length = 0;
  }

  #beginSlice(): void {
    this.#inSlice = true;
    this.#sliceEnds = this.#clock.now() + SLICE;
    this.#clock.after(0, () => this.#turned());
  }

  #turned(): void {
    this.#inSlice = false;
    if (this.#waiting.length === 0) return;
    this.#beginSlice();
    do {
      (this.#waiting.shift() as () => void)();
    } while (this.#waiting.length > 0 && this.#clock.now() < this.#sliceEnds);
  }
}
