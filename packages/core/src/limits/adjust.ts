import { LIMITS, type LimitName } from './names.ts';
import type { LimitResponse, LimitsSpec, LimitValues } from './spec.ts';

/** By how much each limit has been raised above what was written; what is not named is as written. */
export type LimitFactors = LimitValues;

/** The factor after one more raise. */
export function raised(factor: number, { adjust }: LimitResponse): number {
  return Math.max(factor, Math.min(factor * adjust.factor, adjust.cap));
}

/** The limits as they hold now; what counts in whole numbers stays whole. */
export function effectiveLimits(limits: LimitsSpec | null, factors: LimitFactors): LimitsSpec | null {
  const names = Object.keys(factors) as LimitName[];
  if (limits === null || names.length === 0) return limits;
  const values: Partial<Record<LimitName, number>> = { ...limits.values };
  for (const name of names) {
    const written = limits.values[name];
    if (written !== undefined) values[name] = scaled(name, written, factors[name] as number);
  }
  return { ...limits, values };
}

/** One limit as it holds when it is raised by `factor`. */
export function scaled(limit: LimitName, written: number, factor: number): number {
  const { unit } = LIMITS[limit];
  return unit === 'cores' || unit === 'percent-of-core' ? written * factor : Math.round(written * factor);
}
