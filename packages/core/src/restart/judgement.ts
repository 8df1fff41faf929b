import type { Failure } from '../errors.ts';
import type { MonotonicTime, WallTime } from '../units.ts';
import type { WorkerMemo } from '../worker/memo.ts';
import type { WorkerSpec } from '../worker/spec.ts';
import type { Worker } from '../worker/state.ts';
import { coolDown, type FailureHistory } from './breaker.ts';
import { rulesOf } from './policy.ts';

/** What of a worker’s failures outlives a reboot: only what holds it back until a time or a command. */
export type Judgement =
  | { readonly kind: 'open'; readonly until: WallTime; readonly trips: number; readonly streak: number }
  | { readonly kind: 'half-open'; readonly trips: number; readonly streak: number }
  /** Its policy has given it up, or ended it for good at a limit. */
  | { readonly kind: 'failed'; readonly failure: Failure };

/** What is held against a worker; null: nothing. Other failures are tried anew by each boot. */
export function judgementOf(
  { phase, history: { breaker, streak } }: Worker,
  now: MonotonicTime,
  wallNow: WallTime,
): Judgement | null {
  if (phase.name === 'failed') {
    const { failure } = phase;
    if (failure.code === 'E_GAVE_UP' || failure.code === 'E_LIMIT') return { kind: 'failed', failure };
  }
  if (breaker.state === 'closed') return null;
  const { state: kind, trips } = breaker;
  return kind === 'half-open'
    ? { kind, trips, streak }
    : { kind, until: Math.round(wallNow + (breaker.until - now)), trips, streak };
}

/** The memory of a worker of which only that is left. A wall clock that was set back prolongs no cool-down. */
export function memoOfJudgement(
  judgement: Judgement,
  spec: WorkerSpec,
  now: MonotonicTime,
  wallNow: WallTime,
): WorkerMemo {
  const of = (phase: WorkerMemo['phase'], history: Omit<FailureHistory, 'restarts'>): WorkerMemo => ({
    desired: 'up',
    enabled: spec.enabled,
    run: 0,
    restarts: 0,
    history: { restarts: [], ...history },
    lastEnd: null,
    limitFactors: {},
    phase,
    trace: null,
  });
  if (judgement.kind === 'failed') {
    const { kind: name, failure } = judgement;
    return of({ name, failure }, { streak: 0, breaker: { state: 'closed' } });
  }
  const { kind: state, trips, streak } = judgement;
  if (state === 'half-open') return of({ name: 'blocked' }, { streak, breaker: { state, trips } });
  const longest = Math.max(...rulesOf(spec.restart).map((rule) => coolDown(rule, trips)));
  const until = now + Math.min(longest, Math.max(0, judgement.until - wallNow));
  const reason = 'it failed too often before the machine was started';
  return of({ name: 'backoff', until, reason }, { streak, breaker: { state, until, trips } });
}
