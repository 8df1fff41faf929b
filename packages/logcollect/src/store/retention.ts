import type { Bytes, Milliseconds, WallTime } from '@hsu-master/core';
import { removeExactly } from './aside.ts';
import { newestFirst } from './family.ts';

/** A rotated or current file, as far as retention is concerned. */
export interface KeptFile {
  /** Path of the log that it belongs to. */
  readonly log: string;
  readonly path: string;
  readonly identity: string;
  /** 0 is the current file, which is never removed but counts towards the budget. */
  readonly number: number;
  readonly size: Bytes;
  readonly mtime: WallTime;
}

export interface RetentionPolicy {
  /** Rotated files of one log; null: any number. */
  readonly maxFiles: number | null;
  /** Rotated files that were last written longer ago are removed; null: at any age. */
  readonly maxAge: Milliseconds | null;
  /** Of all logs together; the oldest rotated files of any of them are removed first; null: without bound. */
  readonly maxTotal: Bytes | null;
}

export interface Removal {
  readonly file: KeptFile;
  readonly because: 'count' | 'age' | 'budget';
}

/**
 * Which rotated files go. Of one log always the oldest: no gap comes to be in what is kept.
 * @param policyOf the policy of a log; `maxTotal` is given apart since it is for all
 */
export function planRetention(
  files: readonly KeptFile[],
  policyOf: (log: string) => Pick<RetentionPolicy, 'maxFiles' | 'maxAge'>,
  maxTotal: RetentionPolicy['maxTotal'],
  now: WallTime,
): Removal[] {
  const removals: Removal[] = [];
  const kept: KeptFile[][] = [];
  for (const [log, own] of Map.groupBy(files, (file) => file.log)) {
    const { maxFiles, maxAge } = policyOf(log);
    const rotated = own.filter(({ number }) => number > 0).sort((one, other) => one.number - other.number);
    const withinCount = maxFiles === null ? rotated.length : Math.min(maxFiles, rotated.length);
    const aged = rotated.findIndex(({ mtime }) => maxAge !== null && now - mtime > maxAge);
    const withinAge = aged === -1 ? rotated.length : aged;
    const keep = Math.min(withinCount, withinAge);
    for (const [index, file] of rotated.entries()) {
      if (index >= keep) removals.push({ file, because: index >= withinCount ? 'count' : 'age' });
    }
    kept.push(rotated.slice(0, keep));
  }
  if (maxTotal === null) return removals;
  const gone = new Set(removals.map(({ file }) => file));
  let total = files.reduce((sum, file) => sum + (gone.has(file) ? 0 : file.size), 0);
  while (total > maxTotal) {
    const oldest = kept
      .filter((own) => own.length > 0)
      .reduce<KeptFile[] | null>((found, own) => {
        const isOlder = found === null || (own.at(-1) as KeptFile).mtime < (found.at(-1) as KeptFile).mtime;
        return isOlder ? own : found;
      }, null);
    const file = oldest?.pop();
    if (file === undefined) break;
    total -= file.size;
    removals.push({ file, because: 'budget' });
  }
  return removals;
}

/** The files of these logs. */
export async function keptFiles(logs: Iterable<string>): Promise<KeptFile[]> {
  const files: KeptFile[] = [];
  for (const log of new Set(logs)) {
    for await (const { path, identity, number, size, mtime } of newestFirst(log)) {
      files.push({ log, path, identity, number, size, mtime });
    }
  }
  return files;
}

/** Removes them, and nothing that has got one of their names meanwhile. Answers those that are gone. */
export async function removeFiles(removals: readonly Removal[]): Promise<Removal[]> {
  const removed: Removal[] = [];
  for (const removal of removals) {
    const { path, identity } = removal.file;
    if (await removeExactly(path, identity).catch(() => false)) removed.push(removal);
  }
  return removed;
}
