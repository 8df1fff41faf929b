import type { Clock } from '@hsu-master/core';

const SLOWNESS = Number(process.env.HSU_TIME_FACTOR ?? 1);

/** Real time that passes so many times as fast; on a slow machine less so. */
export function hurriedClock(speed = 1): Clock {
  const factor = speed === 1 ? 1 : speed / SLOWNESS;
  return {
    now: () => performance.now() * factor,
    wallNow: () => Date.now(),
    random: () => Math.random(),
    after(delay, fire) {
      const timer = setTimeout(fire, delay / factor);
      return () => clearTimeout(timer);
    },
  };
}
