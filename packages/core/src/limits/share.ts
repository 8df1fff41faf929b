import type { LimitName } from './names.ts';
import type { LimitReport, LimitsSpec } from './spec.ts';

/** In percent of one core, where nothing else is written or follows from the limit. */
export const THROTTLE_PERCENT = 20;

/**
 * What `throttle` leaves a tree for the excess of `limit`, in percent of one core: what is written; else the limit itself if it is one
 * of CPU and the kernel does not hold it here, as `reports` say; else 20.
 */
export function throttleShare(
  { throttlePercent, values }: LimitsSpec,
  limit: LimitName,
  reports: readonly LimitReport[],
): number {
  if (throttlePercent !== null) return throttlePercent;
  if (reports.some((one) => one.limit === limit && one.status === 'enforced' && one.quota === undefined))
    return THROTTLE_PERCENT;
  if (limit === 'cpu.max_percent') return values[limit] ?? THROTTLE_PERCENT;
  const cores = limit === 'cpu.max_cores' ? values[limit] : undefined;
  return cores === undefined ? THROTTLE_PERCENT : cores * 100;
}
