import { dirname } from 'node:path';
import type { Bytes, Clock, EventDraft, LogSpec, MonotonicTime, WorkerId } from '@hsu-master/core';
import { planBatch } from './batch.ts';
import { codeOf, type Disk } from './disk.ts';
import { rotate } from './rotation.ts';

/** Whose bytes they are: the events about a file name the run that wrote to it last. */
export interface Source {
  readonly workerId: WorkerId;
  readonly run: number;
  readonly log: Pick<LogSpec, 'maxSize' | 'maxFiles'>;
}

/** What log files share. */
export interface FileSurroundings {
  readonly clock: Clock;
  readonly disk: Disk;
  publish(event: EventDraft, source: Source): void;
  /** Closes the descriptors of files that nobody writes to at the moment. */
  relieve(): void;
}

interface Waiting {
  readonly bytes: Uint8Array;
  readonly done: (written: boolean) => void;
}

interface OpenFile {
  readonly fd: number;
  readonly identity: string;
  readonly regular: boolean;
  size: Bytes;
  atLineEnd: boolean;
  /** When the path was last seen to name this very file. */
  verified: MonotonicTime;
}

interface Outage {
  bytes: Bytes;
  nextTry: MonotonicTime;
}

/** More waiting bytes than this are dropped. Flow control keeps far below; this bounds memory should it not. */
const QUEUE_LIMIT = 16 * 1024 * 1024;
const RETRY_AFTER = 1000;
const VERIFY_AFTER = 1000;
const DESCRIPTOR_TRIES = 10;
const DESCRIPTOR_PAUSE = 100;
/** Buffers in one call; Linux takes 1024. */
const BUFFERS_AT_ONCE = 256;
const NEWLINE = 10;

/**
 * One log file: appends in the order of arrival, opens itself when there is something to write, rotates before it would grow
 * past its bound. When the disk refuses, bytes are dropped and counted, and the next bytes after a second are the next try.
 * Nothing here ever throws.
 */
export class LogFile {
  readonly #path: string;
  readonly #in: FileSurroundings;
  #source: Source;
  #queue: Waiting[] = [];
  #queued: Bytes = 0;
  /** Bytes of the first waiting chunk that are written already. */
  #offset: Bytes = 0;
  #open: OpenFile | null = null;
  #working: Promise<void> | null = null;
  #outage: Outage | null = null;
  /** Set while the file cannot be rotated and grows instead: when to try again. */
  #unrotatable: MonotonicTime | null = null;
  #lastWrite: MonotonicTime;

  constructor(path: string, source: Source, surroundings: FileSurroundings) {
    this.#path = path;
    this.#source = source;
    this.#in = surroundings;
    this.#lastWrite = surroundings.clock.now();
  }

  /** Takes a chunk over until `done` is called: it is written then, or dropped, perhaps after its first bytes, and counted. */
  write(bytes: Uint8Array, source: Source, done: (written: boolean) => void): void {
    this.#source = source;
    if (bytes.length === 0) {
      done(true);
      return;
    }
    if (this.#waitsForDisk() || this.#queued + bytes.length > QUEUE_LIMIT) {
      this.#drop(bytes.length, `${this.#path} is written too slowly`);
      done(false);
      return;
    }
    this.#queue.push({ bytes, done });
    this.#queued += bytes.length;
    this.#working ??= this.#work();
  }

  /** Whether nothing waits to be written. */
  get quiet(): boolean {
    return this.#working === null;
  }

  /** Closes the descriptor if nothing was written since `before`. True when nothing is left to remember of this file. */
  closeIfIdle(before: MonotonicTime): boolean {
    if (!this.quiet || this.#lastWrite > before) return false;
    void this.#letGo();
    return this.#outage === null;
  }

  /** Writes what waits, closes the descriptor, and announces an outage that has not ended. */
  async close(): Promise<void> {
    while (this.#working !== null) await this.#working;
    await this.#letGo();
    this.#endOutage('the log is closed');
  }

  #waitsForDisk(): boolean {
    return this.#outage !== null && this.#in.clock.now() < this.#outage.nextTry;
  }

  async #work(): Promise<void> {
    while (this.#queue.length > 0) {
      try {
        await this.#step();
      } catch (error) {
        await this.#fail(error);
      }
    }
    this.#working = null;
  }

