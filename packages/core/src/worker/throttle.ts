import { effectiveLimits } from '../limits/adjust.ts';
import type { LimitName } from '../limits/names.ts';
import { throttleShare } from '../limits/share.ts';
import type { Running } from './state.ts';
import type { Turn } from './turn.ts';

/** Holds the tree to its share of a core until the excess of `limit` ends. */
export function throttle(turn: Turn, phase: Running, limit: LimitName): void {
  if (phase.throttled.includes(limit)) return;
  const before = shareOf(turn, phase.throttled);
  const throttled = [...phase.throttled, limit];
  const percent = shareOf(turn, throttled);
  if (percent === null) return;
  turn.become({ ...phase, throttled });
  if (percent === before) return;
  turn.act({ kind: 'throttle', run: turn.worker.run, percent });
  turn.publish('worker.throttled', { limit, percent });
}

/** The least of what is left to it for each of these limits; null: it runs freely. */
function shareOf(turn: Turn, throttled: readonly LimitName[]): number | null {
  const { spec } = turn.in;
  const limits = effectiveLimits(spec.limits, turn.worker.limitFactors) ?? spec.quotas.at(-1)?.limits;
  if (limits === undefined || throttled.length === 0) return null;
  return Math.min(...throttled.map((limit) => throttleShare(limits, limit, turn.worker.limitReports)));
}

/** `limit` is no reason any more; the last reason that goes ends the throttling. */
export function release(turn: Turn, phase: Running, limit: LimitName, reason: string): Running {
  if (!phase.throttled.includes(limit)) return phase;
  const throttled = phase.throttled.filter((other) => other !== limit);
  if (throttled.length === 0) return unthrottle(turn, phase, reason);
  const less: Running = { ...phase, throttled };
  turn.become(less);
  const percent = shareOf(turn, throttled);
  if (percent !== null && percent !== shareOf(turn, phase.throttled))
    turn.act({ kind: 'throttle', run: turn.worker.run, percent });
  return less;
}

/** Whatever the reasons: before a stop, and when the run is over. */
export function unthrottle(turn: Turn, phase: Running, reason: string): Running {
  if (phase.throttled.length === 0) return phase;
  const free: Running = { ...phase, throttled: [] };
  turn.become(free);
  turn.act({ kind: 'throttle', run: turn.worker.run, percent: null });
  turn.publish('worker.unthrottled', { reason });
  return free;
}
