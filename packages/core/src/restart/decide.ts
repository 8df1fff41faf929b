import type { Milliseconds, MonotonicTime } from '../units.ts';
import { backoffDelay } from './backoff.ts';
import { coolDown, type FailureHistory, noFailures, restartsInWindow, tripped } from './breaker.ts';
import { type RestartCause, type RestartPolicy, ruleFor, rulesOf } from './policy.ts';

/** What ended, as far as the restart policy is concerned. */
export interface RestartQuestion {
  readonly cause: RestartCause;
  /** Whether the exit counts as success; false for causes other than `exit`. */
  readonly success: boolean;
  /** Whether trying again can help at all: false for a program that does not exist. */
  readonly lasting: boolean;
  /** How long the run lived; 0 if it never did. */
  readonly uptime: Milliseconds;
}

export type RestartDecision =
  /** The run was meant to end here. */
  | { readonly kind: 'complete' }
  /** The policy wants no further try. */
  | { readonly kind: 'rest'; readonly reason: string }
  | { readonly kind: 'retry'; readonly delay: Milliseconds; readonly history: FailureHistory }
  /** Too many: pause until the trial run. */
  | { readonly kind: 'pause'; readonly delay: Milliseconds; readonly history: FailureHistory }
  /** Too many, and the policy says that this is final. */
  | { readonly kind: 'give-up'; readonly history: FailureHistory };

/** The one decision about restarting, for crash, probe, limit and failed start. `random` is uniform in [0, 1). */
export function decideRestart(
  history: FailureHistory,
  policy: RestartPolicy,
  question: RestartQuestion,
  now: MonotonicTime,
  random: number,
): RestartDecision {
  const always = policy.mode === 'always' || policy.mode === 'unless-stopped';
  if (question.success && !always) return { kind: 'complete' };
  if (policy.mode === 'never') return { kind: 'rest', reason: 'restart_policy is never' };
  if (question.lasting && !policy.retryFailedStart) {
    return { kind: 'rest', reason: 'trying again cannot help' };
  }
  const rule = ruleFor(policy, question.cause);
  const known = question.uptime >= rule.resetAfter ? noFailures : history;
  const streak = known.streak + 1;
  const counted = restartsInWindow(known, rule, now);
  const trialFailed = known.breaker.state === 'half-open';
  if (trialFailed || (rule.maxRetries > 0 && counted.length >= rule.maxRetries)) {
    const breaker = tripped(known, rule, now);
    const opened: FailureHistory = { streak, restarts: known.restarts, breaker };
    if (rule.giveUp) return { kind: 'give-up', history: opened };
    return { kind: 'pause', delay: coolDown(rule, breaker.trips), history: opened };
  }
  const delay = backoffDelay(streak, rule, random);
  // As many as the most generous of the rules counts: a restart by one counts for the others as well.
  const remembered = Math.max(...rulesOf(policy).map((each) => each.maxRetries));
  const restarts = remembered > 0 ? [...known.restarts, now + delay].slice(-remembered) : [];
  return { kind: 'retry', delay, history: { streak, restarts, breaker: known.breaker } };
}
