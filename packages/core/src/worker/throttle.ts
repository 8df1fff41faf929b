import type { LimitName } from '../limits/names.ts';
import type { Running } from './state.ts';
import type { Turn } from './turn.ts';

/** Holds the tree to its share of a core until the excess of `limit` ends. */
export function throttle(turn: Turn, phase: Running, limit: LimitName): void {
  const { spec } = turn.in;
  const percent = (spec.limits ?? spec.quotas.at(-1)?.limits)?.throttlePercent;
  if (percent === undefined || phase.throttled.includes(limit)) return;
  turn.become({ ...phase, throttled: [...phase.throttled, limit] });
  if (phase.throttled.length > 0) return;
  turn.act({ kind: 'throttle', run: turn.worker.run, percent });
  turn.publish('worker.throttled', { limit, percent });
}

/** `limit` is no reason any more; the last reason that goes ends the throttling. */
export function release(turn: Turn, phase: Running, limit: LimitName, reason: string): Running {
  if (!phase.throttled.includes(limit)) return phase;
  const throttled = phase.throttled.filter((other) => other !== limit);
  if (throttled.length === 0) return unthrottle(turn, phase, reason);
  const less: Running = { ...phase, throttled };
  turn.become(less);
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
