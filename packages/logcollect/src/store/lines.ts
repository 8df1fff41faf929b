import { isUtf8 } from 'node:buffer';
import type { Bytes } from '@hsu-master/core';
import type { LogRecord } from '../record.ts';
import type { StoredFile } from './stored-file.ts';

/** A line as it is in a file, or a piece of one that is too long. */
export interface RawLine {
  /** Without the line’s end. */
  readonly text: string;
  readonly damaged: boolean;
  readonly piece: LogRecord['piece'];
  /** Where it begins in the content of its file. */
  readonly from: Bytes;
  /** Where what follows begins. */
  readonly next: Bytes;
}

/** Longer lines come in pieces. */
export const LONGEST: Bytes = 65_536;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const BLOCK: Bytes = 128 * 1024;
/** A character has at most so many bytes after its first. */
const FOLLOWING = 3;

function rawLine(bytes: Buffer, piece: LogRecord['piece'], from: Bytes, next: Bytes): RawLine {
  const text = bytes.toString('utf8');
  return { text, damaged: text.includes('\ufffd') && !isUtf8(bytes), piece, from, next };
}

/** Moves a cut back to where no character is torn apart. Bytes that are no UTF-8 are cut anywhere. */
function characterStart(bytes: Buffer, at: number): number {
  let to = at;
  while (to > at - FOLLOWING && ((bytes[to] as number) & 0xc0) === 0x80) to -= 1;
  return ((bytes[to] as number) & 0xc0) === 0x80 ? at : to;
}

/**
 * Cuts content into lines. Where a long line is cut depends on where it begins and on nothing else, so that it has the same pieces
 * whichever way it is read.
 */
export class LineCutter {
  /** What belongs to the line that has not ended, from `#handed` on. */
  #held: Buffer = Buffer.alloc(0);
  #start: Bytes;
  #handed: Bytes;

  /** @param at where the first line begins */
  constructor(at: Bytes) {
    this.#start = at;
    this.#handed = at;
  }

  /** Bytes of a line that has not ended. */
  get held(): Bytes {
    return this.#held.length;
  }

  /** Where what has not been handed on begins. */
  get place(): Bytes {
    return this.#handed;
  }

