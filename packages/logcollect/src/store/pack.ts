import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip, createZstdCompress, constants as zlib } from 'node:zlib';
import { trailerOf } from './origin.ts';
import { openStored, type StoredFile } from './stored-file.ts';

const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | (constants.O_NOFOLLOW ?? 0);

/** What was compressed. */
export interface Packed {
  readonly device: number;
  readonly inode: number;
}

/** Writes a compressed copy of a file as `packInto` does; null: there is no regular file of that name. */
export async function pack(
  path: string,
  made: string,
  compression: 'gzip' | 'zstd',
  signal: AbortSignal | null,
): Promise<Packed | null> {
  const file = await openStored(path);
  if (file === null) return null;
  try {
    await packInto(file, made, compression, signal);
    const [device, inode] = file.identity.split(':').map(Number);
    return { device: device ?? 0, inode: inode ?? 0 };
  } finally {
    await file.close();
  }
}

/**
 * Writes a compressed copy, on libuv’s threads, that tells which file it was made of. Resolves when it is on the disk, with the time
 * and the permissions of the file: followers and ranges go by them. Answers its size.
 */
export async function packInto(
  file: StoredFile,
  made: string,
  compression: 'gzip' | 'zstd',
  signal: AbortSignal | null,
): Promise<number> {
  const out = await open(made, CREATE, 0o600);
  try {
    const packer =
      compression === 'zstd'
        ? createZstdCompress({ params: { [zlib.ZSTD_c_compressionLevel]: 3, [zlib.ZSTD_c_checksumFlag]: 1 } })
        : createGzip({ level: 6 });
    const source = Readable.from(copies(file), { objectMode: false, highWaterMark: 1 });
    await pipeline(source, packer, (packed) => append(out, packed), signal === null ? {} : { signal });
    const origin = { identity: file.identity, size: file.size, mtime: file.mtime };
    await out.write(trailerOf(compression, origin));
    await file.lend(out);
    await out.sync();
    return (await out.stat()).size;
  } finally {
    await out.close();
  }
}

/** A compressor goes on reading its input on another thread: each part is memory of its own. */
async function* copies(file: StoredFile): AsyncGenerator<Buffer, void, void> {
  for await (const { bytes } of file.content(0, file.size)) yield Buffer.from(bytes);
}

async function append(out: FileHandle, packed: AsyncIterable<unknown>): Promise<void> {
  for await (const bytes of packed) await out.appendFile(bytes as Buffer);
}
