import type { Clock } from '@hsu-master/core';

/** The longest delay that a timer of Node takes, in milliseconds: 2^31 − 1. */
const LONGEST = 2_147_483_647;

/** The machine’s clocks. A delay of 0 means the next turn of the event loop. */
export function realClock(): Clock {
  // Both are the system’s monotonic clock; the one that is quick to read counts from the start of the process.
  const [seconds, nanoseconds] = process.hrtime();
  const origin = seconds * 1000 + nanoseconds / 1e6 - performance.now();
  return {
    now: () => origin + performance.now(),
    wallNow: () => Date.now(),
    random: () => Math.random(),
    after(delay, fire) {
      if (delay <= 0) {
        const immediate = setImmediate(fire);
        return () => clearImmediate(immediate);
      }
      let timer = setTimeout(step, Math.min(delay, LONGEST));
      let left = delay - LONGEST;
      function step(): void {
        if (left <= 0) {
          fire();
          return;
        }
        timer = setTimeout(step, Math.min(left, LONGEST));
        left -= LONGEST;
      }
      return () => clearTimeout(timer);
    },
  };
}
