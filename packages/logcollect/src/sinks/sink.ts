import type { LogRecord } from '../record.ts';

/** Records that were refused for good: how many, or which ones where the service says so. */
export type Refused = number | readonly LogRecord[];

/** How one attempt to hand over a batch ended. */
export type Delivery =
  | { readonly kind: 'taken' }
  /** Some were refused for good (the service says they are malformed); the rest was taken. */
  | { readonly kind: 'partly'; readonly refused: Refused; readonly reason: string }
  /**
   * `left`, a part of the batch in its order, is to be tried again, not before `after` milliseconds, and where that is 0 at once, as no
   * failure; of the others `refused` were refused and the rest was taken.
   */
  | {
      readonly kind: 'rest';
      readonly left: readonly LogRecord[];
      readonly refused: Refused;
      readonly reason: string;
      readonly after: number | null;
    }
  /** Try the same batch again, not before `after` milliseconds where the service said so. */
  | { readonly kind: 'later'; readonly reason: string; readonly after: number | null }
  /** Nothing was taken, since so much at once is not: a smaller batch may be. */
  | { readonly kind: 'too-big'; readonly reason: string }
  /** Trying again soon cannot help: credentials, address. Somebody has to change something first. */
  | { readonly kind: 'never'; readonly reason: string };

/**
 * Where records go. A sink only sends: queueing, retrying, spilling to disk and counting are done by the queue before it, once for
 * all sinks. One batch at a time.
 */
export interface Sink {
  readonly name: string;
  /** Settles within its own time-out; never rejects for what the other side does. `signal` ends it early. */
  send(batch: readonly LogRecord[], signal: AbortSignal): Promise<Delivery>;
  close(): Promise<void>;
}
