import type { WallTime } from '@hsu-master/core';
import type { StoredLine } from './stored-line.ts';

/** One of several sequences that are merged. */
export interface Strand {
  readonly batches: AsyncIterator<readonly StoredLine[], void, void>;
  /** When the line is from; null: as the one before it in this strand. */
  timeOf(line: StoredLine): WallTime | null;
}

interface Head {
  readonly strand: Strand;
  /** Among equals the strand that was named first comes first. */
  readonly rank: number;
  time: WallTime;
  batch: readonly StoredLine[];
  at: number;
}

/** A line and the time by which it was put in order. */
export interface Timed {
  readonly line: StoredLine;
  readonly time: WallTime;
}

/** Merges sequences that are in order each. Stable; holds one batch of each. Ends all of them when it is ended itself. */
export async function* mergeByTime(
  strands: readonly Strand[],
  order: 'oldest' | 'newest',
): AsyncGenerator<Timed, void, void> {
  const sign = order === 'oldest' ? 1 : -1;
  const isBefore = (one: Head, other: Head) =>
    one.time === other.time ? one.rank < other.rank : sign * one.time < sign * other.time;
  const heap: Head[] = [];
  try {
    for (const [rank, strand] of strands.entries()) {
      const head: Head = { strand, rank, time: Number.NaN, batch: [], at: -1 };
      if (await advance(head, sign)) push(heap, head, isBefore);
    }
    for (let first = heap[0]; first !== undefined; first = heap[0]) {
      yield { line: first.batch[first.at] as StoredLine, time: first.time };
      if (await advance(first, sign)) sink(heap, isBefore);
      else {
        const last = heap.pop() as Head;
        if (heap.length > 0) {
          heap[0] = last;
          sink(heap, isBefore);
        }
      }
    }
  } finally {
    await Promise.all(strands.map(async ({ batches }) => batches.return?.()));
  }
}

async function advance(head: Head, sign: number): Promise<boolean> {
  head.at += 1;
  while (head.at >= head.batch.length) {
    const next = await head.strand.batches.next();
    if (next.done === true) return false;
    head.batch = next.value;
    head.at = 0;
  }
  const line = head.batch[head.at] as StoredLine;
  const before = head.time;
  const time = head.strand.timeOf(line) ?? (Number.isNaN(before) ? line.record.at : before);
  // A strand is never put into another order than its own.
  head.time = Number.isNaN(before) || sign * time > sign * before ? time : before;
  return true;
}

function push(heap: Head[], head: Head, isBefore: (one: Head, other: Head) => boolean): void {
  let index = heap.length;
  heap.push(head);
  while (index > 0) {
    const above = (index - 1) >> 1;
    const parent = heap[above] as Head;
    if (!isBefore(head, parent)) break;
    heap[index] = parent;
    index = above;
  }
  heap[index] = head;
}

function sink(heap: Head[], isBefore: (one: Head, other: Head) => boolean): void {
  const head = heap[0] as Head;
  let index = 0;
  for (let child = 1; child < heap.length; child = index * 2 + 1) {
    const right = heap[child + 1];
    if (right !== undefined && isBefore(right, heap[child] as Head)) child += 1;
    const candidate = heap[child] as Head;
    if (!isBefore(candidate, head)) break;
    heap[index] = candidate;
    index = child;
  }
  heap[index] = head;
}
