import type { Clock, RateLimitSpec } from '@hsu-master/core';
import type { LogRecord } from '../record.ts';

/** Lets through so many lines a second, and tells now and then how many it left out. */
export interface RateLimit {
  push(record: LogRecord): LogRecord | null;
  /** The line about what was left out and not told yet. */
  flush(): LogRecord[];
}

/** The line about what was left out goes to `late`. */
export function rateLimit(
  spec: RateLimitSpec,
  clock: Pick<Clock, 'now' | 'after'>,
  late: (records: readonly LogRecord[]) => void,
): RateLimit {
  const { perSecond, burst, noticeAfter } = spec;
  let tokens = burst;
  let filled = clock.now();
  let leftOut = 0;
  let last: LogRecord | null = null;
  let cancelTimer: (() => void) | null = null;

  const notice = (): LogRecord[] => {
    if (leftOut === 0 || last === null) return [];
    const text = `… ${leftOut} ${leftOut === 1 ? 'line' : 'lines'} left out: more than ${perSecond} a second`;
    const fields = { reason: 'rate-limit', left_out: leftOut };
    const told: LogRecord = {
      ...last,
      text,
      message: text,
      damaged: false,
      piece: 'whole',
      level: 'warn',
      time: null,
      fields,
    };
    leftOut = 0;
    last = null;
    return [told];
  };

  return {
    push(record) {
      const now = clock.now();
      tokens = Math.min(burst, tokens + ((now - filled) / 1000) * perSecond);
      filled = now;
      if (tokens >= 1) {
        tokens -= 1;
        return record;
      }
      leftOut += 1;
      last = record;
      cancelTimer ??= clock.after(noticeAfter, () => {
        cancelTimer = null;
        late(notice());
      });
      return null;
    },
    flush() {
      cancelTimer?.();
      cancelTimer = null;
      return notice();
    },
  };
}
