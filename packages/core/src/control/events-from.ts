import type { HsuEvent } from '../events/catalogue.ts';
import type { Cancellation, EventSource } from './control.ts';

/** So many events were no longer remembered when their reader came for them. */
export interface LostEvents {
  readonly lost: number;
}

/**
 * Events after `seq` that are wanted, as they come, until the signal is aborted. Nothing is held for a slow reader: it reads on
 * from the common memory, and what that has forgotten is counted. A `seq` that was not reached yet is another master's: all that is
 * remembered is told.
 */
export async function* eventsFrom(
  source: EventSource,
  seq: number,
  accepts: (event: HsuEvent) => boolean,
  signal: Cancellation,
): AsyncGenerator<readonly (HsuEvent | LostEvents)[], void, void> {
  let at = seq > source.seq ? 0 : seq;
  let wake: () => void = () => {};
  const unsubscribe = source.subscribe(() => wake());
  const abort = (): void => wake();
  signal.addEventListener('abort', abort);
  try {
    while (!signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      wake = resolve;
      const { events, lost } = source.since(at);
      at = Math.max(at, source.seq);
      const batch = [...(lost > 0 ? [{ lost }] : []), ...events.filter(accepts)];
      if (batch.length > 0) yield batch;
      else if (at === source.seq) await promise;
    }
  } finally {
    unsubscribe();
    signal.removeEventListener('abort', abort);
  }
}
