import type { Milliseconds, MonotonicTime } from '../units.ts';
import { isSilent } from './response.ts';
import type { EscalationStep, LimitPolicy, LimitResponse } from './spec.ts';

/** An excess has ended when the measured value is at most this share of the limit. */
const ENDED_BELOW = 0.9;
/** For limits below this there is no room between the limit and the end of its excess: ten processes less one are nine. */
const TOO_SMALL_FOR_A_GAP = 10;
/**
 * What is held back and uses all that is left to it tells nothing of what it would use: its excess lasts. Where no further step comes
 * it is let go and looked at after three times what it took to hold it back, at least this long; each time that the excess returns
 * it is held twice as long.
 */
const LEAST_HOLD: Milliseconds = 10_000;
/** Doubling ends here, and what returns only after so long is held as briefly as at first. */
const MOST_HOLD: Milliseconds = 600_000;

/** What is known of one limit of one run between two looks. */
export interface ExcessState {
  /** Since when the value has been near the limit; null: it is not. */
  readonly nearSince: MonotonicTime | null;
  /** The warning was given, and the value has not been low enough since. */
  readonly warned: boolean;
  /** Since when the limit has been exceeded or the tree held back at it; null: it is not. */
  readonly since: MonotonicTime | null;
  /** The excess outlasted the tolerance: it was published. */
  readonly exceeded: boolean;
  /** Steps taken so far, and when the last of them was; null: none. */
  readonly steps: number;
  readonly stepAt: MonotonicTime | null;
  /** How often it was held back and let go again although it might exceed the limit still, and when it last was let go. */
  readonly holds: number;
  readonly letGoAt: MonotonicTime | null;
}

export const noExcess: ExcessState = {
  nearSince: null,
  warned: false,
  since: null,
  exceeded: false,
  steps: 0,
  stepAt: null,
  holds: 0,
  letGoAt: null,
};

/** One look at one limit. */
export interface Look {
  /** In the limit’s unit, as `measure` says; null: not known at this moment. */
  readonly value: number | null;
  /** The limit itself, in the same unit. */
  readonly limit: number;
  /** The kernel has held the tree back at the limit since the look before. */
  readonly hit: boolean;
  /** The tree uses all that `throttle` leaves it, if it is held back now: of rates, which that lowers. Absent: no. */
  readonly pressing?: boolean;
  readonly now: MonotonicTime;
}

export type LimitVerdict =
  /** Once, until the value falls below nine tenths of the warning threshold. */
  | { readonly kind: 'warned' }
  /** Once per excess, when it has outlasted the tolerance. */
  | { readonly kind: 'exceeded' }
  /** The excess is to be answered; `index` counts from 0. At most one per look, each at most once per excess. */
  | { readonly kind: 'step'; readonly policy: LimitPolicy; readonly index: number }
  /** Once, when an excess that was published has ended. */
  | { readonly kind: 'cleared' };

/**
 * Takes one more look into account: what is to be said and done about it. Looks may come at any times, as long as these do not
 * go back; a late look makes a step late, never two at once. Where nothing is known (`value` null, no `hit`) nothing changes.
 */
export function judgeUsage(
  state: ExcessState,
  response: LimitResponse,
  look: Look,
): { readonly state: ExcessState; readonly verdicts: readonly LimitVerdict[] } {
  if (isSilent(response) || (look.value === null && !look.hit)) return { state, verdicts: [] };
  const verdicts: LimitVerdict[] = [];
  const warned = warn(state, response, look, verdicts);
  if (isExcess(state, look)) return { state: exceed(warned, response, look.now, verdicts), verdicts };
  const hold = look.pressing === true ? holdOf(warned, response) : null;
  if (hold !== null && look.now < hold)
    return { state: exceed(warned, response, look.now, verdicts), verdicts };
  const cleared = clear(warned, response, look.now, verdicts);
  if (hold === null) return { state: cleared, verdicts };
  return { state: { ...cleared, holds: warned.holds + 1, letGoAt: look.now }, verdicts };
}

