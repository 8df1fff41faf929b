import type { WorkerId } from '../worker/spec.ts';
import { type Condition, meets } from './condition.ts';
import type { Cancellation, Control } from './control.ts';

/** Resolves when a condition holds or cannot come about any more, at the latest when the signal is aborted. */
export function until(
  control: Pick<Control, 'worker' | 'events'>,
  id: WorkerId,
  condition: Condition,
  signal: Cancellation,
): Promise<'yes' | 'not-yet' | 'never'> {
  const first = meets(control.worker(id), condition);
  if (first !== 'not-yet' || signal.aborted) return Promise.resolve(first);
  return new Promise((resolve, reject) => {
    const finish = (): void => {
      unsubscribe();
      signal.removeEventListener('abort', finish);
      try {
        resolve(meets(control.worker(id), condition));
      } catch (error) {
        // It may have been removed meanwhile.
        reject(error);
      }
    };
    const look = (): void => {
      try {
        if (meets(control.worker(id), condition) !== 'not-yet') finish();
      } catch {
        finish();
      }
    };
    const unsubscribe = control.events.subscribe(({ workerId }) => {
      if (workerId === id) look();
    });
    signal.addEventListener('abort', finish);
  });
}

/** What a promise comes to, or null when the signal is aborted before. */
export function within<T>(promise: Promise<T>, signal: Cancellation): Promise<T | null> {
  return new Promise((resolve, reject) => {
    const leave = (): void => resolve(null);
    const settle = (): void => signal.removeEventListener('abort', leave);
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave);
    promise.then(
      (value) => {
        settle();
        resolve(value);
      },
      (error: unknown) => {
        settle();
        reject(error);
      },
    );
  });
}
