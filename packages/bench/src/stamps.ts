import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { until } from './wait.ts';

/** That a worker's program reached its `main`; `at` in ns of CLOCK_MONOTONIC, the clock of `process.hrtime`. */
export interface Stamp {
  readonly at: bigint;
  readonly pid: number;
  readonly worker: number;
}

const RECORD = 16;

/** The file that workers append to when they begin (floor/stamp.c). */
export class Stamps {
  readonly path: string;
  readonly #file: number;
  readonly #read: Stamp[] = [];

  constructor(path: string) {
    this.path = path;
    this.#file = openSync(path, 'a+', 0o600);
  }

  /** All stamps so far, in the order in which they were written. */
  all(): readonly Stamp[] {
    const from = this.#read.length * RECORD;
    const whole = Math.floor((fstatSync(this.#file).size - from) / RECORD);
    if (whole === 0) return this.#read;
    const bytes = Buffer.alloc(whole * RECORD);
    readSync(this.#file, bytes, 0, bytes.length, from);
    for (let at = 0; at < bytes.length; at += RECORD) {
      this.#read.push({
        at: bytes.readBigUInt64LE(at),
        pid: bytes.readUInt32LE(at + 8),
        worker: bytes.readUInt32LE(at + 12),
      });
    }
    return this.#read;
  }

  /** The first stamp of each worker, once `count` different workers have one. */
  async ofWorkers(count: number, limit: number, signal: AbortSignal): Promise<readonly Stamp[]> {
    if (count === 0) return [];
    return until(`first stamps of ${count} workers`, limit, 10, signal, () => {
      const all = this.all();
      if (all.length < count) return undefined;
      const first = new Map<number, Stamp>();
      for (const stamp of all) if (!first.has(stamp.worker)) first.set(stamp.worker, stamp);
      return first.size >= count ? [...first.values()] : undefined;
    });
  }

  close(): void {
    closeSync(this.#file);
  }
}
