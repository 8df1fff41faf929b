import { readdir } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { WallTime } from '@hsu-master/core';
import { identityAt } from './aside.ts';
import { type Compression, SUFFIXES } from './origin.ts';
import { openStored, type StoredFile } from './stored-file.ts';

/** Numbers that may be missing while files are renamed one after the other. */
const GAP = 2;
const ROTATED: readonly Compression[] = ['none', 'zstd', 'gzip'];

/** What a name says of a rotated file of the log `base`; null where it names none. */
export function rotatedName(base: string, name: string): { number: number; compression: Compression } | null {
  if (!name.startsWith(`${base}.`)) return null;
  const found = /^(\d{1,6})(\.gz|\.zst)?$/.exec(name.slice(base.length + 1));
  if (found === null) return null;
  const compression = found[2] === undefined ? 'none' : found[2] === '.gz' ? 'gzip' : 'zstd';
  const number = Number(found[1]);
  return number > 0 && String(number) === found[1] ? { number, compression } : null;
}

/** A file that was found, and where it was last. */
interface Found {
  readonly source: string;
  readonly written: WallTime;
  number: number;
}

/**
 * Opens the files of a log, the newest first, each once and in their order, however they are rotated and compressed meanwhile: what
 * was rotated since the first one was opened is left out. Each file is closed when the next is asked for, unless `keep` says otherwise.
 */
export async function* newestFirst(
  path: string,
  keep: (file: StoredFile) => boolean = () => false,
): AsyncGenerator<StoredFile, void, void> {
  let last = await largestNumber(path);
  let before: Found | null = null;
  for (let number = 0; number <= last + GAP; number += 1) {
    const file = await openNumber(path, number);
    if (file === null) continue;
    last = Math.max(last, number);
    // It was renamed in between.
    if (before !== null && isSame(file, before)) {
      await file.close();
      last += number - before.number;
      before.number = number;
      continue;
    }
    // Numbers only grow. If the file before is still where it was, this one is the next older.
    const now: number | null = before === null ? null : await numberNow(path, before);
    const hasMoved = before !== null && now !== null && now !== before.number;
    if (before !== null && (hasMoved || (now === null && !isOlder(file, before)))) {
      await file.close();
      if (now === null) continue;
      last += now - before.number;
      before.number = now;
      number = now;
      continue;
    }
    before = { source: file.source, written: file.written, number };
    try {
      yield file;
    } finally {
      if (!keep(file)) await file.close();
    }
  }
}

/** Where the file before is gone, times have to tell. */
function isOlder(file: StoredFile, before: Found): boolean {
  const isAnonymous = file.compression !== 'none' && file.origin === null;
  return file.written < before.written || (file.written === before.written && !isAnonymous);
}

/** A file of that number. Beside an uncompressed one is what is being made of it. */
async function openNumber(path: string, number: number): Promise<StoredFile | null> {
  if (number === 0) return openStored(path);
  for (const compression of ROTATED) {
    const file = await openStored(`${path}.${number}${SUFFIXES[compression]}`, number, compression);
    if (file !== null) return file;
  }
  return null;
}

/** Which number a file has now; null: it is gone. */
async function numberNow(path: string, found: Found): Promise<number | null> {
  const { number } = found;
  if ((await identityAt(number === 0 ? path : `${path}.${number}`)) === found.source) return number;
  // It may have been compressed and be where it was.
  let most = number;
  for (let at = number; at <= most; at += 1) {
    const file = await openNumber(path, at);
    await file?.close();
    if (file !== null && isSame(file, found)) return at;
    // More may have come than were there when they were counted.
    if (at === number) most = (await largestNumber(path)) + GAP;
    else if (file !== null) most = Math.max(most, at + GAP);
  }
  return null;
}

/** An older file that was compressed may have had the inode that this one has. */
function isSame(file: StoredFile, { source, written }: Found): boolean {
  return file.source === source && file.written >= written;
}

async function largestNumber(path: string): Promise<number> {
  const base = basename(path);
  let names: readonly string[];
  try {
    names = await readdir(dirname(path));
  } catch {
    return 0;
  }
  let largest = 0;
  for (const name of names) largest = Math.max(largest, rotatedName(base, name)?.number ?? 0);
  return largest;
}
