import type { MonotonicTime } from '@hsu-master/core';

const FIRST_CAPACITY = 16;

/** Rows of numbers by time, the newest `capacity` of them, in typed arrays that grow with need. null is a number that is not known. */
export class Series {
  readonly #capacity: number;
  #times = new Float64Array(0);
  /** A column that never held a number takes no memory. */
  readonly #columns: (Float32Array<ArrayBuffer> | null)[];
  #start = 0;
  #length = 0;

  constructor(capacity: number, columns: number) {
    this.#capacity = capacity;
    this.#columns = Array.from({ length: columns }, () => null);
  }

  get length(): number {
    return this.#length;
  }

  /** Memory of its arrays. */
  get bytes(): number {
    return this.#columns.reduce((sum, column) => sum + (column?.byteLength ?? 0), this.#times.byteLength);
  }

  push(at: MonotonicTime, row: readonly (number | null)[]): void {
    if (this.#length === this.#times.length && this.#length < this.#capacity) this.#grow();
    const size = this.#times.length;
    if (this.#length < size) this.#length += 1;
    else this.#start = (this.#start + 1) % size;
    const index = (this.#start + this.#length - 1) % size;
    this.#times[index] = at;
    for (let column = 0; column < this.#columns.length; column += 1) this.#set(column, index, row[column]);
  }

  dropBefore(at: MonotonicTime): void {
    while (this.#length > 0 && (this.#times[this.#start] as number) < at) {
      this.#start = (this.#start + 1) % this.#times.length;
      this.#length -= 1;
    }
  }

  /** When the oldest row was; infinity: there is none. */
  get oldest(): MonotonicTime {
    return this.#length === 0 ? Number.POSITIVE_INFINITY : (this.#times[this.#start] as number);
  }

  /** The rows of `since` and later, the oldest first. */
  *rows(since: MonotonicTime): Generator<{ readonly at: MonotonicTime; readonly row: (number | null)[] }> {
    for (let offset = 0; offset < this.#length; offset += 1) {
      const index = (this.#start + offset) % this.#times.length;
      const at = this.#times[index] as number;
      if (at >= since) yield { at, row: this.#columns.map((column) => valueAt(column, index)) };
    }
  }

  #set(column: number, index: number, value: number | null | undefined): void {
    const known = value ?? Number.NaN;
    let values = this.#columns[column] ?? null;
    if (values === null) {
      if (Number.isNaN(known)) return;
      values = new Float32Array(this.#times.length).fill(Number.NaN);
      this.#columns[column] = values;
    }
    values[index] = known;
  }

  #grow(): void {
    const size = Math.min(this.#capacity, Math.max(FIRST_CAPACITY, 2 * this.#times.length));
    const from = this.#start;
    const turned = <T extends Float64Array<ArrayBuffer> | Float32Array<ArrayBuffer>>(old: T, fresh: T): T => {
      fresh.set(old.subarray(from));
      fresh.set(old.subarray(0, from), old.length - from);
      return fresh;
    };
    this.#times = turned(this.#times, new Float64Array(size));
    this.#columns.forEach((column, index) => {
      if (column !== null) this.#columns[index] = turned(column, new Float32Array(size).fill(Number.NaN));
    });
    this.#start = 0;
  }
}

function valueAt(column: Float32Array | null, index: number): number | null {
  const value = column?.[index] ?? Number.NaN;
  return Number.isNaN(value) ? null : value;
}
