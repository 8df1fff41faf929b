import type { Milliseconds } from '../units.ts';
import type { RestartRule } from './policy.ts';

/**
 * The delay before the next try after `failures` failures in a row (at least 1): delay · factor^(failures−1), at most
 * `maxDelay`, less a random share of up to `jitter`, in whole milliseconds. `random` is uniform in [0, 1).
 */
export function backoffDelay(failures: number, rule: RestartRule, random: number): Milliseconds {
  // Bounded, since a power past all numbers times a delay of 0 is no number.
  const growth = Math.min(rule.factor ** Math.max(0, failures - 1), Number.MAX_VALUE);
  const grown = rule.delay * growth;
  const capped = Math.min(grown, Math.max(rule.maxDelay, rule.delay));
  return Math.round(capped * (1 - rule.jitter * random));
}
