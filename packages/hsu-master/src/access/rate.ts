import type { MonotonicTime } from '@hsu-master/core';

const MOST = 4096;

/** Counts requests: so many a second for each who asks, and twice as many at once. */
export class Rate {
  readonly #perSecond: number;
  readonly #most: number;
  readonly #left = new Map<string, { count: number; at: MonotonicTime }>();

  /** `perSecond` 0: as many as come. `most`: at once. */
  constructor(perSecond: number, most = 2 * perSecond) {
    this.#perSecond = perSecond;
    this.#most = most;
  }

  /** Whether one more may come now. */
  takes(key: string, now: MonotonicTime): boolean {
    if (this.#perSecond === 0) return true;
    const most = this.#most;
    let bucket = this.#left.get(key);
    if (bucket === undefined) {
      bucket = { count: most, at: now };
      this.#left.set(key, bucket);
      const [oldest] = this.#left.keys();
      if (this.#left.size > MOST && oldest !== undefined) this.#left.delete(oldest);
    }
    bucket.count = Math.min(most, bucket.count + ((now - bucket.at) / 1000) * this.#perSecond);
    bucket.at = now;
    if (bucket.count < 1) return false;
    bucket.count -= 1;
    return true;
  }
}
