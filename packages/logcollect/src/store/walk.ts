import type { Bytes, WallTime } from '@hsu-master/core';
import { newestFirst } from './family.ts';
import { linesBackwards, linesOf, type RawLine } from './lines.ts';
import type { StoredFile } from './stored-file.ts';
import { type Finding, LineReader, type Place, type StoredLine, type StoredLog } from './stored-line.ts';

/** How a walk over a log is limited. */
export interface WalkBounds {
  /** Where to go on; null: from the end that the direction begins at. */
  readonly place: Place | null;
  /** By stamps; for logs without stamps by the times at which files were last written, which is all there is. */
  readonly from: WallTime;
  readonly to: WallTime;
  readonly signal: AbortSignal | null;
}

export const EVERYTHING: WalkBounds = { place: null, from: -Infinity, to: Infinity, signal: null };

/** What a backward walk is asked for. */
export interface Wanted {
  /** The line, changed or not, or null where it is not wanted. */
  accept(line: StoredLine): StoredLine | null;
  readonly keep: number;
}

/** What a walk tells beside its lines. */
export interface WalkNotes {
  /** Bytes that were read, those of compressed files as they are decompressed. */
  scanned: Bytes;
  /** Files that could not be read, or not to their end. */
  readonly unreadable: string[];
}

/** Stamps are ascending but for steps of the clock by at most so much. */
const CLOCK_STEP = 60_000;

/** A file of a log as it was found at the beginning of a walk. */
interface Entry {
  readonly place: Place;
  readonly number: number;
  readonly isPlain: boolean;
  readonly path: string;
  /** How far it reached then. */
  readonly length: Bytes | null;
  /** When it was last written, by its file system. */
  readonly written: WallTime;
}

/** Whether that file is the one of the place. One that others compressed is known by its beginning alone. */
export async function isAt(file: StoredFile, place: Place): Promise<boolean> {
  const isAnonymous = file.compression !== 'none' && file.origin === null;
  if (!isAnonymous && file.source !== place.file) return false;
  return file.written >= place.written && (await file.beginsWith(place.head));
}

/** The files of a log, the newest first. */
async function entriesOf(log: StoredLog, notes: WalkNotes): Promise<Entry[]> {
  const entries: Entry[] = [];
  try {
    for await (const file of newestFirst(log.path)) {
      const head = await headOf(file, notes);
      if (head === null) continue;
      entries.push({
        place: { file: file.source, head, written: file.written, offset: 0 },
        number: file.number,
        isPlain: file.compression === 'none',
        path: file.path,
        length: file.length,
        written: file.mtime,
      });
    }
  } catch (error) {
    notes.unreadable.push(error instanceof Error ? error.message : String(error));
  }
  return entries;
}

async function headOf(file: StoredFile, notes: WalkNotes) {
  try {
    return await file.head();
  } catch {
    notes.unreadable.push(file.path);
    return null;
  }
}

/** Opens a file again that may have been rotated since, and compressed; null where it is gone. */
export async function openAt(path: string, place: Place): Promise<StoredFile | null> {
  let found: StoredFile | null = null;
  for await (const file of newestFirst(path, (file) => file === found)) {
    if (!(await isAt(file, place))) continue;
    found = file;
    return file;
  }
  return null;
}

/** The lines of a log that are there now, in their order, in bounded memory. Lines that are written meanwhile are not waited for. */
export async function* forwards(
  log: StoredLog,
  bounds: WalkBounds,
  notes: WalkNotes,
): AsyncGenerator<StoredLine[], void, void> {
  const walk = new Walk(log, bounds, notes);
  const entries = (await entriesOf(log, notes)).reverse();
  const begin = await walk.firstOf(entries);
  for (let at = begin.index; at < entries.length; at += 1) {
    const entry = entries[at] as Entry;
    if (walk.isOver(entries[at - 1])) return;
    const file = await openAt(log.path, entry.place);
    if (file === null) continue;
    try {
      const from = at === begin.index ? begin.offset : 0;
      const start = from === 0 ? await walk.offsetOf(file) : from;
      for await (const lines of linesOf(file, start, entry.length ?? Infinity)) {
        const { wanted, isPast } = walk.take(lines, { file, head: entry.place.head });
        if (wanted.length > 0) yield wanted;
        if (isPast) return;
      }
    } catch (error) {
      walk.trouble(file, error);
    } finally {
      await file.close();
    }
  }
}

/**
 * The lines of a log, the newest first. A compressed file can be read forwards only: of its lines that `accept` takes, at most
 * `keep`, the last, are held.
 */
export async function* backwards(
  log: StoredLog,
  bounds: WalkBounds,
  notes: WalkNotes,
  { accept, keep }: Wanted,
): AsyncGenerator<StoredLine[], void, void> {
  const walk = new Walk(log, bounds, notes);
  let place = bounds.place;
  for await (const file of newestFirst(log.path)) {
    const head = await headOf(file, notes);
    if (head === null) continue;
    const isPlace = place !== null && (await isAt(file, place));
    if (place !== null && !isPlace && (file.written > place.written || (await isThere(log, place)))) continue;
    const to = isPlace ? (place?.offset ?? 0) : (file.length ?? Infinity);
    // From here on the files are older.
    place = null;
    if (walk.isBefore(file)) return;
    try {
      const finding = { file, head };
      if (file.compression === 'none') {
        for await (const lines of linesBackwards(file, Math.min(to, file.size))) {
          const { wanted, isBefore } = walk.take(lines, finding);
          const accepted = wanted.map(accept).filter((line) => line !== null);
          if (accepted.length > 0) yield accepted;
          if (isBefore) return;
        }
      } else {
        yield await walk.lastOf(finding, to, { accept, keep });
      }
    } catch (error) {
      walk.trouble(file, error);
    }
  }
}