  /** One write, and the rotation after it. */
  async #step(): Promise<void> {
    const file = await this.#current();
    const { take, rotate: full } = planBatch(this.#unwritten(), file, this.#bound(file));
    let written = 0;
    if (take > 0) {
      const buffers = firstBytes(this.#unwritten(), take);
      written = await this.#in.disk.append(file.fd, buffers);
      if (written === 0) throw new Error('nothing was written');
      this.#count(file, buffers, written);
      if (!this.#waitsForDisk()) this.#endOutage(`${this.#path} is written again`);
    }
    if (full && written === take) await this.#rotate(file);
  }

  #unwritten(): readonly Uint8Array[] {
    const chunks = this.#queue.slice(0, BUFFERS_AT_ONCE).map((waiting) => waiting.bytes);
    const first = chunks[0];
    if (first !== undefined && this.#offset > 0) chunks[0] = first.subarray(this.#offset);
    return chunks;
  }

  #bound(file: OpenFile): Bytes {
    if (!file.regular) return 0;
    if (this.#unrotatable !== null && this.#in.clock.now() < this.#unrotatable) return 0;
    return this.#source.log.maxSize;
  }

  #count(file: OpenFile, buffers: readonly Uint8Array[], written: Bytes): void {
    file.size += written;
    file.atLineEnd = byteBefore(buffers, written) === NEWLINE;
    this.#lastWrite = this.#in.clock.now();
    this.#queued -= written;
    let left = written + this.#offset;
    let finished = 0;
    while (finished < this.#queue.length) {
      const { length } = (this.#queue[finished] as Waiting).bytes;
      if (length > left) break;
      left -= length;
      finished += 1;
    }
    this.#offset = left;
    for (const waiting of this.#queue.splice(0, finished)) waiting.done(true);
  }

  async #rotate(file: OpenFile): Promise<void> {
    await this.#letGo();
    try {
      await rotate(this.#in.disk, this.#path, this.#source.log.maxFiles);
      this.#unrotatable = null;
      this.#publish({ type: 'log.rotated', payload: { file: this.#path } });
    } catch (error) {
      const reason = `cannot rotate ${this.#path}, which grows past ${file.size} bytes: ${describe(error)}`;
      if (this.#unrotatable === null) this.#publishDropped(0, reason);
      this.#unrotatable = this.#in.clock.now() + RETRY_AFTER;
    }
  }

  /** The open file, after a look, at most once a second, whether the path still names it. */
  async #current(): Promise<OpenFile> {
    const file = this.#open;
    const now = this.#in.clock.now();
    if (file !== null && now - file.verified >= VERIFY_AFTER) {
      const facts = await this.#in.disk.facts(this.#path).catch(() => null);
      if (facts?.identity === file.identity) {
        file.size = facts.size;
        file.verified = now;
      } else {
        await this.#letGo();
      }
    }
    this.#open ??= await this.#openNow();
    return this.#open;
  }

  async #openNow(): Promise<OpenFile> {
    const { disk, clock } = this.#in;
    let folderMade = false;
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#tryOpen();
      } catch (error) {
        const code = codeOf(error);
        if (code === 'ENOENT' && !folderMade) {
          folderMade = true;
          await disk.makeFolder(dirname(this.#path));
        } else if ((code === 'EMFILE' || code === 'ENFILE') && tries < DESCRIPTOR_TRIES) {
          this.#in.relieve();
          await new Promise<void>((resolve) => clock.after(DESCRIPTOR_PAUSE, resolve));
        } else {
          throw error;
        }
      }
    }
  }

  async #tryOpen(): Promise<OpenFile> {
    const { disk, clock } = this.#in;
    const fd = await disk.open(this.#path);
    try {
      const facts = await disk.facts(fd);
      return { fd, ...facts, atLineEnd: true, verified: clock.now() };
    } catch (error) {
      await disk.close(fd).catch(() => undefined);
      throw error;
    }
  }

  /** Forgets the descriptor before it is closed, so that nobody can use it in between. */
  async #letGo(): Promise<void> {
    const file = this.#open;
    this.#open = null;
    if (file !== null) await this.#in.disk.close(file.fd).catch(() => undefined);
  }

  async #fail(error: unknown): Promise<void> {
    await this.#letGo();
    const lost = this.#queue;
    const bytes = this.#queued;
    this.#queue = [];
    this.#queued = 0;
    this.#offset = 0;
    this.#drop(bytes, `cannot write ${this.#path}: ${describe(error)}`);
    for (const waiting of lost) waiting.done(false);
  }

  /** Counts lost bytes; the first ones of an outage are announced with the reason. */
  #drop(bytes: Bytes, reason: string): void {
    const now = this.#in.clock.now();
    if (this.#outage === null) {
      this.#outage = { bytes: 0, nextTry: now + RETRY_AFTER };
      this.#publishDropped(0, reason);
    }
    this.#outage.bytes += bytes;
    if (now >= this.#outage.nextTry) this.#outage.nextTry = now + RETRY_AFTER;
  }

  #endOutage(reason: string): void {
    if (this.#outage === null) return;
    const { bytes } = this.#outage;
    this.#outage = null;
    this.#publishDropped(bytes, reason);
  }

  #publishDropped(bytes: Bytes, reason: string): void {
    this.#publish({ type: 'log.dropped', payload: { bytes, reason } });
  }

  #publish(event: EventDraft): void {
    this.#in.publish(event, this.#source);
  }
}

/** `ENOSPC: no space left on device` from Node's `ENOSPC: no space left on device, write`. */
function describe(error: unknown): string {
  return error instanceof Error ? (error.message.split(', ')[0] as string) : String(error);
}

function firstBytes(chunks: readonly Uint8Array[], count: Bytes): readonly Uint8Array[] {
  const first: Uint8Array[] = [];
  let left = count;
  for (const chunk of chunks) {
    if (left === 0) break;
    const part = chunk.length <= left ? chunk : chunk.subarray(0, left);
    first.push(part);
    left -= part.length;
  }
  return first;
}

function byteBefore(chunks: readonly Uint8Array[], end: Bytes): number | undefined {
  let before = 0;
  for (const chunk of chunks) {
    if (end <= before + chunk.length) return chunk[end - before - 1];
    before += chunk.length;
  }
  return undefined;
}
