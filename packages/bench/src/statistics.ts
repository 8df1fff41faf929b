/** What is told of a set of measured values; the unit is that of the values. */
export interface Summary {
  readonly count: number;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** Nearest-rank 99th percentile: with fewer than 100 values, the largest. */
  readonly p99: number;
}

/** Nearest rank: the smallest value that at least `percent` % of the values do not exceed. Undefined without values. */
export function percentile(values: readonly number[], percent: number): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const rank = Math.ceil((percent / 100) * sorted.length);
  return sorted[Math.min(Math.max(rank, 1), sorted.length) - 1];
}

/** The middle value, or the mean of the two middle ones. Undefined without values. */
export function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.ceil(sorted.length / 2) - 1];
  return upper === undefined || lower === undefined ? undefined : (lower + upper) / 2;
}

/** Undefined without values. */
export function summarise(values: readonly number[]): Summary | undefined {
  const middle = median(values);
  const min = percentile(values, 0);
  const max = percentile(values, 100);
  const p99 = percentile(values, 99);
  if (middle === undefined || min === undefined || max === undefined || p99 === undefined) return undefined;
  return { count: values.length, median: middle, min, max, p99 };
}

/** How many times `base`; undefined where that says nothing (no base, or a base of zero). */
export function ratio(value: number | undefined, base: number | undefined): number | undefined {
  return value === undefined || base === undefined || base === 0 ? undefined : value / base;
}
