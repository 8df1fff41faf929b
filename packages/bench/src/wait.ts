import { setTimeout } from 'node:timers/promises';

/** Asks every `every` ms until `ask` gives a value. Rejects after `limit` ms, naming `what`, and with the signal's reason when it aborts. */
export async function until<T>(
  what: string,
  limit: number,
  every: number,
  signal: AbortSignal,
  ask: () => T | undefined | Promise<T | undefined>,
): Promise<T> {
  const deadline = performance.now() + limit;
  for (;;) {
    signal.throwIfAborted();
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > deadline) throw new Error(`${what}: not within ${limit / 1000} s`);
    await setTimeout(every, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

/** The promise's value, or undefined after `limit` ms. Rejects when the signal aborts. */
export async function within<T>(
  limit: number,
  signal: AbortSignal,
  promise: Promise<T>,
): Promise<T | undefined> {
  const timer = new AbortController();
  try {
    return await Promise.race([
      promise,
      setTimeout(limit, undefined, { signal: AbortSignal.any([signal, timer.signal]) }),
    ]);
  } finally {
    timer.abort();
  }
}
