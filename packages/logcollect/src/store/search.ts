import type { WallTime } from '@hsu-master/core';
import { matcher, type Sought } from './match.ts';
import { mergeByTime, type Strand } from './merge.ts';
import { LineReader, type Place, type StoredLine, type StoredLog } from './stored-line.ts';
import { backwards, forwards, type WalkBounds, type WalkNotes } from './walk.ts';

/** Which part of the logs, and in which direction. */
export interface Span {
  readonly from: WallTime;
  readonly to: WallTime;
  readonly order: 'oldest' | 'newest';
  readonly signal: AbortSignal | null;
}

export interface SearchPage {
  /** In the order that was asked for. */
  readonly lines: readonly StoredLine[];
  /** Goes on behind the last line, with the same query; null: there is no more. */
  readonly cursor: string | null;
  readonly notes: Readonly<WalkNotes>;
}

/** Where each log is gone on with, by its path; null: it has been searched to its end. */
type Cursor = Readonly<Record<string, Place | null>>;

/** When a line is from: its stamp, or a time that it begins with; null: it says nothing. */
export function timeIn(reader: LineReader, line: StoredLine): WallTime | null {
  return line.isStamped ? line.record.at : reader.timeIn(line);
}

/** The lines of several logs in the order of their times. Those of one log stay in their order. */
export function strandsOf(
  logs: readonly StoredLog[],
  span: Span,
  { accept, keep, places }: { accept(line: StoredLine): StoredLine | null; keep: number; places: Cursor },
  notes: WalkNotes,
): Strand[] {
  return logs
    .filter(({ path }) => places[path] !== null)
    .map((log) => {
      const reader = new LineReader(log);
      const bounds: WalkBounds = { ...span, place: places[log.path] ?? null };
      const batches =
        span.order === 'newest'
          ? backwards(log, bounds, notes, { accept, keep })
          : accepted(forwards(log, bounds, notes), accept);
      return { batches, timeOf: (line) => timeIn(reader, line) };
    });
}

async function* accepted(
  batches: AsyncIterable<readonly StoredLine[]>,
  accept: (line: StoredLine) => StoredLine | null,
): AsyncGenerator<readonly StoredLine[], void, void> {
  for await (const batch of batches) {
    const wanted = batch.map(accept).filter((line) => line !== null);
    if (wanted.length > 0) yield wanted;
  }
}

/** Finds up to `limit` lines. Throws `TypeError` for a pattern or a cursor that is none, and the signal’s reason when aborted. */
export async function search(
  logs: readonly StoredLog[],
  span: Span,
  sought: Sought & { readonly limit: number; readonly cursor: string | null },
  accept: (line: StoredLine) => boolean,
): Promise<SearchPage> {
  const match = matcher(sought);
  const places = sought.cursor === null ? {} : cursorFrom(sought.cursor);
  const notes: WalkNotes = { scanned: 0, unreadable: [] };
  const wanted = {
    accept: (line: StoredLine) => (accept(line) ? match(line) : null),
    keep: Math.max(1, sought.limit),
    places,
  };
  const waiting = new Map<string, StoredLine[]>(logs.map(({ path }) => [path, []]));
  const over = new Set<string>(logs.filter(({ path }) => places[path] === null).map(({ path }) => path));
  const alive = logs.filter(({ path }) => !over.has(path));
  const strands = strandsOf(alive, span, wanted, notes).map((strand, index) => {
    const { path } = alive[index] as StoredLog;
    return { ...strand, batches: watched(strand.batches, waiting.get(path) ?? [], () => over.add(path)) };
  });
  const lines: StoredLine[] = [];
  const last = new Map<string, StoredLine>();
  if (sought.limit > 0) {
    for await (const { line } of mergeByTime(strands, span.order)) {
      lines.push(line);
      last.set(line.log.path, line);
      waiting.get(line.log.path)?.shift();
      if (lines.length >= sought.limit) break;
    }
  }
  const next: Record<string, Place | null> = {};
  for (const { path } of logs) {
    const first = waiting.get(path)?.[0];
    const before = last.get(path);
    if (first !== undefined) next[path] = span.order === 'newest' ? first.next : first.from;
    else if (over.has(path)) next[path] = null;
    else if (before !== undefined) next[path] = span.order === 'newest' ? before.from : before.next;
    else if (places[path] !== undefined) next[path] = places[path];
  }
  const isOver = sought.limit > 0 && logs.every(({ path }) => next[path] === null);
  return { lines, cursor: isOver ? null : cursorOf(next), notes };
}

/** Remembers what was handed on and not yet taken. */
async function* watched(
  batches: Strand['batches'],
  waiting: StoredLine[],
  ended: () => void,
): AsyncGenerator<readonly StoredLine[], void, void> {
  try {
    for (;;) {
      const next = await batches.next();
      if (next.done === true) break;
      waiting.push(...next.value);
      yield next.value;
    }
    ended();
  } finally {
    await batches.return?.();
  }
}

function cursorOf(cursor: Cursor): string {
  return Buffer.from(JSON.stringify(cursor)).toString('base64url');
}

function cursorFrom(text: string): Cursor {
  let value: unknown = null;
  try {
    value = JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch {
    // Said below.
  }
  const isRight =
    typeof value === 'object' &&
    value !== null &&
    Object.values(value).every((one) => one === null || isPlace(one));
  if (!isRight) throw new TypeError('this is no cursor of a search');
  return value as Cursor;
}

/** Places come back from outside in cursors and position files. */
export function isPlace(value: unknown): value is Place {
  if (typeof value !== 'object' || value === null) return false;
  const { file, head, written, offset } = value as Partial<Place>;
  const isHead = typeof head === 'object' && isCount(head?.length) && isCount(head?.crc);
  return typeof file === 'string' && isHead && typeof written === 'number' && isCount(offset);
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
