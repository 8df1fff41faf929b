import { stat } from 'node:fs/promises';
import type { Bytes } from '@hsu-master/core';
import type { StoredFile } from './stored-file.ts';
import type { Place } from './stored-line.ts';
import { isAt } from './walk.ts';

const NEWLINE = 0x0a;

/** Device and inode of the regular file of that name; null where there is none. */
export async function identityOf(path: string): Promise<string | null> {
  try {
    const facts = await stat(path, { bigint: true });
    return facts.isFile() ? `${facts.dev}:${facts.ino}` : null;
  } catch {
    return null;
  }
}

/** When a directory was last changed; null where there is none. */
export async function changeOf(folder: string): Promise<bigint | null> {
  try {
    return (await stat(folder, { bigint: true })).mtimeNs;
  } catch {
    return null;
  }
}

/** Whether there is anything in it now. */
export async function hasContent(file: StoredFile): Promise<boolean> {
  await file.look();
  return file.size > 0;
}

/** Bytes and line ends between two places. */
export async function newlines(
  file: StoredFile,
  from: Bytes,
  to: Bytes,
): Promise<{ bytes: Bytes; lines: number }> {
  const found = { bytes: 0, lines: 0 };
  for await (const { bytes } of file.content(from, to)) {
    found.bytes += bytes.length;
    for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, at + 1)) found.lines += 1;
  }
  return found;
}

/** Behind the first newline at or after `from`; where there is none, the end. */
export async function lineStart(file: StoredFile, from: Bytes): Promise<Bytes> {
  let end = from;
  for await (const { bytes, at } of file.content(from, file.size)) {
    const newline = bytes.indexOf(NEWLINE);
    if (newline !== -1) return at + newline + 1;
    end = at + bytes.length;
  }
  return end;
}

/** Whether it is the file of the place, or a copy that was made of it before it was emptied. */
export async function isCopyAt(file: StoredFile, place: Place): Promise<boolean> {
  if (await isAt(file, place)) return true;
  const isCopy = file.number > 0 && place.head.length > 0 && (file.length ?? Infinity) >= place.offset;
  return isCopy && file.written >= place.written && (await file.beginsWith(place.head));
}

/** Whether a file is one that was seen before, which may have been written to since or not. */
export async function isSame(file: StoredFile, seen: Place, grows: boolean): Promise<boolean> {
  if (file.compression === 'none' || file.origin !== null)
    return file.source === seen.file && (grows ? file.written >= seen.written : file.written <= seen.written);
  // One that others compressed keeps its time, some to the second, and its beginning.
  return Math.abs(file.mtime - seen.written) < 1000 && (await file.beginsWith(seen.head));
}

/** Whether a file has the bytes that were read last of another one where that one had them. */
export async function continues(
  file: StoredFile,
  { at, before }: { at: Bytes; before: Buffer },
): Promise<boolean> {
  if ((file.length ?? Infinity) < at) return false;
  const overlap = Buffer.alloc(before.length);
  let got = 0;
  for await (const { bytes } of file.content(at - overlap.length, at)) got += bytes.copy(overlap, got);
  return got === overlap.length && overlap.equals(before);
}

/** How many bytes at the beginning are zero, as where somebody goes on to write at its old place into an emptied file. */
export async function endOfHole(file: StoredFile): Promise<Bytes> {
  for await (const { bytes, at } of file.content(0)) {
    if (bytes[0] !== 0) return at;
    const index = bytes.equals(Buffer.alloc(bytes.length)) ? -1 : bytes.findIndex((byte) => byte !== 0);
    if (index !== -1) return at + index;
  }
  return 0;
}
