import type { Bytes, WallTime } from '@hsu-master/core';

/** Compressions of rotated files. */
export type Compression = 'none' | 'gzip' | 'zstd';

export const SUFFIXES: Readonly<Record<Compression, string>> = { none: '', gzip: '.gz', zstd: '.zst' };

/** Which file a compressed one was made of. */
export interface Origin {
  /** Device and inode, as in `StoredFile.identity`. */
  readonly identity: string;
  /** How long it was. */
  readonly size: Bytes;
  /** When it was last written: a later file may have its inode. */
  readonly mtime: WallTime;
}

const MARK = Buffer.from('HSULOG1\0', 'latin1');
const PAYLOAD = 40;
// A frame that decoders of zstd skip, and an empty member with an extra field, which those of gzip take for nothing.
const ZSTD_HEADER = Buffer.from([0x50, 0x2a, 0x4d, 0x18, PAYLOAD, 0, 0, 0]);
const GZIP_HEADER = Buffer.from([31, 139, 8, 4, 0, 0, 0, 0, 0, 255, PAYLOAD + 4, 0, 72, 83, PAYLOAD, 0]);
const GZIP_END = Buffer.from([3, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

/** Bytes at the end of a compressed file that may hold its origin. */
export const TRAILER_REACH: Bytes = GZIP_HEADER.length + PAYLOAD + GZIP_END.length;

/** What is appended to a compressed file, so that it is known which file it was; other programs decompress it as ever. */
export function trailerOf(compression: 'gzip' | 'zstd', { identity, size, mtime }: Origin): Buffer {
  const [device, inode] = identity.split(':');
  const payload = Buffer.alloc(PAYLOAD);
  MARK.copy(payload);
  payload.writeBigUInt64LE(BigInt(device ?? 0), 8);
  payload.writeBigUInt64LE(BigInt(inode ?? 0), 16);
  payload.writeBigUInt64LE(BigInt(size), 24);
  payload.writeDoubleLE(mtime, 32);
  return Buffer.concat(compression === 'zstd' ? [ZSTD_HEADER, payload] : [GZIP_HEADER, payload, GZIP_END]);
}

/** The origin in the last bytes of a compressed file; null where another program made it or it is not complete. */
export function originIn(compression: 'gzip' | 'zstd', end: Buffer): Origin | null {
  const header = compression === 'zstd' ? ZSTD_HEADER : GZIP_HEADER;
  const after = compression === 'zstd' ? 0 : GZIP_END.length;
  const from = end.length - after - PAYLOAD;
  if (from < header.length || !end.subarray(from - header.length, from).equals(header)) return null;
  const payload = end.subarray(from, from + PAYLOAD);
  if (!payload.subarray(0, MARK.length).equals(MARK)) return null;
  const identity = `${payload.readBigUInt64LE(8)}:${payload.readBigUInt64LE(16)}`;
  return { identity, size: Number(payload.readBigUInt64LE(24)), mtime: payload.readDoubleLE(32) };
}