async function isThere(log: StoredLog, place: Place): Promise<boolean> {
  const file = await openAt(log.path, place);
  await file?.close();
  return file !== null;
}

/** What both directions have in common. */
class Walk {
  readonly #log: StoredLog;
  readonly #bounds: WalkBounds;
  readonly #notes: WalkNotes;
  readonly #reader: LineReader;
  readonly #isStamped: boolean;

  constructor(log: StoredLog, bounds: WalkBounds, notes: WalkNotes) {
    this.#log = log;
    this.#bounds = bounds;
    this.#notes = notes;
    this.#reader = new LineReader(log);
    this.#isStamped = log.format !== 'plain' && log.format !== 'prefixed';
  }

  trouble(file: StoredFile, error: unknown): void {
    this.#bounds.signal?.throwIfAborted();
    this.#notes.unreadable.push(`${file.path}: ${error instanceof Error ? error.message : String(error)}`);
  }

  /** Those within the bounds, and whether all that follows in either direction is outside of them. */
  take(
    lines: readonly RawLine[],
    finding: Finding,
  ): { wanted: StoredLine[]; isPast: boolean; isBefore: boolean } {
    const { from, to, signal } = this.#bounds;
    signal?.throwIfAborted();
    const [first, last] = [lines[0], lines.at(-1)];
    if (first !== undefined && last !== undefined)
      this.#notes.scanned += Math.max(first.next, last.next) - Math.min(first.from, last.from);
    const wanted: StoredLine[] = [];
    let isPast = false;
    let isBefore = false;
    for (const raw of lines) {
      const line = this.#reader.read(raw, finding);
      const { at } = line.record;
      if (!line.isStamped || (at >= from && at < to)) wanted.push(line);
      else {
        isPast ||= at >= to + CLOCK_STEP;
        isBefore ||= at < from - CLOCK_STEP;
      }
    }
    return { wanted, isPast, isBefore };
  }

  /** Where to begin: the file of the place, or the first that may hold something of the range. */
  async firstOf(entries: readonly Entry[]): Promise<{ index: number; offset: Bytes }> {
    const { place, from } = this.#bounds;
    if (place !== null) {
      const index = entries.findIndex(
        (entry) => entry.place.file === place.file && entry.place.written >= place.written,
      );
      if (index !== -1) return { index, offset: place.offset };
      const later = entries.findIndex((entry) => entry.place.written > place.written);
      return { index: later === -1 ? entries.length : later, offset: 0 };
    }
    if (from === -Infinity) return { index: 0, offset: 0 };
    // A file that was last written before the range has nothing of it.
    let low = 0;
    let high = entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((await this.#lastIn(entries[middle] as Entry)) < from - (this.#isStamped ? CLOCK_STEP : 0))
        low = middle + 1;
      else high = middle;
    }
    return { index: low, offset: 0 };
  }

  /** The last stamp of a file; where there is none, when it was last written. */
  async #lastIn(entry: Entry): Promise<WallTime> {
    if (!this.#isStamped || !entry.isPlain) return entry.written;
    const file = await openAt(this.#log.path, entry.place);
    if (file === null) return -Infinity;
    try {
      if (file.compression !== 'none') return entry.written;
      for await (const lines of linesBackwards(file, entry.length ?? file.size)) {
        for (const line of lines) {
          const stamp = this.#reader.stampOf(line);
          if (stamp !== null) return stamp;
        }
        break;
      }
      return entry.written;
    } finally {
      await file.close();
    }
  }

  /** The file before this one was still written when the range was over; stamps say it themselves. */
  isOver(before: Entry | undefined): boolean {
    return !this.#isStamped && before !== undefined && before.written >= this.#bounds.to;
  }

  /** The file was not written any more when the range began. */
  isBefore(file: StoredFile): boolean {
    return file.mtime < this.#bounds.from - (this.#isStamped ? CLOCK_STEP : 0);
  }

  /** Where in an uncompressed file of ascending stamps the range may begin. */
  async offsetOf(file: StoredFile): Promise<Bytes> {
    const { from } = this.#bounds;
    if (from === -Infinity || !this.#isStamped || file.compression !== 'none') return 0;
    let low = 0;
    let high = file.size;
    while (high - low > 65_536) {
      const middle = low + Math.floor((high - low) / 2);
      const found = await this.#stampAfter(file, middle, high);
      if (found === null || found.stamp >= from - CLOCK_STEP) high = middle;
      else low = found.at;
    }
    return low;
  }

  /** The first stamped line that begins behind `at`. */
  async #stampAfter(file: StoredFile, at: Bytes, to: Bytes): Promise<{ stamp: WallTime; at: Bytes } | null> {
    let isFirst = true;
    for await (const lines of linesOf(file, at, to)) {
      for (const line of lines) {
        const isStart = !isFirst && (line.piece === 'whole' || line.piece === 'head');
        const stamp = isStart ? this.#reader.stampOf(line) : null;
        if (stamp !== null) return { stamp, at: line.from };
        if (line.piece === 'whole' || line.piece === 'tail') isFirst = false;
      }
    }
    return null;
  }

  async lastOf(finding: Finding, to: Bytes, { accept, keep }: Wanted): Promise<StoredLine[]> {
    let held: StoredLine[] = [];
    for await (const lines of linesOf(finding.file, 0, to)) {
      const { wanted, isPast } = this.take(lines, finding);
      held.push(...wanted.map(accept).filter((line) => line !== null));
      if (held.length > 2 * keep) held = held.slice(-keep);
      if (isPast) break;
    }
    return held.slice(-keep).reverse();
  }
}
