import type { Clock, Milliseconds, MonotonicTime } from '@hsu-master/core';
import type { Cancel } from './answer.ts';

/** When the next check begins: `interval` after the last one began, but not before that one is over. */
export function nextStart(
  started: MonotonicTime,
  interval: Milliseconds,
  over: MonotonicTime,
): MonotonicTime {
  return Math.max(started + interval, over);
}

/**
 * Begins a check at `first` and then again and again, never two at once. `begin` starts one and calls `over` when it has ended;
 * what it returns tears it down. The returned function ends everything at once.
 */
export function schedule(
  clock: Clock,
  first: MonotonicTime,
  interval: Milliseconds,
  begin: (over: () => void) => Cancel,
): Cancel {
  let ended = false;
  let tearDown: Cancel | null = null;
  let cancelTimer = clock.after(Math.max(0, first - clock.now()), round);

  function round(): void {
    const started = clock.now();
    let running = true;
    const cancel = begin(() => {
      if (!running || ended) return;
      running = false;
      tearDown = null;
      const now = clock.now();
      cancelTimer = clock.after(nextStart(started, interval, now) - now, round);
    });
    if (ended) cancel();
    else if (running) tearDown = cancel;
  }

  return () => {
    ended = true;
    cancelTimer();
    tearDown?.();
    tearDown = null;
  };
}
