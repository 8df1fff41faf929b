import { isAscii, isUtf8 } from 'node:buffer';
import type { Bytes, OutputStream, WallTime, WorkerId } from '@hsu-master/core';
import type { LogRecord } from '../record.ts';

export const MAX_LINE: Bytes = 65_536;

/** Numbers the lines of one worker, across its streams and runs. */
export interface LineNumbers {
  next: number;
}

export interface LineSource {
  readonly workerId: WorkerId;
  readonly run: number;
  readonly stream: OutputStream;
  readonly numbers: LineNumbers;
  /** Longer lines are cut; at least 16, by default 64 KiB. */
  readonly maxLine?: Bytes;
}

/** Turns the bytes of one stream of one run into records. How the bytes are divided into chunks makes no difference. */
export interface LineSplitter {
  /** The lines that end in this chunk, and pieces of lines that are too long. Keeps no reference to the chunk. */
  push(chunk: Uint8Array, at: WallTime): LogRecord[];
  /** No more bytes will come: a last line without its newline counts. */
  end(at: WallTime): LogRecord[];
}

const NEWLINE = 0x0a;
const RETURN = 0x0d;
/** Held memory above this is given back after a long line. */
const KEPT = 4096;
const NO_FIELDS: LogRecord['fields'] = Object.freeze({});

/**
 * A line ends at a newline, before which one carriage return is dropped; everything else (NUL, lone carriage returns, escape
 * sequences) stays. A line of more than `maxLine` bytes comes in pieces that end between two characters.
 */
export function lineSplitter(source: LineSource): LineSplitter {
  return new Splitter(source);
}

class Splitter implements LineSplitter {
  readonly #source: LineSource;
  readonly #max: number;
  /** The beginning of a line whose end has not come; of a long one what is left after its pieces. */
  #held: Buffer = Buffer.alloc(0);
  #length = 0;
  /** A piece of the line that is held has been handed on. */
  #cut = false;

  constructor(source: LineSource) {
    this.#source = source;
    this.#max = Math.max(16, source.maxLine ?? MAX_LINE);
  }

  push(chunk: Uint8Array, at: WallTime): LogRecord[] {
    const records: LogRecord[] = [];
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let from = 0;
    if (this.#length > 0) {
      const end = bytes.indexOf(NEWLINE);
      this.#hold(bytes, 0, end === -1 ? bytes.length : end, at, records);
      if (end === -1) return records;
      this.#finish(this.#held.subarray(0, this.#length), true, at, records);
      this.#release();
      from = end + 1;
    }
    const last = bytes.lastIndexOf(NEWLINE);
    if (last >= from) {
      this.#lines(bytes.subarray(from, last + 1), at, records);
      from = last + 1;
    }
    this.#hold(bytes, from, bytes.length, at, records);
    return records;
  }

  end(at: WallTime): LogRecord[] {
    const records: LogRecord[] = [];
    if (this.#length > 0) this.#finish(this.#held.subarray(0, this.#length), false, at, records);
    this.#release();
    return records;
  }

  /**
   * Whole lines, each with its newline. Each is decoded for itself: a part of a larger text would keep the whole of it in memory
   * for as long as one line of it is held somewhere.
   */
  #lines(bytes: Buffer, at: WallTime, records: LogRecord[]): void {
    const ascii = isAscii(bytes);
    for (let from = 0; from < bytes.length; ) {
      const newline = bytes.indexOf(NEWLINE, from);
      const end = newline > from && bytes[newline - 1] === RETURN ? newline - 1 : newline;
      if (ascii && end - from <= this.#max)
        records.push(this.#record(bytes.toString('latin1', from, end), false, 'whole', at));
      else this.#finish(bytes.subarray(from, newline), true, at, records);
      from = newline + 1;
    }
  }

  /** Adds to the line that is held. Hands on its beginning as soon as it is too long whatever comes next. */
  #hold(bytes: Buffer, from: number, to: number, at: WallTime, records: LogRecord[]): void {
    let next = from;
    while (next < to) {
      // Two more than a piece: a carriage return may yet turn out to be part of the line’s end.
      const room = this.#max + 2 - this.#length;
      const taken = Math.min(room, to - next);
      this.#append(bytes, next, next + taken);
      next += taken;
      if (this.#length === this.#max + 2) {
        const piece = this.#held.subarray(0, boundary(this.#held, 0, this.#max));
        records.push(this.#decoded(piece, this.#cut ? 'part' : 'head', at));
        this.#cut = true;
        this.#held.copyWithin(0, piece.length, this.#length);
        this.#length -= piece.length;
      }
    }
  }

  #append(bytes: Buffer, from: number, to: number): void {
    const wanted = this.#length + to - from;
    if (wanted > this.#held.length) {
      const grown = Buffer.alloc(Math.min(this.#max + 2, Math.max(256, wanted, 2 * this.#held.length)));
      this.#held.copy(grown, 0, 0, this.#length);
      this.#held = grown;
    }
    bytes.copy(this.#held, this.#length, from, to);
    this.#length = wanted;
  }

  #release(): void {
    this.#length = 0;
    this.#cut = false;
    if (this.#held.length > KEPT) this.#held = Buffer.alloc(0);
  }

  /** The end of a line, of which pieces may have been handed on. */
  #finish(bytes: Buffer, terminated: boolean, at: WallTime, records: LogRecord[]): void {
    const end = terminated && bytes.at(-1) === RETURN ? bytes.length - 1 : bytes.length;
    let from = 0;
    let cut = this.#cut;
    while (end - from > this.#max) {
      const to = boundary(bytes, from, from + this.#max);
      records.push(this.#decoded(bytes.subarray(from, to), cut ? 'part' : 'head', at));
      from = to;
      cut = true;
    }
    records.push(this.#decoded(bytes.subarray(from, end), cut ? 'tail' : 'whole', at));
  }

  #decoded(bytes: Buffer, piece: LogRecord['piece'], at: WallTime): LogRecord {
    const text = bytes.toString('utf8');
    // A worker may write the replacement character itself.
    return this.#record(text, text.includes('\ufffd') && !isUtf8(bytes), piece, at);
  }

  #record(text: string, damaged: boolean, piece: LogRecord['piece'], at: WallTime): LogRecord {
    const { workerId, run, stream, numbers } = this.#source;
    const seq = numbers.next;
    numbers.next = seq + 1;
    return {
      workerId,
      run,
      stream,
      at,
      seq,
      text,
      damaged,
      piece,
      level: null,
      time: null,
      message: text,
      fields: NO_FIELDS,
    };
  }
}

/** The place up to `to` where no character is torn apart. Bytes that are no UTF-8 are cut anywhere. */
function boundary(bytes: Buffer, from: number, to: number): number {
  let at = to;
  while (at > from && to - at < 3 && ((bytes[at] as number) & 0xc0) === 0x80) at -= 1;
  return ((bytes[at] as number) & 0xc0) === 0x80 || at === from ? to : at;
}
