import { readdir } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { WallTime } from '@hsu-master/core';
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

/**
 * Opens the files of a log, the newest first, each once, however it is rotated and compressed meanwhile: numbers only grow, and
 * they are looked at in growing order. Each file is closed when the next is asked for, unless `keep` says otherwise.
 */
export async function* newestFirst(
  path: string,
  keep: (file: StoredFile) => boolean = () => false,
): AsyncGenerator<StoredFile, void, void> {
  const seen = new Map<string, WallTime>();
  let last = await largestNumber(path);
  for (let number = 0; number <= last + GAP; number += 1) {
    for (const compression of number === 0 ? ROTATED.slice(0, 1) : ROTATED) {
      const name = number === 0 ? path : `${path}.${number}${SUFFIXES[compression]}`;
      const file = await openStored(name, number, compression);
      if (file === null) continue;
      last = Math.max(last, number);
      // An older file that was compressed may have had the inode that a newer one has now.
      const isKnown = file.written >= (seen.get(file.source) ?? Infinity);
      if (isKnown) {
        await file.close();
        break;
      }
      seen.set(file.source, file.written);
      try {
        yield file;
      } finally {
        if (!keep(file)) await file.close();
      }
      // Beside it is what is being made of it.
      break;
    }
  }
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
