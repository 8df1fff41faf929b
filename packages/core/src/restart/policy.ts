import type { Milliseconds } from '../units.ts';

/** What made a run end, or kept it from starting. */
export type RestartCause = 'exit' | 'spawn' | 'health' | 'resource';

/** How often, how soon, and when to stop trying. */
export interface RestartRule {
  /** Restarts allowed within `window` before the breaker opens; 0 means no bound. */
  readonly maxRetries: number;
  readonly window: Milliseconds;
  /** Delay before the first restart; 0 is allowed. */
  readonly delay: Milliseconds;
  /** Each further failure in a row multiplies the delay by this, at least 1. */
  readonly factor: number;
  readonly maxDelay: Milliseconds;
  /** Share of the delay that is random, 0 to 1: the delay is drawn from [delay·(1−jitter), delay]. */
  readonly jitter: number;
  /** A run that lived this long forgives all earlier failures. */
  readonly resetAfter: Milliseconds;
  /** How long the breaker stays open before one trial run. Doubles with each failed trial, up to `maxCoolDown`. */
  readonly coolDown: Milliseconds;
  readonly maxCoolDown: Milliseconds;
  /** true: an open breaker is final, until a command resets it. */
  readonly giveUp: boolean;
}

/**
 * never: no automatic restart · on-failure: after an exit that is no success, a failed probe · always and unless-stopped:
 * after every exit. A command to stop is always obeyed.
 */
export type RestartMode = 'never' | 'on-failure' | 'always' | 'unless-stopped';

export interface RestartPolicy {
  readonly mode: RestartMode;
  /** Exit codes that count as success; 0 is one only if listed. */
  readonly successCodes: readonly number[];
  /** Whether a program that could not be started for a lasting reason (no such file) is tried again. */
  readonly retryFailedStart: boolean;
  /** Rule for exits and failed starts. */
  readonly exit: RestartRule;
  /** Rule for restarts that a probe asks for. */
  readonly health: RestartRule;
  /** Rule for restarts that answer an exceeded limit. */
  readonly resource: RestartRule;
  /** From the start of a process: no probe restarts it within this time. */
  readonly startupGrace: Milliseconds;
}

export function ruleFor(policy: RestartPolicy, cause: RestartCause): RestartRule {
  if (cause === 'health') return policy.health;
  return cause === 'resource' ? policy.resource : policy.exit;
}

/** The rules that count restarts; a restart by one counts for all. */
export function rulesOf({ exit, health, resource }: RestartPolicy): readonly RestartRule[] {
  return [exit, health, resource];
}
