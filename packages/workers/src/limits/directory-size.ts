import type { Dirent, Stats } from 'node:fs';
import { join } from 'node:path';
import type { Bytes, Clock, Milliseconds } from '@hsu-master/core';

/** Entries that are looked at before the walk pauses, and how long it does: at most 12800 a second, so that no disk is kept busy. */
const BATCH = 128;
const PAUSE: Milliseconds = 10;
/** Entries after which a walk ends with what it has: the size is at least that. */
const MOST_ENTRIES = 200_000;
/** Entries that are asked for at once; each takes a thread of Node’s pool, of which others need some. */
const AT_ONCE = 2;
const BLOCK = 512;

/** What a directory takes on its disk. */
export interface DirectorySize {
  readonly bytes: Bytes;
  /** false: there were too many entries, and it is larger. */
  readonly complete: boolean;
}

/** Why a walk was given up. */
const ENDED = Symbol('ended');

/**
 * Adds up what everything below a directory takes on its disk, as `du` does: blocks, hard links once. Follows no symbolic links but
 * `path` itself and enters no other file system. What disappears meanwhile or may not be read counts nothing. null: the directory
 * itself cannot be read, for another reason than that it is not there. The clock sets the pauses.
 * @param isOver ends the walk soon after it says true; the answer is null then
 */
export async function directorySize(
  path: string,
  clock: Clock,
  isOver: () => boolean,
): Promise<DirectorySize | null> {
  try {
    const root = await files().stat(path);
    if (!root.isDirectory()) return null;
    const walk = new Walk(root, clock, isOver);
    return await walk.below(path);
  } catch (error) {
    if (error !== ENDED && isMissing(error)) return { bytes: 0, complete: true };
    return null;
  }
}

/** Loaded by the first walk: most masters never begin one. */
function files(): typeof import('node:fs/promises') {
  return process.getBuiltinModule('node:fs/promises');
}

class Walk {
  readonly #device: number;
  readonly #clock: Clock;
  readonly #isOver: () => boolean;
  /** Inodes with several names that were counted. */
  readonly #counted = new Set<number>();
  #bytes = 0;
  #entries = 0;

  constructor(root: Stats, clock: Clock, isOver: () => boolean) {
    this.#device = root.dev;
    this.#clock = clock;
    this.#isOver = isOver;
    this.#bytes = root.blocks * BLOCK;
  }

  async below(path: string): Promise<DirectorySize> {
    const waiting: string[] = [];
    for (let next: string | undefined = path; next !== undefined; next = waiting.pop()) {
      const isRoot = next === path;
      try {
        await this.#list(next, waiting);
      } catch (error) {
        if (error === ENDED || isRoot) throw error;
      }
      if (this.#entries >= MOST_ENTRIES) return { bytes: this.#bytes, complete: false };
    }
    return { bytes: this.#bytes, complete: true };
  }

  async #list(directory: string, waiting: string[]): Promise<void> {
    let batch: Dirent[] = [];
    for await (const entry of await files().opendir(directory, { bufferSize: BATCH })) {
      batch.push(entry);
      if (batch.length < AT_ONCE) continue;
      await this.#count(directory, batch, waiting);
      batch = [];
      if (this.#entries >= MOST_ENTRIES) return;
    }
    await this.#count(directory, batch, waiting);
  }

  async #count(directory: string, entries: readonly Dirent[], waiting: string[]): Promise<void> {
    const before = this.#entries;
    this.#entries += entries.length;
    const found = await Promise.all(entries.map(({ name }) => sizeOf(join(directory, name))));
    found.forEach((one, index) => {
      if (one === null || one.dev !== this.#device) return;
      if (one.isDirectory()) waiting.push(join(directory, (entries[index] as Dirent).name));
      else if (one.nlink > 1) {
        if (this.#counted.has(one.ino)) return;
        this.#counted.add(one.ino);
      }
      this.#bytes += one.blocks * BLOCK;
    });
    if (Math.floor(before / BATCH) === Math.floor(this.#entries / BATCH)) return;
    await new Promise<void>((resolve) => this.#clock.after(PAUSE, resolve));
    if (this.#isOver()) throw ENDED;
  }
}

async function sizeOf(path: string): Promise<Stats | null> {
  try {
    return await files().lstat(path);
  } catch {
    return null;
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}
