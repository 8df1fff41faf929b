import { readdir, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { NativePump, NativePumpEvent } from '@hsu-master/native';
import { pack } from '../store/pack.ts';

export type Compression = 'none' | 'gzip' | 'zstd';

const SUFFIX = { gzip: '.gz', zstd: '.zst' } as const;
/** Numbers that are looked at. */
const MOST_FILES = 1000;

/**
 * Compresses rotated files, one at a time, on libuv’s threads. The pump puts the result in the place of the original, whose number
 * may have changed meanwhile. A file that cannot be compressed stays as it is.
 */
export class Compressor {
  readonly #pump: NativePump;
  readonly #waiting = new Map<string, Exclude<Compression, 'none'>>();
  readonly #replaced = new Map<string, () => void>();
  readonly #end = new AbortController();
  #working: Promise<void> | null = null;

  constructor(pump: NativePump) {
    this.#pump = pump;
  }

  /** There is a new `file`.1, or there may be rotated files of an earlier master. */
  rotated(file: string, kind: Compression): void {
    if (kind === 'none' || this.#end.signal.aborted) return;
    this.#waiting.set(file, kind);
    this.#working ??= this.#work();
  }

  hear(event: NativePumpEvent & { type: 'replaced' }): void {
    this.#replaced.get(event.made)?.();
  }

  /** Leaves what is under way undone; the next master does it. */
  async close(): Promise<void> {
    this.#end.abort();
    for (const settle of this.#replaced.values()) settle();
    await this.#working;
  }

  async #work(): Promise<void> {
    for (const [file, kind] of this.#waiting) {
      this.#waiting.delete(file);
      await this.#compressAll(file, kind);
    }
    this.#working = null;
  }

  async #compressAll(file: string, kind: Exclude<Compression, 'none'>): Promise<void> {
    await this.#removeUnfinished(file);
    for (let number = 1; number <= MOST_FILES && !this.#end.signal.aborted; number += 1) {
      const found = await stat(`${file}.${number}`).catch(() => null);
      if (found === null && (await isEnd(file, number))) return;
      if (found?.isFile() === true) await this.#compress(file, number, kind);
    }
  }

  async #compress(file: string, number: number, kind: Exclude<Compression, 'none'>): Promise<void> {
    const made = `${file}.${number}${SUFFIX[kind]}.part`;
    try {
      const { signal } = this.#end;
      const packed = await pack(`${file}.${number}`, made, kind, signal);
      if (packed === null) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#replaced.set(made, resolve);
      if (signal.aborted) return;
      this.#pump.replaceRotated(file, packed.device, packed.inode, made, SUFFIX[kind]);
      await promise;
      this.#replaced.delete(made);
    } catch {
      await unlink(made).catch(() => undefined);
    }
  }

  async #removeUnfinished(file: string): Promise<void> {
    const names = await readdir(dirname(file)).catch(() => []);
    const pattern = /^\.\d+\.(gz|zst)\.part$/;
    const parts = names.filter(
      (name) => name.startsWith(basename(file)) && pattern.test(name.slice(basename(file).length)),
    );
    await Promise.all(parts.map((name) => unlink(join(dirname(file), name)).catch(() => undefined)));
  }
}

async function isEnd(file: string, number: number): Promise<boolean> {
  const exists = await Promise.all(
    Object.values(SUFFIX).map((suffix) => stat(`${file}.${number}${suffix}`).then(Boolean, () => false)),
  );
  return !exists.some(Boolean);
}
