import { stat } from 'node:fs/promises';
import type { Bytes } from '@hsu-master/core';
import { newestFirst } from './family.ts';
import type { Part, StoredFile } from './stored-file.ts';
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
      /** `joined`: from the next file, in which a line goes on that has not ended; `apart`: they do not follow those before. */
      readonly how: 'on' | 'joined' | 'apart';
    }
  /** The reader was too slow, or a file was emptied before it was read. Of a line that has not ended the rest is among it. */
  | { readonly kind: 'lost'; readonly bytes: Bytes; readonly lines: number };

interface Link {
  readonly file: StoredFile;
  /** The next byte to be read. */
  at: Bytes;
  /** The largest size that was seen. */
  seen: Bytes;
  /** It continues what is before it. */
  readonly joins: boolean;
  /** The last bytes before `at`: a file that was emptied and filled again has others there. */
  before: Buffer;
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

function link(file: StoredFile, at: Bytes, joins: boolean): Link {
  return { file, at, seen: file.size, joins, before: Buffer.alloc(0), hole: false, parts: null };
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
  /** Identities of files that are older than the first link. */
  #known = new Set<string>();

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
        typeof begin === 'object' && !isFound && file.number > 0 && file.written <= begin.written;
      if (isComplete || isOlder) this.#known.add(file.source);
      else kept.push(file);
      isComplete ||= isFound || (begin === 'end' && kept.length > 0);
    }
    this.#links = kept.reverse().map((file, index) => link(file, 0, index > 0));
    const first = this.#links[0];
    if (first === undefined) return;
    if (begin === 'end') await this.#toEnd(first);
    else if (typeof begin === 'object' && (await isAt(first.file, begin))) {
      const isWithin = begin.offset <= (first.file.length ?? Infinity);
      first.at = isWithin ? begin.offset : 0;
    }
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
    const live = this.#links.at(-1);
    if (live !== undefined) await live.file.look();
    const named = await identityOf(this.path);
    if (live !== undefined && (named === null || named === live.file.identity)) {
      if (live.file.compression === 'none' && live.file.size < Math.max(live.at, live.seen))
        await this.#emptied(live);
      else live.seen = live.file.size;
    } else if (named !== null) await this.#replaced(live ?? null);
    await this.#keepUp();
    return this.#lost !== null || this.#links.length > 1 || this.lag > 0;
  }

  /** Another file has the name: it and those between are appended. */
  async #replaced(live: Link | null): Promise<void> {
    const kept: StoredFile[] = [];
    let isFound = false;
    for await (const file of newestFirst(this.path, (file) => kept.includes(file))) {
      isFound = live !== null && (await isSame(file, live.file));
      if (isFound) break;
      kept.push(file);
    }
    const newer = isFound ? kept : kept.filter((file) => this.#isNewer(file, live));
    for (const file of kept) if (!newer.includes(file)) await file.close();
    for (const [index, file] of newer.reverse().entries()) {
      this.#links.push(link(file, 0, index > 0 || isFound));
    }
  }

  /** Whether a file was made after the last link, which is in its place no more. */
  #isNewer(file: StoredFile, live: Link | null): boolean {
    if (file.number === 0) return true;
    if (live === null) return !this.#known.has(file.source);
    if (file.written !== live.file.written) return file.written > live.file.written;
    return !this.#known.has(file.source);
  }

  /** Emptied in its place: what was in it may be in a copy that was made before, and what came then in later copies. */
  async #emptied(live: Link): Promise<void> {
    const missing = Math.max(0, live.seen - live.at);
    const copies = await this.#copiesOf(live);
    this.#links.pop();
    for (const [index, copy] of copies.entries()) {
      this.#links.push(index === 0 ? link(copy, live.at, live.joins) : link(copy, 0, true));
    }
    if (copies.length === 0 && missing > 0) this.#lose(missing, 0);
    this.#links.push({ ...link(live.file, 0, copies.length > 0), hole: true });
    if (this.#links.length === 1) this.#how = 'apart';
  }

  /** The copy that has the bytes that were read last where they were read, and those that were made after it. */
  async #copiesOf(live: Link): Promise<StoredFile[]> {
    const kept: StoredFile[] = [];
    let isFound = false;
    for await (const file of newestFirst(this.path, (file) => kept.includes(file))) {
      if (file.number === 0) continue;
      if (this.#known.has(file.source)) break;
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
        return { kind: 'bytes', part, file: first.file, how };
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
    await first?.parts?.return();
    await first?.file.close();
    if (first !== undefined) this.#known.add(first.file.source);
  }

  async close(): Promise<void> {
    while (this.#links.length > 0) await this.#dropFirst();
  }
}

async function identityOf(path: string): Promise<string | null> {
  try {
    const facts = await stat(path, { bigint: true });
    return facts.isFile() ? `${facts.dev}:${facts.ino}` : null;
  } catch {
    return null;
  }
}

async function hasContent(file: StoredFile): Promise<boolean> {
  await file.look();
  return file.size > 0;
}

async function newlines(file: StoredFile, from: Bytes, to: Bytes): Promise<{ bytes: Bytes; lines: number }> {
  const found = { bytes: 0, lines: 0 };
  for await (const { bytes } of file.content(from, to)) {
    found.bytes += bytes.length;
    for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, at + 1)) found.lines += 1;
  }
  return found;
}

/** Behind the first newline at or after `from`; where there is none, the end. */
async function lineStart(file: StoredFile, from: Bytes): Promise<Bytes> {
  let end = from;
  for await (const { bytes, at } of file.content(from, file.size)) {
    const newline = bytes.indexOf(NEWLINE);
    if (newline !== -1) return at + newline + 1;
    end = at + bytes.length;
  }
  return end;
}

/** Whether a file is the one that is open. One that others compressed keeps its time and its beginning. */
async function isSame(file: StoredFile, open: StoredFile): Promise<boolean> {
  if (file.compression === 'none' || file.origin !== null)
    return file.source === open.source && file.written >= open.written;
  return Math.abs(file.mtime - open.mtime) < 1000 && (await file.beginsWith(await open.head()));
}

/** Whether a file has the bytes that were read last of another one where that one had them. */
async function continues(file: StoredFile, { at, before }: Link): Promise<boolean> {
  if ((file.length ?? Infinity) < at) return false;
  const overlap = Buffer.alloc(before.length);
  let got = 0;
  for await (const { bytes } of file.content(at - overlap.length, at)) got += bytes.copy(overlap, got);
  return got === overlap.length && overlap.equals(before);
}

/** How many bytes at the beginning are zero, as where somebody goes on to write at its old place into an emptied file. */
async function endOfHole(file: StoredFile): Promise<Bytes> {
  for await (const { bytes, at } of file.content(0)) {
    if (bytes[0] !== 0) return at;
    const index = bytes.equals(Buffer.alloc(bytes.length)) ? -1 : bytes.findIndex((byte) => byte !== 0);
    if (index !== -1) return at + index;
  }
  return 0;
}
