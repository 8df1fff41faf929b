import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Bytes, WallTime } from '@hsu-master/core';
import {
  changeOf,
  continues,
  endOfHole,
  hasContent,
  identityOf,
  isCopyAt,
  isSame,
  lineStart,
  newlines,
} from './chain-files.ts';
import { newestFirst } from './family.ts';
import { HEAD, type Head, type Part, type StoredFile } from './stored-file.ts';
import type { Place } from './stored-line.ts';
import { isAt } from './walk.ts';

/** Where to begin with a log: what is there already, or from a place on. */
export type Begin = 'beginning' | 'end' | Place;

/** What a reader is given. */
export type Step =
  | {
      readonly kind: 'bytes';
      readonly part: Part;
      readonly file: StoredFile;
      /** Its beginning, as it was when it was read. */
      readonly head: Head;
      /** `joined`: from the next file, in which a line goes on that has not ended; `apart`: they do not follow those before. */
      readonly how: 'on' | 'joined' | 'apart';
    }
  /** The reader was too slow, or a file was emptied before it was read. Of a line that has not ended the rest is among it. */
  | { readonly kind: 'lost'; readonly bytes: Bytes; readonly lines: number };

interface Link {
  readonly file: StoredFile;
  /** The beginning of what was read: the file may be emptied and get another. */
  head: Head;
  /** The next byte to be read. */
  at: Bytes;
  /** The largest size that was seen. */
  seen: Bytes;
  /** It continues what is before it. */
  readonly joins: boolean;
  /** The last bytes before `at`: a file that was emptied and filled again has others there. */
  before: Buffer;
  /** When it had been written at the last look. */
  checked: WallTime;
  /** It was emptied in its place and may begin with bytes that nobody wrote. */
  hole: boolean;
  /** Of a compressed file, which is read at one go. */
  parts: AsyncGenerator<Part, void, void> | null;
}

const OVERLAP: Bytes = 64;
const PART: Bytes = 64 * 1024;
const NEWLINE = 0x0a;
/** Files that are held open at most, once the reader has been at the end. */
const MOST_FILES = 64;
const MOST_KNOWN = 256;

const NO_HEAD: Head = { length: 0, crc: 0 };

async function linkTo(file: StoredFile, at: Bytes, joins: boolean): Promise<Link> {
  return { ...emptyLink(file, joins), at, head: await file.head() };
}

function emptyLink(file: StoredFile, joins: boolean): Link {
  const { size: seen, written: checked } = file;
  return {
    file,
    head: NO_HEAD,
    at: 0,
    seen,
    joins,
    before: Buffer.alloc(0),
    checked,
    hole: false,
    parts: null,
  };
}

/**
 * The bytes of a log as they are written, through rotation, compression, truncation, removal and re-creation: files are held by
 * their descriptors and read to their end in the order in which they were written. Calls must not overlap.
 */
export class Chain {
  readonly path: string;
  readonly #maxLag: Bytes;
  /** The oldest first; the last one is being written. */
  #links: Link[] = [];
  #caughtUp = false;
  #lost: { bytes: Bytes; lines: number } | null = null;
  #how: 'on' | 'joined' | 'apart' = 'apart';
  /** Files that are older than the first link, the newest last. */
  readonly #known: Place[] = [];
  /** When the folder had last changed, at the last look for rotated files without a current one. */
  #folderChanged: bigint | null = null;

  /** @param maxLag a reader that is further behind, after it has been at the end once, loses what is older */
  constructor(path: string, maxLag: Bytes) {
    this.path = path;
    this.#maxLag = maxLag;
  }

  /** Bytes that are there and have not been read, as far as is known. */
  get lag(): Bytes {
    return this.#links.reduce((sum, { file, at, seen }) => sum + Math.max(0, (file.length ?? seen) - at), 0);
  }

  async start(begin: Begin): Promise<void> {
    const kept: StoredFile[] = [];
    let isComplete = false;
    for await (const file of newestFirst(this.path, (file) => kept.includes(file))) {
      const isFound: boolean = !isComplete && typeof begin === 'object' && (await isAt(file, begin));
      const isOlder =
        typeof begin === 'object' && !isFound && file.number > 0 && file.written < begin.written;
      if (!isComplete && !isOlder) kept.push(file);
      // A copy that was made since the search began is no older one.
      else if (isOlder || file.written < (kept.at(-1)?.written ?? 0))
        this.#known.push(placeOf(await linkTo(file, 0, false)));
      isComplete ||= isFound || (begin === 'end' && kept.length > 0);
    }
    for (const [index, file] of kept.reverse().entries()) this.#links.push(await linkTo(file, 0, index > 0));
    const first = this.#links[0];
    if (first === undefined) return;
    if (begin === 'end') await this.#toEnd(first);
    else if (typeof begin === 'object' && (await isCopyAt(first.file, begin))) {
      const isWithin = begin.offset <= (first.file.length ?? Infinity);
      first.at = isWithin ? begin.offset : 0;
    }
    await this.#recall(first);
  }