  /** The parts follow each other. Keeps no reference to the bytes. */
  push(bytes: Buffer): RawLine[] {
    const all = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
    const base = this.#handed;
    const lines: RawLine[] = [];
    let from = 0;
    for (let end = all.indexOf(NEWLINE); end !== -1; end = all.indexOf(NEWLINE, from)) {
      this.#finish(
        all,
        base,
        { from, end: end - (end > from && all[end - 1] === RETURN ? 1 : 0), next: end + 1 },
        lines,
      );
      from = end + 1;
    }
    // One more for a carriage return that may turn out to be part of the line’s end, one more to know that it is none.
    from = this.#pieces(all, base, { from, end: all.length - 2 }, lines);
    this.#held = Buffer.from(all.subarray(from));
    return lines;
  }

  /** No more will come: a last line without its end counts. */
  end(): RawLine[] {
    const lines: RawLine[] = [];
    if (this.#held.length === 0) return lines;
    const { length } = this.#held;
    this.#finish(this.#held, this.#handed, { from: 0, end: length, next: length }, lines);
    this.#held = Buffer.alloc(0);
    return lines;
  }

  /** Hands on what is held of a line before its end is there; the rest comes as its last piece. */
  release(): RawLine[] {
    if (this.#held.length === 0) return [];
    const from = this.#handed;
    const piece = from === this.#start ? 'head' : 'part';
    this.#handed = from + this.#held.length;
    const line = rawLine(this.#held, piece, from, this.#handed);
    this.#held = Buffer.alloc(0);
    return [line];
  }

  /** The content goes on in another file, where the same byte has another place. */
  moveTo(at: Bytes): void {
    const shift = at - (this.#handed + this.#held.length);
    this.#start += shift;
    this.#handed += shift;
  }

  #pieces(all: Buffer, base: Bytes, { from, end }: { from: number; end: number }, lines: RawLine[]): number {
    let at = from;
    for (;;) {
      const grid =
        this.#start + (Math.floor((this.#handed - this.#start + FOLLOWING) / LONGEST) + 1) * LONGEST - base;
      if (grid >= end) return at;
      const cut = characterStart(all, grid);
      const piece = this.#handed === this.#start ? 'head' : 'part';
      lines.push(rawLine(all.subarray(at, cut), piece, base + at, base + cut));
      this.#handed = base + cut;
      at = cut;
    }
  }

  #finish(
    all: Buffer,
    base: Bytes,
    line: { from: number; end: number; next: number },
    lines: RawLine[],
  ): void {
    const from = this.#pieces(all, base, line, lines);
    const piece = this.#handed === this.#start ? 'whole' : 'tail';
    lines.push(rawLine(all.subarray(from, line.end), piece, base + from, base + line.next));
    this.#start = base + line.next;
    this.#handed = this.#start;
  }
}

/** The lines of a file from one place to another, in their order. `from` is where a line or a piece begins. */
export async function* linesOf(
  file: StoredFile,
  from: Bytes,
  to: Bytes = Infinity,
): AsyncGenerator<RawLine[], void, void> {
  const cutter = new LineCutter(from);
  for await (const { bytes } of file.content(from, to)) {
    const lines = cutter.push(bytes);
    if (lines.length > 0) yield lines;
  }
  const rest = cutter.end();
  if (rest.length > 0) yield rest;
}

/** The lines of an uncompressed file that begin before `to`, the last first. `to` is where a line begins, or the end. */
export async function* linesBackwards(file: StoredFile, to: Bytes): AsyncGenerator<RawLine[], void, void> {
  const block = Buffer.allocUnsafe(Math.max(1, Math.min(BLOCK, to)));
  let next = to;
  let end = to;
  if (to > 0 && (await file.read(to - 1, 1))[0] === NEWLINE) end = to - 1;
  for (let high = end; next > 0; ) {
    const low = Math.max(0, high - block.length);
    const bytes = block.subarray(0, await file.readInto(block.subarray(0, high - low), low));
    let lines: RawLine[] = [];
    for (let at = bytes.lastIndexOf(NEWLINE); ; at = at <= 0 ? -1 : bytes.lastIndexOf(NEWLINE, at - 1)) {
      if (at === -1 && low > 0) break;
      const from = low + at + 1;
      if (from < end && end - from <= LONGEST && end <= low + bytes.length) {
        const line = bytes.subarray(from - low, end - low);
        const length = end < next && line.at(-1) === RETURN ? line.length - 1 : line.length;
        lines.push(rawLine(line.subarray(0, length), 'whole', from, next));
      } else {
        for await (const line of lineBetween(file, { from, end, next }, { bytes, low })) {
          lines.push(line);
          if (line.piece === 'whole') continue;
          yield lines;
          lines = [];
        }
      }
      next = from;
      end = from - 1;
      if (at === -1) break;
    }
    high = low;
    if (lines.length > 0) yield lines;
  }
}

interface Extent {
  readonly from: Bytes;
  readonly end: Bytes;
  readonly next: Bytes;
}

/** The line, or its pieces with the last first. */
async function* lineBetween(
  file: StoredFile,
  { from, end, next }: Extent,
  { bytes, low }: { bytes: Buffer; low: Bytes },
): AsyncGenerator<RawLine, void, void> {
  let to = end;
  if (end < next && end > from) {
    const last =
      end > low && end <= low + bytes.length ? bytes[end - 1 - low] : (await file.read(end - 1, 1))[0];
    if (last === RETURN) to = end - 1;
  }
  const count = Math.max(1, Math.ceil((to - from) / LONGEST));
  for (let piece = count - 1; piece >= 0; piece -= 1) {
    const begin = piece === 0 ? from : await cutBefore(file, from + piece * LONGEST);
    const stop = piece === count - 1 ? to : await cutBefore(file, from + (piece + 1) * LONGEST);
    const isNear = begin >= low && stop <= low + bytes.length;
    const line = isNear ? bytes.subarray(begin - low, stop - low) : await file.read(begin, stop - begin);
    const place = count === 1 ? 'whole' : piece === 0 ? 'head' : piece === count - 1 ? 'tail' : 'part';
    yield rawLine(line, place, begin, piece === count - 1 ? next : stop);
  }
}

async function cutBefore(file: StoredFile, at: Bytes): Promise<Bytes> {
  const near = await file.read(at - FOLLOWING, FOLLOWING + 1);
  return at - FOLLOWING + characterStart(near, FOLLOWING);
}
