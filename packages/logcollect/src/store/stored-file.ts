import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { crc32, createGunzip, createZstdDecompress, constants as zlib } from 'node:zlib';
import type { Bytes, WallTime } from '@hsu-master/core';
import { codeOf } from '../file/disk.ts';
import { type Compression, type Origin, originIn, TRAILER_REACH } from './origin.ts';

/** The beginning of a file, by which it is known again where another has got its inode. */
export interface Head {
  readonly length: Bytes;
  readonly crc: number;
}

/** A part of a file’s content. The memory belongs to the reader of the file: it is valid until the next part is asked for. */
export interface Part {
  readonly bytes: Buffer;
  /** Where it begins in the content; of a compressed file in what it holds. */
  readonly at: Bytes;
}

const PART: Bytes = 128 * 1024;
/** A file is known again by so many bytes. */
export const HEAD: Bytes = 1024;
const MISSING = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO']);
// Non-blocking, so that a FIFO under that name stops nothing.
const READ = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** Opens a regular file; null where there is none. Rejects with an error that has a `code` for every other trouble. */
export async function openStored(
  path: string,
  number = 0,
  compression: Compression = 'none',
): Promise<StoredFile | null> {
  let handle: FileHandle;
  try {
    handle = await open(path, READ);
  } catch (error) {
    if (MISSING.has(codeOf(error))) return null;
    throw error;
  }
  try {
    const file = new StoredFile(handle, path, number, compression);
    if (await file.look()) return file;
    await handle.close();
    return null;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** One open file of a log: the current one, or one that was rotated and perhaps compressed. Its owner closes it. */
export class StoredFile {
  /** What it was called when it was opened. */
  readonly path: string;
  /** 0 is the current file, 1 the one rotated last. */
  readonly number: number;
  readonly compression: Compression;
  readonly #handle: FileHandle;
  /** Device and inode. */
  identity = '';
  /** Bytes on disk at the last look. */
  size: Bytes = 0;
  /** Of the last write, at the last look. */
  mtime: WallTime = 0;
  /** Whether it still has a name somewhere. */
  isLinked = true;
  /** Of a compressed file which it was; null: nobody knows. */
  origin: Origin | null = null;
  #head: Head | null = null;
  #isClosed = false;

  constructor(handle: FileHandle, path: string, number: number, compression: Compression) {
    this.#handle = handle;
    this.path = path;
    this.number = number;
    this.compression = compression;
  }

  /** Brings `size` and `mtime` up to date. false: this is no regular file. */
  async look(): Promise<boolean> {
    const facts = await this.#handle.stat({ bigint: true });
    if (!facts.isFile()) return false;
    const isNew = this.identity === '';
    this.identity = `${facts.dev}:${facts.ino}`;
    this.size = Number(facts.size);
    this.mtime = Number(facts.mtimeNs / 1000n) / 1000;
    this.isLinked = facts.nlink > 0n;
    if (isNew && this.compression !== 'none') {
      const end = await this.read(Math.max(0, this.size - TRAILER_REACH), TRAILER_REACH);
      this.origin = originIn(this.compression, end);
    }
    return true;
  }

  /** The identity of the file that it was before it was compressed, as far as is known. */
  get source(): string {
    return this.origin?.identity ?? this.identity;
  }

  /** When what it holds was last written. */
  get written(): WallTime {
    return this.origin?.mtime ?? this.mtime;
  }

  /** How much it holds; null: a compressed file that does not say. */
  get length(): Bytes | null {
    return this.compression === 'none' ? this.size : (this.origin?.size ?? null);
  }

  /** So many bytes of the file as it is on disk, fewer at its end. */
  async read(from: Bytes, length: Bytes): Promise<Buffer> {
    const buffer = Buffer.allocUnsafe(length);
    return buffer.subarray(0, await this.readInto(buffer, from));
  }

  async readInto(buffer: Buffer, from: Bytes): Promise<Bytes> {
    let got = 0;
    while (got < buffer.length) {
      const { bytesRead } = await this.#handle.read(buffer, got, buffer.length - got, from + got);
      if (bytesRead === 0) break;
      got += bytesRead;
    }
    return got;
  }

  /** What the file holds, from one place to another. A compressed file that is cut off ends where it is cut off. */
  async *content(from: Bytes, to: Bytes = Infinity): AsyncGenerator<Part, void, void> {
    if (this.compression === 'none') {
      yield* this.#plain(from, to);
      return;
    }
    let at = 0;
    for await (const bytes of this.#decompressed()) {
      const begin = Math.max(0, from - at);
      const end = Math.min(bytes.length, to - at);
      if (begin < end) yield { bytes: bytes.subarray(begin, end), at: at + begin };
      at += bytes.length;
      if (at >= to) return;
    }
  }

  async *#plain(from: Bytes, to: Bytes): AsyncGenerator<Part, void, void> {
    const buffer = Buffer.allocUnsafe(Math.max(1, Math.min(PART, this.size - from + 1)));
    for (let at = from; at < to; ) {
      const { bytesRead } = await this.#handle.read(buffer, 0, Math.min(buffer.length, to - at), at);
      if (bytesRead === 0) return;
      yield { bytes: buffer.subarray(0, bytesRead), at };
      at += bytesRead;
    }
  }

  async *#decompressed(): AsyncGenerator<Buffer, void, void> {
    const isZstd = this.compression === 'zstd';
    const out = isZstd
      ? createZstdDecompress({ chunkSize: PART, finishFlush: zlib.ZSTD_e_flush })
      : createGunzip({ chunkSize: PART, finishFlush: zlib.Z_SYNC_FLUSH });
    const raw = this.#raw();
    pipeline(raw, out, () => undefined);
    try {
      for await (const chunk of out) yield chunk as Buffer;
    } catch (error) {
      if (codeOf(error) !== 'Z_BUF_ERROR') throw error;
    } finally {
      out.destroy();
      await raw.return().catch(() => undefined);
    }
  }

  /** Each part is memory of its own: a decompressor reads it on another thread. */
  async *#raw(): AsyncGenerator<Buffer, void, void> {
    for (let at = 0; ; ) {
      const bytes = await this.read(at, PART);
      if (bytes.length === 0) return;
      yield bytes;
      at += bytes.length;
    }
  }

  /** By the content up to `most`, at most 1 KiB. */
  async head(most: Bytes = HEAD): Promise<Head> {
    const length = Math.min(most, HEAD);
    const known = this.#head;
    if (known !== null && (known.length === length || (this.#isClosed && known.length < length)))
      return known;
    let crc = 0;
    let got = 0;
    for await (const { bytes } of this.content(0, length)) {
      crc = crc32(bytes, crc);
      got += bytes.length;
    }
    this.#head = { length: got, crc };
    return this.#head;
  }

  async beginsWith(head: Head): Promise<boolean> {
    const own = await this.head(head.length);
    return own.length === head.length && own.crc === head.crc;
  }

  /** Gives another file the times, the permissions and, where this process may, the owner of this one. */
  async lend(to: FileHandle): Promise<void> {
    const { mode, uid, gid, atime, mtime } = await this.#handle.stat();
    // Before the permissions: a change of owner takes some of them away.
    await to.chown(uid, gid).catch(() => undefined);
    await to.chmod(mode & 0o777);
    await to.utimes(atime, mtime);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#handle.close();
  }
}
