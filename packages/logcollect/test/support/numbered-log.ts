import {
  appendFileSync,
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import type { OutputStream } from '@hsu-master/core';
import { compressor } from '../../src/store/compressor.ts';
import type { Following } from '../../src/store/following.ts';
import type { FollowItem } from '../../src/store/log-follower.ts';
import type { StoredLine, StoredLog } from '../../src/store/stored-line.ts';

const SUFFIXES = ['', '.gz', '.zst'];

/** A log of numbered lines that is rotated as the pump does it. */
export class NumberedLog {
  readonly path: string;
  written = 0;
  readonly #maxFiles: number;
  readonly #lineOf: (number: number) => string;

  constructor(path: string, maxFiles = 100, lineOf = (number: number) => `line ${number}`) {
    this.path = path;
    this.#maxFiles = maxFiles;
    this.#lineOf = lineOf;
  }

  write(count: number): void {
    let text = '';
    for (let index = 0; index < count; index += 1) {
      this.written += 1;
      text += `${this.#lineOf(this.written)}\n`;
    }
    appendFileSync(this.path, text);
  }

  /** Part of a line, or its end. */
  raw(text: string): void {
    appendFileSync(this.path, text);
  }

  rotate(): void {
    if (!existsSync(this.path)) return;
    for (const suffix of SUFFIXES) rmSync(`${this.path}.${this.#maxFiles}${suffix}`, { force: true });
    for (let number = this.#maxFiles - 1; number >= 1; number -= 1) {
      for (const suffix of SUFFIXES) {
        const from = `${this.path}.${number}${suffix}`;
        if (existsSync(from)) renameSync(from, `${this.path}.${number + 1}${suffix}`);
      }
    }
    renameSync(this.path, `${this.path}.1`);
  }

  async compress(compression: 'gzip' | 'zstd', leave = 0): Promise<void> {
    const { failed } = await compressor({ compression, leave }).compress(this.path);
    if (failed.length > 0) throw new Error(failed.join());
  }

  /** As logrotate does it with `copytruncate`. */
  copyAndTruncate(): void {
    if (!existsSync(this.path)) return;
    const bytes = readFileSync(this.path);
    for (let number = this.#maxFiles - 1; number >= 1; number -= 1) {
      for (const suffix of SUFFIXES) {
        const from = `${this.path}.${number}${suffix}`;
        if (existsSync(from)) renameSync(from, `${this.path}.${number + 1}${suffix}`);
      }
    }
    writeFileSync(`${this.path}.1`, bytes);
    truncateSync(this.path, 0);
  }
}

export function storedLog(path: string, over: Partial<StoredLog> = {}): StoredLog {
  return { workerId: 'web', stream: 'stdout', path, format: 'plain', prefix: '', ...over };
}

/** `line 17` is 17. */
export function numberOf({ record }: StoredLine): number {
  return Number(/(\d+)$/.exec(record.text)?.[1]);
}

export function upTo(count: number, from = 1): number[] {
  return Array.from({ length: Math.max(0, count - from + 1) }, (_unused, index) => index + from);
}

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

/** Collects what a follower hands on. */
export class Reading {
  readonly items: FollowItem[] = [];
  readonly following: Following;
  readonly ended: Promise<void>;

  constructor(following: Following) {
    this.following = following;
    this.ended = this.#collect();
  }

  async #collect(): Promise<void> {
    for await (const item of this.following) this.items.push(item);
  }

  get lines(): StoredLine[] {
    return this.items.flatMap((item) => (item.kind === 'line' ? [item.line] : []));
  }

  get numbers(): number[] {
    return this.lines.map(numberOf);
  }

  get texts(): string[] {
    return this.lines.map(({ record }) => record.text);
  }
}

/** Nothing is asked of the disk any more. */
export async function quiet(): Promise<void> {
  for (let idle = 0; idle < 3; idle += 1) {
    await turn();
    if (process.getActiveResourcesInfo().some((name) => /FSReq|CloseReq/i.test(name))) idle = -1;
  }
}

const PATIENCE = 10_000 * Number(process.env.HSU_TIME_FACTOR ?? 1);

/** Moves the clock on, by steps that let everything happen but decompression, until something is so. */
export async function until(clock: { advance(span: number): void }, isSo: () => boolean): Promise<void> {
  for (const begin = performance.now(); performance.now() - begin < PATIENCE; clock.advance(50)) {
    await quiet();
    if (isSo()) return;
  }
  throw new Error('it did not come to be so');
}

export function enhanced(at: number, text: string, worker = 'web', stream: OutputStream = 'stdout'): string {
  return `[${new Date(at).toISOString()}][${worker}][${stream}] ${text}`;
}
