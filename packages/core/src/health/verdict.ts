/** How a probe’s answers in a row become a verdict. */
export interface VerdictState {
  /** null: not enough answers yet. */
  readonly healthy: boolean | null;
  readonly successes: number;
  readonly failures: number;
}

export interface Thresholds {
  readonly failureThreshold: number;
  readonly successThreshold: number;
}

export const noVerdict: VerdictState = { healthy: null, successes: 0, failures: 0 };

/**
 * Takes one more answer into account. `changed` is true when the verdict became another one, the first included.
 * Counters stop at their thresholds.
 */
export function judge(
  state: VerdictState,
  passed: boolean,
  thresholds: Thresholds,
): { readonly state: VerdictState; readonly changed: boolean } {
  const successes = passed ? Math.min(state.successes + 1, thresholds.successThreshold) : 0;
  const failures = passed ? 0 : Math.min(state.failures + 1, thresholds.failureThreshold);
  let healthy = state.healthy;
  if (successes >= thresholds.successThreshold) healthy = true;
  else if (failures >= thresholds.failureThreshold) healthy = false;
  return { state: { healthy, successes, failures }, changed: healthy !== state.healthy };
}
