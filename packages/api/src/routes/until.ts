import { type Condition, type Control, type Milliseconds, meets, type WorkerId } from '@hsu-master/core';

/** Resolves when a condition holds or cannot come about any more, at the latest after `timeout` or when the signal is aborted. */
export function until(
  control: Control,
  id: WorkerId,
  condition: Condition,
  timeout: Milliseconds,
  signal: AbortSignal,
): Promise<'yes' | 'not-yet' | 'never'> {
  const first = meets(control.worker(id), condition);
  if (first !== 'not-yet' || signal.aborted) return Promise.resolve(first);
  return new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      unsubscribe();
      signal.removeEventListener('abort', finish);
      resolve(meets(control.worker(id), condition));
    };
    const timer = setTimeout(finish, timeout);
    const unsubscribe = control.events.subscribe(({ workerId }) => {
      if (workerId === id && meets(control.worker(id), condition) !== 'not-yet') finish();
    });
    signal.addEventListener('abort', finish);
  });
}

/** What a promise came to, or null after `timeout` or when the signal is aborted. */
export function within<T>(
  promise: Promise<T>,
  timeout: Milliseconds,
  signal: AbortSignal,
): Promise<T | null> {
  return new Promise((resolve, reject) => {
    const finish = (value: T | null): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', leave);
      resolve(value);
    };
    const leave = (): void => finish(null);
    const timer = setTimeout(leave, timeout);
    signal.addEventListener('abort', leave);
    promise.then(finish, reject);
  });
}
