import type { Bytes, Clock, Milliseconds, MonotonicTime } from '@hsu-master/core';

/** So much is passed on before it is looked again whether there is room: of short lines a record weighs many times its text. */
const SLICE: Bytes = 4 * 1024;
const LOOK: Milliseconds = 10;
/** Nobody waits longer for a queue that gets on with nothing; what comes then is dropped and counted by it, until it gets on again. */
const PATIENCE: Milliseconds = 5000;
/** More is not held for whoever does not wait to be told that it was taken. */
const MOST_HELD: Bytes = 16 * 1024 * 1024;

/** Stands for something to do. */
const ONE = new Uint8Array(1);

/** A queue, as far as room in it is concerned. */
export interface Pressed {
  /** Whether it has no room for more at the moment. */
  readonly isPressed: boolean;
  /** Grows as it gets rid of what it has, other than by dropping it. */
  progress(): number;
}

interface Held {
  readonly bytes: Uint8Array;
  readonly weight: Bytes;
  from: number;
  pass(bytes: Uint8Array): void;
  readonly done: () => void;
}

/** Holds back what comes while queues have no room, in its order, so that a burst that they can take in a moment is not lost. */
export class Intake {
  readonly #clock: Clock;
  readonly #queues: readonly Pressed[];
  /** Those without room: how far they were, and since when. */
  readonly #stuck = new Map<Pressed, { readonly progress: number; readonly since: MonotonicTime }>();
  readonly #held: Held[] = [];
  #bytes: Bytes = 0;
  #cancel: (() => void) | null = null;

  constructor(clock: Clock, queues: readonly Pressed[]) {
    this.#clock = clock;
    this.#queues = queues;
  }

  /** Passes bytes on, at once or later; a promise: when that is done. */
  push(bytes: Uint8Array, pass: (bytes: Uint8Array) => void): Promise<void> | undefined {
    let from = 0;
    if (this.#held.length === 0) from = this.#pass(bytes, 0, pass);
    if (from >= bytes.length) return undefined;
    const rest = Uint8Array.prototype.slice.call(bytes, from);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#held.push({ bytes: rest, weight: rest.length, from: 0, pass, done: resolve });
    this.#bytes += rest.length;
    if (this.#bytes > MOST_HELD) this.flush();
    else this.#cancel ??= this.#clock.after(LOOK, () => this.#look());
    return promise;
  }

  /** Does something behind all that came before. */
  after(act: () => void): void {
    if (this.#held.length === 0) act();
    else this.#held.push({ bytes: ONE, weight: 0, from: 0, pass: act, done: () => undefined });
  }

  /** Passes on what is held, whether there is room or not. */
  flush(): void {
    this.#cancel?.();
    this.#cancel = null;
    for (const { bytes, from, pass, done } of this.#held.splice(0)) {
      pass(bytes.subarray(from));
      done();
    }
    this.#bytes = 0;
  }

  #look(): void {
    this.#cancel = null;
    for (let first = this.#held[0]; first !== undefined; first = this.#held[0]) {
      const from = first.from;
      first.from = this.#pass(first.bytes, from, first.pass);
      if (first.from < first.bytes.length) {
        this.#cancel = this.#clock.after(LOOK, () => this.#look());
        return;
      }
      this.#bytes -= first.weight;
      this.#held.shift();
      first.done();
    }
  }

  /** As much as there is room for; returns where the rest begins. */
  #pass(bytes: Uint8Array, start: number, pass: (bytes: Uint8Array) => void): number {
    let from = start;
    while (from < bytes.length && !this.#mustWait()) {
      const to = Math.min(bytes.length, from + SLICE);
      pass(bytes.subarray(from, to));
      from = to;
    }
    return from;
  }

  /** While there is no room, but who has none gets on. */
  #mustWait(): boolean {
    let isPressed = false;
    let isStuck = false;
    for (const queue of this.#queues) {
      if (!queue.isPressed) {
        this.#stuck.delete(queue);
        continue;
      }
      isPressed = true;
      const now = this.#clock.now();
      const progress = queue.progress();
      const last = this.#stuck.get(queue);
      if (last?.progress !== progress) this.#stuck.set(queue, { progress, since: now });
      else isStuck ||= now - last.since >= PATIENCE;
    }
    return isPressed && !isStuck;
  }
}