/**
 * With what the judging of the next run begins when a step has ended this one: the chain goes on with the step after it (the last
 * one is repeated), if the excess returns before that step’s wait is over twice; else it begins anew.
 */
export function followOn(state: ExcessState, response: LimitResponse): ExcessState {
  const steps = Math.max(0, Math.min(state.steps, response.steps.length - 1));
  return steps === 0 ? noExcess : { ...noExcess, steps, stepAt: state.stepAt };
}

/** Until when it is held back without knowing whether it would exceed the limit; null: it is not held back. */
function holdOf(
  { since, steps, stepAt, holds }: ExcessState,
  { steps: all }: LimitResponse,
): MonotonicTime | null {
  if (since === null || stepAt === null || all[steps - 1]?.policy !== 'throttle') return null;
  if (steps < all.length) return Number.POSITIVE_INFINITY;
  const first = Math.max(LEAST_HOLD, 3 * (stepAt - since));
  return stepAt + Math.max(first, Math.min(MOST_HOLD, first * 2 ** holds));
}

/** Once begun, an excess lasts until the value is clearly below the limit. */
function isExcess(state: ExcessState, { value, limit, hit }: Look): boolean {
  if (hit || value === null) return hit;
  if (state.since === null) return value > limit;
  return value > (limit < TOO_SMALL_FOR_A_GAP ? limit : limit * ENDED_BELOW);
}

function warn(
  state: ExcessState,
  { warning, spikeTolerance }: LimitResponse,
  { value, limit, now }: Look,
  verdicts: LimitVerdict[],
): ExcessState {
  if (warning === null || value === null) return state;
  const threshold = limit * warning;
  const isNear = value > 0 && value >= threshold;
  if (!isNear) {
    return { ...state, nearSince: null, warned: state.warned && value >= threshold * ENDED_BELOW };
  }
  const nearSince = state.nearSince ?? now;
  const warned = state.warned || now - nearSince >= spikeTolerance;
  if (warned && !state.warned) verdicts.push({ kind: 'warned' });
  return { ...state, nearSince, warned };
}

function exceed(
  state: ExcessState,
  response: LimitResponse,
  now: MonotonicTime,
  verdicts: LimitVerdict[],
): ExcessState {
  const { steps, stepAt } = state.since === null ? remembered(state, response, now) : state;
  const since = state.since ?? now;
  const isAgain = state.letGoAt !== null && now - state.letGoAt <= MOST_HOLD;
  const held = state.since !== null || isAgain ? {} : { holds: 0, letGoAt: null };
  const lasted = now - since;
  if (!state.exceeded && lasted < response.spikeTolerance) return { ...state, ...held, since, steps, stepAt };
  if (!state.exceeded) verdicts.push({ kind: 'exceeded' });
  const next = response.steps[steps];
  const waited = lasted - response.sustained;
  const isDue = next !== undefined && waited >= 0 && (stepAt === null ? waited : now - stepAt) >= next.after;
  if (!isDue) return { ...state, ...held, since, exceeded: true, steps, stepAt };
  verdicts.push({ kind: 'step', policy: next.policy, index: steps });
  return { ...state, ...held, since, exceeded: true, steps: steps + 1, stepAt: now };
}

function clear(
  state: ExcessState,
  response: LimitResponse,
  now: MonotonicTime,
  verdicts: LimitVerdict[],
): ExcessState {
  if (state.exceeded) verdicts.push({ kind: 'cleared' });
  if (state.since !== null && state.exceeded)
    return { ...state, since: null, exceeded: false, steps: 0, stepAt: null };
  return { ...state, since: null, ...remembered(state, response, now) };
}

/** What the run before left to go on with, while that is not too long ago. */
function remembered(
  { steps, stepAt }: ExcessState,
  response: LimitResponse,
  now: MonotonicTime,
): Pick<ExcessState, 'steps' | 'stepAt'> {
  const next: EscalationStep | undefined = response.steps[steps];
  if (stepAt === null || next === undefined) return { steps: 0, stepAt: null };
  const kept: Milliseconds = response.sustained + 2 * next.after;
  return now - stepAt <= kept ? { steps, stepAt } : { steps: 0, stepAt: null };
}
