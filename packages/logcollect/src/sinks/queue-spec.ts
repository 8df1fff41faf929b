import type { Bytes, Milliseconds } from '@hsu-master/core';
import type { LossNews } from './losses.ts';
import type { SpillBounds } from './spill.ts';

/** What to lose when no more fits: what has waited longest, or what comes. */
export type WhenFull = 'drop-oldest' | 'drop-newest';

export interface QueueSpec {
  /** Of the records that wait in memory, about. With a spill half of it is for those on their way to the disk. */
  readonly memory: Bytes;
  /** A batch is sent when it has so many records, or so many bytes, or its first record has waited so long. */
  readonly batchCount: number;
  readonly batchBytes: Bytes;
  readonly batchAge: Milliseconds;
  /** Pause after the first failure; it doubles up to `longestRetry`, less a random share of up to a half. */
  readonly firstRetry: Milliseconds;
  readonly longestRetry: Milliseconds;
  /** What does not fit into memory; null: nothing goes to disk. */
  readonly spill: SpillBounds | null;
  readonly whenFull: WhenFull;
}

export const DEFAULT_QUEUE: Omit<QueueSpec, 'spill'> = {
  memory: 8 * 1024 * 1024,
  batchCount: 1000,
  batchBytes: 1024 * 1024,
  batchAge: 1000,
  firstRetry: 1000,
  longestRetry: 60_000,
  whenFull: 'drop-oldest',
};

/** What a queue tells of its sink. */
export type SinkNews = { readonly sink: string } & (
  | (LossNews & {
      /** `dropped`: no room; `refused`: the other side does not want them; `damaged`: the spill’s files are. */
      readonly cause: LossCause;
    })
  /** The first attempt after a success has failed. */
  | { readonly kind: 'failing'; readonly reason: string }
  | { readonly kind: 'recovered'; readonly failures: number; readonly after: Milliseconds }
  /** An earlier master’s records were found and are sent first. */
  | { readonly kind: 'found'; readonly records: number }
  /** The spill cannot be used at the moment; records wait in memory. */
  | { readonly kind: 'spill-failing'; readonly reason: string }
);

export type LossCause = 'dropped' | 'refused' | 'damaged';

/** offered + found = delivered + refused + dropped + damaged + waiting. */
export interface QueueCounters {
  readonly offered: number;
  /** Left by an earlier master. */
  readonly found: number;
  readonly delivered: number;
  readonly refused: number;
  readonly dropped: number;
  readonly damaged: number;
  /** In memory and on disk. */
  readonly waiting: number;
  /** Written to the spill. */
  readonly spilled: number;
  /** Of those in attempts after the first: the other side may have them twice. */
  readonly repeated: number;
  readonly batches: number;
  readonly failures: number;
  readonly memory: Bytes;
  readonly disk: Bytes;
  /** How long the oldest record in memory has waited since it was read; 0 where none waits. */
  readonly lag: Milliseconds;
  /** Why the last attempt failed; null after a success. */
  readonly trouble: string | null;
}
