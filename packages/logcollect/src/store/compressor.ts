import { readdir, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { codeOf } from '../file/disk.ts';
import { identityAt, removeExactly, settleAside } from './aside.ts';
import { newestFirst, rotatedName } from './family.ts';
import { packInto } from './pack.ts';
import { openStored, type StoredFile } from './stored-file.ts';

export interface CompressorOptions {
  readonly compression: 'gzip' | 'zstd';
  /**
   * Puts the compressed copy `made` in the place of the rotated file of that identity, whatever its number is by then; where that
   * file is gone, `made` is left. By default this is done here, which loses nothing but may change the order of files where
   * somebody rotates at that very moment; who rotates should do it.
   */
  replace?(log: string, identity: string, made: string, suffix: '.gz' | '.zst'): Promise<void>;
  /** Rotated files that are left as they are, the newest; by default 0. */
  readonly leave?: number;
}

export interface Compressed {
  readonly path: string;
  readonly before: number;
  readonly after: number;
}

export interface Compressor {
  /**
   * Compresses the rotated files of a log, one after the other, on libuv’s threads, and removes what an earlier one that was killed
   * has left. A file that cannot be compressed stays, and is told with its reason.
   */
  compress(log: string, signal?: AbortSignal): Promise<{ done: Compressed[]; failed: string[] }>;
}

export function compressor(options: CompressorOptions): Compressor {
  let turn: Promise<unknown> = Promise.resolve();
  return {
    compress(log, signal) {
      const work = turn.then(() => compressLog(log, options, signal ?? null));
      turn = work.catch(() => undefined);
      return work;
    },
  };
}

async function compressLog(log: string, options: CompressorOptions, signal: AbortSignal | null) {
  const done: Compressed[] = [];
  const failed: string[] = [];
  await removeLeftovers(log);
  const paths: { path: string; number: number }[] = [];
  for await (const { path, number, compression } of newestFirst(log)) {
    if (number > (options.leave ?? 0) && compression === 'none') paths.push({ path, number });
  }
  // The oldest first: what is rotated meanwhile is further on then, and is found by the next call.
  for (const { path, number } of paths.reverse()) {
    if (isAborted(signal)) break;
    const file = await openStored(path, number);
    if (file === null) continue;
    try {
      done.push(await compressFile(log, file, options, signal));
    } catch (error) {
      if (!isAborted(signal))
        failed.push(`${path}: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      await file.close();
    }
  }
  return { done, failed };
}

function isAborted(signal: AbortSignal | null): boolean {
  return signal?.aborted === true;
}

const MADE = /^\.(.+)\.(\d+)-(\d+)\.making(?:\.gz|\.zst)$/;

/** Copies that were not finished, or whose file is gone. Those are hidden and have the log’s name in theirs. */
async function removeLeftovers(log: string): Promise<void> {
  const folder = dirname(log);
  for (const name of await readdir(folder).catch(() => [])) {
    if (MADE.exec(name)?.[1] === basename(log)) await unlink(join(folder, name)).catch(() => undefined);
    else if (name.startsWith(`.${basename(log)}.`)) await settleAside(folder, name);
  }
}

async function compressFile(
  log: string,
  file: StoredFile,
  { compression, replace = replaceRotated }: CompressorOptions,
  signal: AbortSignal | null,
): Promise<Compressed> {
  const suffix = compression === 'zstd' ? '.zst' : '.gz';
  const made = join(dirname(log), `.${basename(log)}.${file.identity.replace(':', '-')}.making${suffix}`);
  try {
    const after = await packInto(file, made, compression, signal);
    const before = file.size;
    await file.look();
    if (file.size !== before) throw new Error('it was written to while it was compressed');
    await replace(log, file.identity, made, suffix);
    return { path: file.path, before, after };
  } catch (error) {
    await unlink(made).catch(() => undefined);
    throw error;
  }
}

/** Puts the copy in the place of the file. Where that is gone the copy is removed. */
async function replaceRotated(
  log: string,
  identity: string,
  made: string,
  suffix: '.gz' | '.zst',
): Promise<void> {
  const folder = dirname(log);
  const names = await readdir(folder);
  const plain = names.filter((name) => rotatedName(basename(log), name)?.compression === 'none');
  for (const name of plain) {
    const path = join(folder, name);
    if ((await identityAt(path)) !== identity) continue;
    await rename(made, path + suffix);
    await removeExactly(path, identity);
    return;
  }
  await unlink(made).catch((error: unknown) => {
    if (codeOf(error) !== 'ENOENT') throw error;
  });
}
