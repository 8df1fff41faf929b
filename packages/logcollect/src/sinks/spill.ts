import { join } from 'node:path';
import type { Bytes } from '@hsu-master/core';
import type { LogRecord } from '../record.ts';
import { crc32 } from './checksum.ts';
import type { SpillDisk } from './spill-disk.ts';
import { decodeHeader, decodePayload, encodeFrame, type FrameHeader, HEADER_BYTES } from './spill-frame.ts';

export interface SpillBounds {
  /** Absolute path of a folder that is this sink’s alone. */
  readonly folder: string;
  /** Of all its files together. */
  readonly maxBytes: Bytes;
}

/** Where a record lies: the number of its segment, and which one of that segment’s records it is. */
export interface Mark {
  readonly segment: number;
  readonly index: number;
}

/** Records that were read back, or what was lost of them. */
export interface Recovered {
  readonly records: readonly LogRecord[];
  /** Of the first one; the others follow. */
  readonly mark: Mark;
  /** Records that cannot be read. */
  readonly damaged: number;
}

interface Frame {
  readonly header: FrameHeader;
  readonly offset: Bytes;
  /** Records of the segment before this frame. */
  readonly before: number;
}

interface Segment {
  readonly number: number;
  size: Bytes;
  count: number;
  readonly frames: Frame[];
}

/** What an earlier master left, as far as the headers tell. */
export interface Found {
  /** Records to be delivered. */
  readonly records: number;
  /** Records whose frame is cut off. */
  readonly torn: number;
  /** Bytes in which no frame is recognised. */
  readonly damagedBytes: Bytes;
}

/** What did not fit into memory when a master ended, and comes before all segments. */
const AHEAD = 0;
const POSITION = 'position';
const LARGEST_SEGMENT: Bytes = 16 * 1024 * 1024;
/** A frame that could not be read so often is given up. */
const READ_TRIES = 3;

/**
 * The part of a queue that is on disk: segment files of frames, read in the order in which they were written. How far they are
 * delivered is in a file of its own, so that the next master goes on from there; what was delivered but not yet noted is delivered twice.
 * Nothing is flushed to the device: after a power cut the checksums tell what is left. Calls take turns.
 */
