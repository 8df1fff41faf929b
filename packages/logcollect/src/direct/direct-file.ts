import { closeSync, existsSync, fstatSync, mkdirSync, openSync, readSync, type Stats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Bytes, Clock, LogSpec, WallTime } from '@hsu-master/core';
import { compressor } from '../store/compressor.ts';
import { copyAndEmpty, settleCopy } from './copied.ts';

/** What was rotated away, and may have to be heard still; positions go on from file to file. */
interface Copy {
  readonly handle: FileHandle;
  readonly from: Bytes;
  readonly to: Bytes;
}

const CHUNK: Bytes = 64 * 1024;

/**
 * A file that workers append to themselves. Positions count all bytes since it was opened here, over rotations. It is not
 * reopened when others move it: who writes to it goes on with what it holds.
 */
export class DirectFile {
  readonly path: string;
  readonly #fd: number;
  readonly #clock: Clock;
  readonly #isRegular: boolean;
  #log: LogSpec;
  /** Position of the file’s first byte. */
  #base: Bytes = 0;
  #copies: Copy[] = [];
  #settled: Promise<void> | null = null;
  #begunAt: WallTime;

  /** @throws the system’s error where it cannot be opened for appending */
  constructor(path: string, log: LogSpec, clock: Clock) {
    makeFolder(dirname(path));
    this.path = path;
    this.#log = log;
    this.#clock = clock;
    this.#fd = openSync(path, 'a+', 0o640);
    const facts = fstatSync(this.#fd);
    this.#isRegular = facts.isFile();
    this.#begunAt = facts.size > 0 ? facts.birthtimeMs : clock.wallNow();
  }

  /** The last one says how it is rotated. */
  use(log: LogSpec): void {
    this.#log = log;
  }

  /** Position behind the last byte. */
  end(): Bytes {
    return this.#base + this.#facts().size;
  }

  /** What follows on a position, up to `until`: where it begins, later where the bytes are gone; null: nothing yet. */
  async read(
    position: Bytes,
    until: Bytes,
    buffer: Uint8Array,
  ): Promise<{ readonly at: Bytes; readonly bytes: Uint8Array } | null> {
    if (!this.#isRegular) return null;
    this.#release(position);
    const copy = this.#copies[0];
    if (copy !== undefined && position < copy.to) {
      const at = Math.max(position, copy.from);
      const length = Math.min(CHUNK, buffer.length, until - at, copy.to - at);
      const { bytesRead } = await copy.handle.read(buffer, 0, Math.max(0, length), at - copy.from);
      if (bytesRead > 0) return { at, bytes: buffer.subarray(0, bytesRead) };
    }
    const { size } = this.#facts();
    // Somebody else has emptied it.
    if (this.#base + size < position) this.#base = position;
    const at = Math.max(position, this.#base);
    const length = Math.min(CHUNK, buffer.length, until - at, this.#base + size - at);
    if (length <= 0) return null;
    const read = readSync(this.#fd, buffer, 0, length, at - this.#base);
    return read === 0 ? null : { at, bytes: buffer.subarray(0, read) };
  }

  /** The last bytes behind a position. */
  tail(from: Bytes, length: Bytes): Uint8Array {
    if (!this.#isRegular) return new Uint8Array();
    const { size } = this.#facts();
    const start = Math.max(0, from - this.#base, size - length);
    const bytes = Buffer.alloc(Math.max(0, Math.min(length, size - start)));
    return bytes.subarray(0, readSync(this.#fd, bytes, 0, bytes.length, start));
  }

  /** Whether it has grown past its size, or its time is over. */
  isDue(): boolean {
    const { maxSize, files } = this.#log;
    const { size } = this.#facts();
    if (!this.#isRegular || size === 0) return false;
    if (maxSize > 0 && size >= maxSize) return true;
    return (
      files.rotateEvery > 0 &&
      spanOf(this.#clock.wallNow(), files.rotateEvery) > spanOf(this.#begunAt, files.rotateEvery)
    );
  }

  /** Copies and empties it. Rejects where that cannot be done; nothing was lost then. */
  async rotate(): Promise<void> {
    await this.settle();
    const { copy, size } = await copyAndEmpty(this.path, this.#fd, this.#log.maxFiles);
    this.#copies.push({ handle: copy, from: this.#base, to: this.#base + size });
    this.#base += size;
    this.#begunAt = this.#clock.wallNow();
    const { compression } = this.#log.files;
    if (compression === 'none') return;
    const { failed } = await compressor({ compression }).compress(this.path);
    if (failed.length > 0) throw new Error(failed.join('; '));
  }

  /** Ends what an earlier master had begun. */
  settle(): Promise<void> {
    this.#settled ??= settleCopy(this.path, this.#log.maxFiles).catch((error: unknown) => {
      this.#settled = null;
      throw error;
    });
    return this.#settled;
  }

  /** Everything before it was heard, or nobody wants it. */
  #release(position: Bytes): void {
    while (this.#copies[0] !== undefined && this.#copies[0].to <= position)
      void this.#copies.shift()?.handle.close();
  }

  close(): void {
    this.#release(Infinity);
    closeSync(this.#fd);
  }

  #facts(): Stats {
    return fstatSync(this.#fd);
  }
}

/** Which hour, or day, of local time. */
function spanOf(at: WallTime, seconds: number): number {
  const local = at - new Date(at).getTimezoneOffset() * 60_000;
  return Math.floor(local / (seconds * 1000));
}

/** Not by `recursive`: Node tries for ever where the system says ENOENT although the folder above is there, as in /proc. */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  mkdirSync(path, { mode: 0o750 });
}
