import type { Bytes, Clock, Milliseconds, MonotonicTime } from '@hsu-master/core';

/** So much is passed on before it is looked again whether there is room: of short lines a record weighs many times its text. */
const SLICE: Bytes = 4 * 1024;
const LOOK: Milliseconds = 10;
/** Nobody waits longer for room; what comes then is dropped and counted by the queues, until there is room again. */
const PATIENCE: Milliseconds = 1000;
/** More is not held for whoever does not wait to be told that it was taken. */
const MOST_HELD: Bytes = 16 * 1024 * 1024;

/** Stands for something to do. */
const ONE = new Uint8Array(1);

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
  readonly #isPressed: () => boolean;
  readonly #held: Held[] = [];
  #bytes: Bytes = 0;
  #pressedSince: MonotonicTime | null = null;
  #cancel: (() => void) | null = null;

  constructor(clock: Clock, isPressed: () => boolean) {
    this.#clock = clock;
    this.#isPressed = isPressed;
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

  #mustWait(): boolean {
    if (!this.#isPressed()) {
      this.#pressedSince = null;
      return false;
    }
    const now = this.#clock.now();
    this.#pressedSince ??= now;
    return now - this.#pressedSince < PATIENCE;
  }
}
