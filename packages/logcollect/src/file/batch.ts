import type { Bytes } from '@hsu-master/core';

/** What to do next with the bytes that wait. `take` of them go into the current file, then it is rotated or not. */
export interface Batch {
  readonly take: Bytes;
  readonly rotate: boolean;
}

/** The current file as far as rotation is concerned. */
export interface Extent {
  readonly size: Bytes;
  /** Whether the last byte in it ends a line; true for an empty file. */
  readonly atLineEnd: boolean;
}

const NEWLINE = 10;

/** Bytes that are written at once at most. */
const BATCH_LIMIT = 1024 * 1024;

/**
 * Plans the next write so that the file never grows past `maxSize` and, where a line end is within reach, ends with a whole
 * line. A line is cut only when the file has no line end to offer: it is longer than what is left of an otherwise full file.
 * @param maxSize 0 means no bound
 */
export function planBatch(chunks: readonly Uint8Array[], extent: Extent, maxSize: Bytes): Batch {
  let waiting = 0;
  for (const chunk of chunks) {
    waiting += chunk.length;
    if (waiting >= BATCH_LIMIT) break;
  }
  const total = Math.min(waiting, BATCH_LIMIT);
  if (maxSize <= 0) return { take: total, rotate: false };
  const room = Math.max(0, maxSize - extent.size);
  if (total > room) return planFull(chunks, extent, room);
  // Close to the bound, a line that has only begun goes to the next file as a whole.
  const reach = Math.min(8192, Math.floor(maxSize / 16));
  if (room - total < reach) {
    const cut = lineEndWithin(chunks, total);
    if (cut > 0 && cut < total) return { take: cut, rotate: true };
  }
  return { take: total, rotate: false };
}

function planFull(chunks: readonly Uint8Array[], extent: Extent, room: Bytes): Batch {
  const cut = lineEndWithin(chunks, room);
  if (cut > 0) return { take: cut, rotate: true };
  const nothingToKeepTogether = extent.size > 0 && extent.atLineEnd;
  return { take: nothingToKeepTogether ? 0 : room, rotate: true };
}

/** How many of the first `limit` bytes end with the last line end among them; 0 if there is none. */
function lineEndWithin(chunks: readonly Uint8Array[], limit: Bytes): Bytes {
  let before = 0;
  let found = 0;
  for (const chunk of chunks) {
    if (before >= limit) break;
    const last = chunk.lastIndexOf(NEWLINE, limit - before - 1);
    if (last !== -1) found = before + last + 1;
    before += chunk.length;
  }
  return found;
}