export class Spill {
  readonly #disk: SpillDisk;
  readonly #bounds: SpillBounds;
  #segments: Segment[] = [];
  /** The segment that is written to. */
  #current: Segment | null = null;
  #next = 1;
  /** The next record to read. */
  #cursor: Mark = { segment: AHEAD, index: 0 };
  /** The next record to deliver, of the ahead segment and of the others. */
  #ahead = 0;
  #position: Mark = { segment: 1, index: 0 };
  #unread = 0;
  #bytes: Bytes = 0;
  #readTries = 0;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(bounds: SpillBounds, disk: SpillDisk) {
    this.#bounds = bounds;
    this.#disk = disk;
  }

  /** Records that wait to be read. */
  get unread(): number {
    return this.#unread;
  }

  get bytes(): Bytes {
    return this.#bytes;
  }

  get segmentBytes(): Bytes {
    return Math.min(LARGEST_SEGMENT, Math.ceil(this.#bounds.maxBytes / 8));
  }

  /** Finds what an earlier master left. Rejects where the folder cannot be used; may be called again then. */
  open(): Promise<Found> {
    return this.#inTurn(async () => {
      const { folder } = this.#bounds;
      await this.#disk.makeFolder(folder);
      await this.#readPosition();
      const files = (await this.#disk.list(folder))
        .flatMap(({ name, size }) => {
          const number = numberOf(name);
          return number === null ? [] : [{ number, size }];
        })
        .sort((a, b) => a.number - b.number);
      this.#segments = [];
      this.#bytes = 0;
      let torn = 0;
      let damagedBytes = 0;
      for (const { number, size } of files) {
        if (number !== AHEAD && number < this.#position.segment) {
          await this.#disk.remove(this.#path(number));
          continue;
        }
        const scanned = await this.#scan(number, size);
        torn += scanned.torn;
        damagedBytes += scanned.damagedBytes;
        this.#segments.push(scanned.segment);
        this.#bytes += size;
      }
      // Numbers are never used twice: an old position must not fit a new segment.
      this.#next = 1 + Math.max(this.#position.segment, this.#segments.at(-1)?.number ?? 0);
      this.#cursor = { segment: AHEAD, index: this.#ahead };
      this.#unread = this.#countFrom(this.#cursor);
      return { records: this.#unread, torn, damagedBytes };
    });
  }

  /**
   * Writes records behind all others. false, and nothing is written: there is no room. Rejects with the disk’s error; nothing was
   * written then either.
   */
  append(records: readonly LogRecord[]): Promise<boolean> {
    return this.#inTurn(() => this.#append(encodeFrame(records), records.length));
  }

  /** Reads the next frame; null where none is left. Rejects with the disk’s error, and after three tries gives the frame up. */
  read(): Promise<Recovered | null> {
    return this.#inTurn(() => this.#read());
  }

  /** All records up to and with this one are delivered. */
  commit(mark: Mark): Promise<void> {
    return this.#inTurn(async () => {
      if (mark.segment === AHEAD) this.#ahead = mark.index + 1;
      else this.#position = { segment: mark.segment, index: mark.index + 1 };
      await this.#removeDelivered();
      await this.#writePosition();
    });
  }

  /** Makes room: gives up the oldest segment’s records that were not read. null: there is nothing to give up. */
  dropOldest(): Promise<{ readonly records: readonly LogRecord[]; readonly unreadable: number } | null> {
    return this.#inTurn(() => this.#dropOldest());
  }

  /** Before a master ends: these records, the last of which that came from here is `upTo`, are the first that the next one reads. */
  keepAhead(records: readonly LogRecord[], upTo: Mark | null): Promise<void> {
    return this.#inTurn(async () => {
      const kept = [...records];
      while (this.#nextFrame()?.segment.number === AHEAD) {
        const recovered = await this.#read();
        kept.push(...(recovered?.records ?? []));
      }
      // First, since the old count must not be taken for one of the new records.
      this.#ahead = 0;
      await this.#writePosition();
      // What these records replace must not be given up later, under the name that they have then.
      const old = this.#segments.find(({ number }) => number === AHEAD);
      this.#segments = this.#segments.filter((segment) => segment !== old);
      this.#bytes -= old?.size ?? 0;
      if (kept.length > 0) {
        const frame = encodeFrame(kept);
        await this.#disk.replace(this.#path(AHEAD), frame);
        this.#bytes += frame.length;
      } else await this.#disk.remove(this.#path(AHEAD));
      if (upTo !== null && upTo.segment !== AHEAD)
        this.#position = { segment: upTo.segment, index: upTo.index + 1 };
      await this.#writePosition();
    });
  }

  async #append(frame: Buffer, count: number): Promise<boolean> {
    const { maxBytes } = this.#bounds;
    if (this.#bytes + frame.length > maxBytes) return false;
    if (this.#current !== null && this.#current.size + frame.length > this.segmentBytes) this.#current = null;
    const segment = this.#current ?? { number: this.#next, size: 0, count: 0, frames: [] };
    try {
      await this.#disk.write(this.#path(segment.number), segment.size, frame);
    } catch (error) {
      await this.#abandon(segment);
      throw error;
    }
    if (this.#current === null) {
      this.#current = segment;
      this.#next = segment.number + 1;
      this.#segments.push(segment);
    }
    const header = decodeHeader(frame) as FrameHeader;
    segment.frames.push({ header, offset: segment.size, before: segment.count });
    segment.size += frame.length;
    segment.count += count;
    this.#bytes += frame.length;
    this.#unread += count;
    return true;
  }

  /** Half a frame may be at its end: later ones go to another file. */
  async #abandon(segment: Segment): Promise<void> {
    this.#current = null;
    const path = this.#path(segment.number);
    const tidied = segment.size === 0 ? this.#disk.remove(path) : this.#disk.cut(path, segment.size);
    await tidied.catch(() => undefined);
    this.#next = Math.max(this.#next, segment.number + 1);
  }

  async #read(): Promise<Recovered | null> {
    const found = this.#nextFrame();
    if (found === null) return null;
    const { segment, frame, skipped } = found;
    const mark = { segment: segment.number, index: frame.before + skipped };
    const records = await this.#readFrame(segment, frame);
    this.#cursor = { segment: segment.number, index: frame.before + frame.header.count };
    const left = frame.header.count - skipped;
    this.#unread -= left;
    if (records === null) return { records: [], mark, damaged: left };
    return { records: skipped === 0 ? records : records.slice(skipped), mark, damaged: 0 };
  }

  async #readFrame(segment: Segment, { header, offset }: Frame): Promise<LogRecord[] | null> {
    try {
      const payload = await this.#disk.read(this.#path(segment.number), offset + HEADER_BYTES, header.length);
      this.#readTries = 0;
      return decodePayload(header, payload);
    } catch (error) {
      this.#readTries += 1;
      if (this.#readTries < READ_TRIES) throw error;
      this.#readTries = 0;
      return null;
    }
  }

  async #dropOldest(): Promise<{ records: readonly LogRecord[]; unreadable: number } | null> {
    const segment = this.#segments[0];
    if (segment === undefined) return null;
    const records: LogRecord[] = [];
    let unreadable = 0;
    while (this.#nextFrame()?.segment === segment) {
      try {
        const recovered = await this.#read();
        records.push(...(recovered?.records ?? []));
        unreadable += recovered?.damaged ?? 0;
      } catch {
        // Tried again by the next turn of this loop, until the frame is given up.
      }
    }
    await this.#remove(segment);
    return { records, unreadable };
  }

  async #removeDelivered(): Promise<void> {
    for (const segment of this.#segments) {
      const isAhead = segment.number === AHEAD;
      const isOver = isAhead
        ? this.#ahead >= segment.count
        : segment.number < this.#position.segment ||
          (segment.number === this.#position.segment && this.#position.index >= segment.count);
      if (isOver) await this.#remove(segment);
    }
  }

  async #remove(segment: Segment): Promise<void> {
    if (segment === this.#current) this.#current = null;
    await this.#disk.remove(this.#path(segment.number));
    this.#segments = this.#segments.filter((other) => other !== segment);
    this.#bytes -= segment.size;
    if (segment.number === AHEAD) this.#ahead = 0;
  }

  async #scan(number: number, size: Bytes): Promise<{ segment: Segment; torn: number; damagedBytes: Bytes }> {
    const segment: Segment = { number, size, count: 0, frames: [] };
    let offset = 0;
    while (offset < size) {
      const header = decodeHeader(await this.#disk.read(this.#path(number), offset, HEADER_BYTES));
      if (header === null) return { segment, torn: 0, damagedBytes: size - offset };
      const end = offset + HEADER_BYTES + header.length;
      if (end > size) return { segment, torn: header.count, damagedBytes: size - offset };
      segment.frames.push({ header, offset, before: segment.count });
      segment.count += header.count;
      offset = end;
    }
    return { segment, torn: 0, damagedBytes: 0 };
  }

  /** The frame that is read next, of which `skipped` records were read or delivered before. */
  #nextFrame(): { segment: Segment; frame: Frame; skipped: number } | null {
    for (const segment of this.#segments) {
      if (segment.number < this.#cursor.segment) continue;
      const from = this.#startIn(segment, this.#cursor);
      const frame = from < segment.count ? frameWith(segment.frames, from) : undefined;
      if (frame !== undefined) return { segment, frame, skipped: from - frame.before };
    }
    return null;
  }

  /** The first record of the segment that is not read, seen from the cursor, nor delivered by an earlier master. */
  #startIn(segment: Segment, mark: Mark): number {
    if (segment.number === mark.segment) return mark.index;
    return segment.number === this.#position.segment ? this.#position.index : 0;
  }

  #countFrom(mark: Mark): number {
    return this.#segments
      .filter(({ number }) => number >= mark.segment)
      .reduce((sum, segment) => sum + Math.max(0, segment.count - this.#startIn(segment, mark)), 0);
  }

  async #readPosition(): Promise<void> {
    this.#ahead = 0;
    this.#position = { segment: 1, index: 0 };
    try {
      const text = Buffer.from(
        await this.#disk.read(join(this.#bounds.folder, POSITION), 0, 1024),
      ).toString();
      const [ahead, segment, index, checksum] = text.split(' ').map(Number);
      if (ahead === undefined || segment === undefined || index === undefined) return;
      if (checksum !== crc32(`${ahead} ${segment} ${index}`)) return;
      this.#ahead = ahead;
      this.#position = { segment, index };
    } catch {
      // Without it everything that is there is delivered again.
    }
  }

  async #writePosition(): Promise<void> {
    const { segment, index } = this.#position;
    const text = `${this.#ahead} ${segment} ${index}`;
    await this.#disk.replace(join(this.#bounds.folder, POSITION), Buffer.from(`${text} ${crc32(text)}`));
  }

  #path(number: number): string {
    return join(this.#bounds.folder, `${String(number).padStart(10, '0')}.spill`);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }
}

function frameWith(frames: readonly Frame[], index: number): Frame | undefined {
  let low = 0;
  let high = frames.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((frames[middle] as Frame).before <= index) low = middle;
    else high = middle - 1;
  }
  return frames[low];
}

function numberOf(name: string): number | null {
  const found = /^(\d{10})\.spill$/.exec(name);
  return found === null ? null : Number(found[1]);
}
