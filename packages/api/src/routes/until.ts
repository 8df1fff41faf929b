import * as core from '@hsu-master/core';

/** Resolves when a condition holds or cannot come about any more, at the latest after `timeout` or when the signal is aborted. */
export function until(
  control: core.Control,
  id: core.WorkerId,
  condition: core.Condition,
  timeout: core.Milliseconds,
  signal: AbortSignal,
): ReturnType<typeof core.until> {
  return core.until(control, id, condition, atMost(timeout, signal));
}

/** What a promise came to, or null after `timeout` or when the signal is aborted. */
export function within<T>(
  promise: Promise<T>,
  timeout: core.Milliseconds,
  signal: AbortSignal,
): Promise<T | null> {
  return core.within(promise, atMost(timeout, signal));
}

function atMost(timeout: core.Milliseconds, signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(timeout)]);
}