  /** Reads once more the bytes before the place where it begins. */
  async #recall(first: Link): Promise<void> {
    if (first.file.compression !== 'none' || first.at === 0) return;
    const overlap = Math.min(OVERLAP, first.at);
    first.before = await first.file.read(first.at - overlap, overlap);
  }

  /** Behind the last line that has ended. */
  async #toEnd(first: Link): Promise<void> {
    const { file } = first;
    if (file.compression !== 'none') {
      first.at = file.length ?? Infinity;
      return;
    }
    first.at = file.size;
    const near = await file.read(Math.max(0, file.size - PART), Math.min(PART, file.size));
    const newline = near.lastIndexOf(NEWLINE);
    if (newline !== -1) first.at = file.size - near.length + newline + 1;
    else if (near.length === file.size) first.at = 0;
  }

  /** Looks what became of the files. true: there is something to read. */
  async look(): Promise<boolean> {
    const live = this.#links.at(-1) ?? null;
    await live?.file.look();
    const named = await identityOf(this.path);
    if (live !== null && named === live.file.identity) await this.#grown(live);
    else if (named !== null || (live !== null && (await this.#hasMoved(live)))) await this.#replaced(live);
    await this.#keepUp();
    return this.#lost !== null || this.#links.length > 1 || this.lag > 0;
  }

  async #grown(live: Link): Promise<void> {
    const { file, at, seen, before, checked } = live;
    let isEmptied = file.size < Math.max(at, seen);
    // One that was emptied and written to may have the same length again.
    if (!isEmptied && file.written !== checked && before.length > 0)
      isEmptied = !(await file.read(at - before.length, before.length)).equals(before);
    // Or none at all, as when it was looked at last.
    isEmptied ||= file.written !== checked && at === 0 && file.size === 0;
    live.checked = file.written;
    live.seen = file.size;
    if (isEmptied) await this.#emptied({ ...live, seen });
  }

  /** No file has the name. Whether there may be others than the last one that was seen, rotated already. */
  async #hasMoved(live: Link): Promise<boolean> {
    if ((await identityOf(`${this.path}.1`)) === live.file.identity) return false;
    const changed = await changeOf(dirname(this.path));
    if (changed === this.#folderChanged) return false;
    this.#folderChanged = changed;
    return true;
  }

  /** Another file has the name: it and those between are appended. */
  async #replaced(live: Link | null): Promise<void> {
    const kept: StoredFile[] = [];
    let isFound = false;
    for await (const file of newestFirst(this.path, (file) => kept.includes(file))) {
      isFound = live !== null && (await isSame(file, placeOf(live), true));
      if (isFound) break;
      kept.push(file);
    }
    const newer: StoredFile[] = [];
    for (const file of kept) if (isFound || (await this.#isNewer(file, live))) newer.push(file);
    for (const file of kept) if (!newer.includes(file)) await file.close();
    for (const [index, file] of newer.reverse().entries()) {
      this.#links.push(await linkTo(file, 0, index > 0 || isFound));
    }
  }

  /** Whether a file was made after the last link, which is in its place no more. */
  async #isNewer(file: StoredFile, live: Link | null): Promise<boolean> {
    if (file.number === 0) return true;
    if (live !== null && file.written !== live.file.written) return file.written > live.file.written;
    return !(await this.#isKnown(file));
  }

  /** A later file may have got the inode of one that is known, but is written later. */
  async #isKnown(file: StoredFile): Promise<boolean> {
    if (this.#links.some((link) => link.file.identity === file.identity)) return true;
    for (const known of this.#known) if (await isSame(file, known, false)) return true;
    return false;
  }

  /** Emptied in its place: what was in it may be in a copy that was made before, and what came then in later copies. */
  async #emptied(live: Link): Promise<void> {
    const missing = Math.max(0, live.seen - live.at);
    const copies = await this.#copiesOf(live);
    this.#links.pop();
    for (const [index, copy] of copies.entries()) {
      this.#links.push(await (index === 0 ? linkTo(copy, live.at, live.joins) : linkTo(copy, 0, true)));
    }
    if (copies.length === 0 && missing > 0) this.#lose(missing, 0);
    this.#links.push({ ...emptyLink(live.file, copies.length > 0), hole: true });
    if (this.#links.length === 1) this.#how = 'apart';
  }

  /** The copy that has the bytes that were read last where they were read, and those that were made after it. */
  async #copiesOf(live: Link): Promise<StoredFile[]> {
    const kept: StoredFile[] = [];
    let isFound = false;
    for await (const file of newestFirst(this.path, (file) => kept.includes(file))) {
      if (file.number === 0) continue;
      if (await this.#isKnown(file)) break;
      kept.push(file);
      isFound = live.at > 0 && (await continues(file, live));
      if (isFound) break;
    }
    if (isFound || live.at === 0) return kept.reverse();
    for (const file of kept) await file.close();
    return [];
  }

  /** The next bytes; null: there are none at the moment. */
  async read(): Promise<Step | null> {
    for (;;) {
      if (this.#lost !== null) {
        const lost = this.#lost;
        this.#lost = null;
        return { kind: 'lost', ...lost };
      }
      const [first, next] = this.#links;
      if (first === undefined) return null;
      // Looked at before the file is read: once the next one has something in it, this one gets nothing more.
      const isOver = next !== undefined && (this.#links.length > 2 || (await hasContent(next.file)));
      const part = await this.#partOf(first);
      if (part === 'again') continue;
      if (part !== null) {
        const how = this.#how;
        this.#how = 'on';
        first.head = extended(first.head, part);
        return { kind: 'bytes', part, file: first.file, head: first.head, how };
      }
      if (!isOver) {
        this.#caughtUp ||= next === undefined;
        return null;
      }
      await this.#dropFirst();
      if (this.#how !== 'apart') this.#how = next.joins ? 'joined' : 'apart';
    }
  }

  async #partOf(first: Link): Promise<Part | 'again' | null> {
    if (first.file.compression !== 'none') {
      first.parts ??= first.file.content(first.at);
      const next = await first.parts.next();
      if (next.done === true) return null;
      first.at = next.value.at + next.value.bytes.length;
      return next.value;
    }
    if (first.hole && first.at === 0) {
      first.at = await endOfHole(first.file);
      first.hole = first.at === 0;
    }
    const overlap = first.before.length;
    const bytes = await first.file.read(first.at - overlap, overlap + PART);
    if (!bytes.subarray(0, overlap).equals(first.before)) {
      await this.#rewritten(first);
      return 'again';
    }
    if (bytes.length === overlap) return null;
    const part = { bytes: bytes.subarray(overlap), at: first.at };
    first.at += part.bytes.length;
    first.seen = Math.max(first.seen, first.at);
    first.before = Buffer.from(bytes.subarray(-OVERLAP));
    return part;
  }

  /** The file has other bytes where those read last were. */
  async #rewritten(first: Link): Promise<void> {
    if (this.#links.at(-1) === first) {
      await this.#emptied(first);
      return;
    }
    first.at = 0;
    first.before = Buffer.alloc(0);
    this.#how = 'apart';
  }

  #lose(bytes: Bytes, lines: number): void {
    this.#lost ??= { bytes: 0, lines: 0 };
    this.#lost.bytes += bytes;
    this.#lost.lines += lines;
    this.#how = 'apart';
  }

  /** Gives up what a slow reader has not read. */
  async #keepUp(): Promise<void> {
    if (!this.#caughtUp) return;
    let bytes = 0;
    let lines = 0;
    while (this.#links.length > 1 && (this.lag > this.#maxLag || this.#links.length > MOST_FILES)) {
      const [first] = this.#links as [Link];
      const left = await newlines(first.file, first.at, Infinity);
      bytes += left.bytes;
      lines += left.lines;
      await this.#dropFirst();
    }
    const [last] = this.#links;
    if (last !== undefined && this.lag > this.#maxLag && last.file.compression === 'none') {
      const from = Math.max(last.at, last.file.size - Math.floor(this.#maxLag / 2));
      const to = await lineStart(last.file, from);
      const skipped = await newlines(last.file, last.at, to);
      bytes += skipped.bytes;
      lines += skipped.lines;
      last.at = to;
      last.before = await last.file.read(Math.max(0, to - OVERLAP), Math.min(OVERLAP, to));
    }
    if (bytes > 0) this.#lose(bytes, lines);
  }

  async #dropFirst(): Promise<void> {
    const first = this.#links.shift();
    if (first === undefined) return;
    await first.parts?.return();
    this.#known.push(placeOf(first));
    if (this.#known.length > MOST_KNOWN) this.#known.shift();
    await first.file.close();
  }

  /** Where the next byte is read from; null: there is no file. */
  place(): Place | null {
    const [first] = this.#links;
    return first === undefined ? null : placeOf(first);
  }

  async close(): Promise<void> {
    while (this.#links.length > 0) await this.#dropFirst();
  }
}

function placeOf({ file, head, at }: Link): Place {
  return { file: file.source, head, written: file.written, offset: at };
}

/** The beginning, with what has been read of it now. */
function extended(head: Head, { bytes, at }: Part): Head {
  if (at !== head.length || at >= HEAD) return head;
  const more = bytes.subarray(0, HEAD - at);
  return { length: at + more.length, crc: crc32(more, head.crc) };
}
