import type { Bytes } from '@hsu-master/core';

/** Remembers the last bytes of one stream, in one buffer that grows up to its bound. */
export class Tail {
  readonly #limit: Bytes;
  #buffer: Uint8Array;
  #length = 0;

  constructor(limit: Bytes) {
    this.#limit = limit;
    this.#buffer = new Uint8Array(Math.min(256, limit));
  }

  /** Copies what it keeps. */
  add(bytes: Uint8Array): void {
    const added = bytes.length > this.#limit ? bytes.subarray(bytes.length - this.#limit) : bytes;
    const wanted = this.#length + added.length;
    if (wanted > this.#buffer.length && this.#buffer.length < this.#limit) {
      const grown = new Uint8Array(Math.min(this.#limit, Math.max(wanted, this.#buffer.length * 2)));
      grown.set(this.#buffer.subarray(0, this.#length));
      this.#buffer = grown;
    }
    const excess = Math.max(0, wanted - this.#buffer.length);
    if (excess > 0) this.#buffer.copyWithin(0, excess, this.#length);
    this.#length = Math.max(0, this.#length - excess);
    this.#buffer.set(added, this.#length);
    this.#length += added.length;
  }

  lines(count: number): readonly string[] {
    return lastLinesOf(this.#buffer.subarray(0, this.#length), count);
  }
}

/** The last `count` lines without their ends, oldest first; an unfinished one counts. Bytes that are no UTF-8 are replaced. */
export function lastLinesOf(bytes: Uint8Array, count: number): readonly string[] {
  const text = new TextDecoder().decode(bytes);
  const lines = text.replace(/\r?\n$/, '').split(/\r?\n/);
  return text === '' || count <= 0 ? [] : lines.slice(-count);
}
