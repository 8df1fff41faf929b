import { closeSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { type FileHandle, open, readdir, rename, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Bytes } from '@hsu-master/core';
import { rotatedName } from '../store/family.ts';

/** What others append to a file while it is copied: so much is left for the last step, which nobody may interrupt. */
const LAST_STEP: Bytes = 1024 * 1024;
const CHUNK: Bytes = 256 * 1024;
/** A writer that is faster than the copying is given up on after so many rounds. */
const ROUNDS = 64;

/** Where a file is copied to before it is emptied. */
function copyOf(path: string): string {
  return join(dirname(path), `.${basename(path)}.copied`);
}

/**
 * Copies what others append to and empties it; the copy has its name `path.1` afterwards, or none where none are kept. What is
 * appended between the last look and the emptying, a few microseconds, is lost: no system can do both at once.
 * @returns the copy, opened, and its size
 */
export async function copyAndEmpty(
  path: string,
  fd: number,
  maxFiles: number,
): Promise<{ readonly copy: FileHandle; readonly size: Bytes }> {
  const made = copyOf(path);
  const { mode } = fstatSync(fd);
  const copy = await open(made, 'w+', mode & 0o777);
  try {
    const size = finish(fd, copy.fd, await copyMost(fd, copy));
    await shift(path, maxFiles);
    if (maxFiles > 0) await rename(made, `${path}.1`);
    else await unlink(made);
    return { copy, size };
  } catch (error) {
    await copy.close();
    throw error;
  }
}

async function copyMost(fd: number, copy: FileHandle): Promise<Bytes> {
  const buffer = Buffer.allocUnsafe(CHUNK);
  let at = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const { size } = fstatSync(fd);
    if (size - at <= LAST_STEP) return at;
    while (at < size) {
      const read = readSync(fd, buffer, 0, Math.min(CHUNK, size - at), at);
      if (read === 0) break;
      await copy.write(buffer, 0, read, at);
      at += read;
    }
  }
  throw new Error('it is written to faster than it can be copied');
}

/** In one go, so that nothing of ours comes in between. */
function finish(fd: number, copy: number, from: Bytes): Bytes {
  const buffer = Buffer.allocUnsafe(CHUNK);
  let at = from;
  for (let step = 0; step < ROUNDS; step += 1) {
    const read = readSync(fd, buffer, 0, CHUNK, at);
    if (read > 0) {
      for (let done = 0; done < read; ) done += writeSync(copy, buffer, done, read - done, at + done);
      at += read;
    } else if (fstatSync(fd).size <= at) {
      ftruncateSync(fd, 0);
      return at;
    }
  }
  throw new Error('it is written to faster than it can be copied');
}

/** Each rotated file one number further on, those beyond `maxFiles` away. */
async function shift(path: string, maxFiles: number): Promise<void> {
  const folder = dirname(path);
  const names = (await readdir(folder)).flatMap((name) => {
    const found = rotatedName(basename(path), name);
    return found === null
      ? []
      : [{ name, number: found.number, suffix: /(?:\.gz|\.zst)$/.exec(name)?.[0] ?? '' }];
  });
  for (const { name, number, suffix } of names.sort((one, other) => other.number - one.number)) {
    if (number >= maxFiles) await unlink(join(folder, name));
    else await rename(join(folder, name), `${path}.${number + 1}${suffix}`);
  }
}

/** Ends what a master that was killed had begun: its copy gets its name, unless the file was not emptied yet. */
export async function settleCopy(path: string, maxFiles: number): Promise<void> {
  const made = copyOf(path);
  const copied = await stat(made).catch(() => null);
  if (copied === null) return;
  if (maxFiles <= 0 || copied.size === 0 || beginsWith(path, made, copied.size)) {
    await unlink(made);
    return;
  }
  await shift(path, maxFiles);
  await rename(made, `${path}.1`);
}

/** Whether all of the copy is still in the file: by its first and its last bytes. */
function beginsWith(path: string, copy: string, size: Bytes): boolean {
  const length = Math.min(size, 64 * 1024);
  const parts = [path, copy].map((each) => {
    const fd = openSync(each, 'r');
    try {
      const buffer = Buffer.alloc(length * 2);
      const first = readSync(fd, buffer, 0, length, 0);
      const last = readSync(fd, buffer, length, length, size - length);
      return first === length && last === length ? buffer : null;
    } finally {
      closeSync(fd);
    }
  });
  const [one, other] = parts;
  return one !== null && other !== null && one?.equals(other as Buffer) === true;
}
