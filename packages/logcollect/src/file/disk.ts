import { close, constants, fstat, mkdir, open, rename, type Stats, stat, unlink, writev } from 'node:fs';
import { dirname } from 'node:path';

/** What is known of a file. */
export interface FileFacts {
  /** Tells one file from another: device and inode. */
  readonly identity: string;
  readonly size: number;
  /** Only regular files are rotated. */
  readonly regular: boolean;
}

/** The part of a file system that log files need. Every call may reject with an error that has a `code`. */
export interface Disk {
  /** Opens for appending, creating the file with mode 0640. */
  open(path: string): Promise<number>;
  close(fd: number): Promise<void>;
  /** Appends; resolves with the bytes written, which may be fewer than given. */
  append(fd: number, buffers: readonly Uint8Array[]): Promise<number>;
  facts(file: number | string): Promise<FileFacts>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /** Makes a directory and its parents. */
  makeFolder(path: string): Promise<void>;
}

// Non-blocking, so that a FIFO without a reader is an error instead of a thread that waits for ever.
const APPEND = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | (constants.O_NONBLOCK ?? 0);

/** The real file system; the work is done on libuv's threads. */
export const realDisk: Disk = {
  open: (path) => settle((done) => open(path, APPEND, 0o640, done)),
  close: (fd) => settle((done) => close(fd, (error) => done(error, undefined))),
  append: (fd, buffers) => settle((done) => writev(fd, buffers, done)),
  async facts(file) {
    const stats = await settle<Stats>((done) =>
      typeof file === 'number' ? fstat(file, done) : stat(file, done),
    );
    return { identity: `${stats.dev}:${stats.ino}`, size: stats.size, regular: stats.isFile() };
  },
  rename: (from, to) => settle((done) => rename(from, to, (error) => done(error, undefined))),
  unlink: (path) => settle((done) => unlink(path, (error) => done(error, undefined))),
  makeFolder,
};

/** Not by `recursive`: Node tries for ever where the system says ENOENT although the folder above is there, as in /proc. */
async function makeFolder(path: string): Promise<void> {
  const above = dirname(path);
  if (above === path || (await isFolder(path))) return;
  await makeFolder(above);
  try {
    await settle<void>((done) => mkdir(path, { mode: 0o750 }, (error) => done(error, undefined)));
  } catch (error) {
    // Somebody else may have made it at the same time.
    if (await isFolder(path)) return;
    if (codeOf(error) !== 'ENOENT') throw error;
    throw new Error(`ENOENT: the file system of ${above} takes no new directories`, { cause: error });
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await settle<Stats>((done) => stat(path, done))).isDirectory();
  } catch {
    return false;
  }
}

function settle<T>(call: (done: (error: Error | null, value: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    call((error, value) => {
      if (error === null) resolve(value);
      else reject(error);
    });
  });
}

/** The system's name of what went wrong, `ENOSPC`. */
export function codeOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return error instanceof Error ? error.message : String(error);
}
