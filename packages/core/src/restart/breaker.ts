import type { Milliseconds, MonotonicTime } from '../units.ts';
import type { RestartRule } from './policy.ts';

/**
 * closed: restarts are made. open: none until `until`. half-open: one trial run is under way (or about to be).
 * `trips` counts the openings since the last recovery.
 */
export type Breaker =
  | { readonly state: 'closed' }
  | { readonly state: 'open'; readonly until: MonotonicTime; readonly trips: number }
  | { readonly state: 'half-open'; readonly trips: number };

/** What a worker remembers of its failures. */
export interface FailureHistory {
  /** Failures in a row, since the last recovery. */
  readonly streak: number;
  /** When the last automatic restarts were decided, oldest first; at most as many as the longest of the rules needs. */
  readonly restarts: readonly MonotonicTime[];
  readonly breaker: Breaker;
}

export const noFailures: FailureHistory = { streak: 0, restarts: [], breaker: { state: 'closed' } };

/** How long the breaker stays open the `trips`-th time, in whole milliseconds. */
export function coolDown(rule: RestartRule, trips: number): Milliseconds {
  const growth = Math.min(2 ** Math.max(0, trips - 1), Number.MAX_VALUE);
  return Math.round(Math.min(rule.coolDown * growth, Math.max(rule.maxCoolDown, rule.coolDown)));
}

/** The restarts that still count at `now`. */
export function restartsInWindow(
  history: FailureHistory,
  rule: RestartRule,
  now: MonotonicTime,
): readonly MonotonicTime[] {
  return history.restarts.filter((at) => now - at < rule.window);
}

/** Opens the breaker at `now`, for longer each time. */
export function tripped(
  history: FailureHistory,
  rule: RestartRule,
  now: MonotonicTime,
): Breaker & { state: 'open' } {
  const trips = history.breaker.state === 'closed' ? 1 : history.breaker.trips + 1;
  return { state: 'open', until: now + coolDown(rule, trips), trips };
}
