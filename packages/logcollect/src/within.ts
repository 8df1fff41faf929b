import type { Clock, Milliseconds } from '@hsu-master/core';

/** Resolves with `work`, at the latest after `timeout`. */
export async function within(clock: Clock, timeout: Milliseconds, work: Promise<unknown>): Promise<void> {
  let cancelTimer: () => void = () => undefined;
  const tooLate = new Promise<void>((resolve) => {
    cancelTimer = clock.after(timeout, resolve);
  });
  await Promise.race([work, tooLate]);
  cancelTimer();
}
