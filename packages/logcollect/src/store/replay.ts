import type { Clock, Milliseconds } from '@hsu-master/core';
import type { Timed } from './merge.ts';
import type { StoredLine } from './stored-line.ts';

export interface ReplayPace {
  /** 1: as it was recorded; 10: ten times as fast; Infinity: without waiting. */
  readonly speed: number;
  /** No pause is longer, by the clock of whoever listens; null: as long as it was. */
  readonly longestPause: Milliseconds | null;
}

/** Lines at the pace at which they were written. Throws `RangeError` for a speed that is not positive. */
export async function* replayed(
  lines: AsyncIterable<Timed>,
  { speed, longestPause }: ReplayPace,
  clock: Clock,
  signal: AbortSignal | null,
): AsyncGenerator<StoredLine, void, void> {
  if (!(speed > 0)) throw new RangeError(`a speed of ${speed} is not positive`);
  let first: number | null = null;
  let start = clock.now();
  for await (const { line, time } of lines) {
    signal?.throwIfAborted();
    first ??= time;
    const wait = start + (time - first) / speed - clock.now();
    if (wait > 0) {
      const pause = Math.min(wait, longestPause ?? Infinity);
      await paused(clock, pause, signal);
      // What was cut from a pause does not come back later.
      start -= wait - pause;
      signal?.throwIfAborted();
    }
    yield line;
  }
}

async function paused(clock: Clock, pause: Milliseconds, signal: AbortSignal | null): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const cancel = clock.after(pause, resolve);
  const abort = () => resolve();
  signal?.addEventListener('abort', abort, { once: true });
  await promise;
  cancel();
  signal?.removeEventListener('abort', abort);
}
