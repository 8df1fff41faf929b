import { promises as files } from 'node:fs';
import { join } from 'node:path';
import type { Bytes } from '@hsu-master/core';
import { realDisk } from '../file/disk.ts';

/** The part of a file system that a spill needs. Every call may reject with an error that has a `code`. */
export interface SpillDisk {
  /** Makes the folder and those above it where they are missing. */
  makeFolder(folder: string): Promise<void>;
  list(folder: string): Promise<readonly { readonly name: string; readonly size: Bytes }[]>;
  /** Writes all of it at that position, creating the file with mode 0600. */
  write(path: string, position: Bytes, bytes: Uint8Array): Promise<void>;
  /** Fewer bytes only where the file ends. */
  read(path: string, position: Bytes, length: Bytes): Promise<Uint8Array>;
  /** The file ends there. */
  cut(path: string, size: Bytes): Promise<void>;
  /** The file has exactly these bytes afterwards, or its old ones. */
  replace(path: string, bytes: Uint8Array): Promise<void>;
  /** Nothing happens where there is no such file. */
  remove(path: string): Promise<void>;
}

export const realSpillDisk: SpillDisk = {
  makeFolder: realDisk.makeFolder,
  async list(folder) {
    const names = await files.readdir(folder);
    const stats = await Promise.all(names.map((name) => files.stat(join(folder, name))));
    return names.flatMap((name, index) => {
      const found = stats[index];
      return found?.isFile() === true ? [{ name, size: found.size }] : [];
    });
  },
  async write(path, position, bytes) {
    const file = await files.open(path, position === 0 ? 'w' : 'r+', 0o600);
    try {
      let done = 0;
      while (done < bytes.length) {
        const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
        done += bytesWritten;
      }
    } finally {
      await file.close();
    }
  },
  async read(path, position, length) {
    const file = await files.open(path, 'r');
    try {
      const bytes = Buffer.allocUnsafe(length);
      let done = 0;
      while (done < length) {
        const { bytesRead } = await file.read(bytes, done, length - done, position + done);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
      return bytes.subarray(0, done);
    } finally {
      await file.close();
    }
  },
  cut: (path, size) => files.truncate(path, size),
  async replace(path, bytes) {
    await files.writeFile(`${path}.new`, bytes, { mode: 0o600 });
    await files.rename(`${path}.new`, path);
  },
  async remove(path) {
    await files.rm(path, { force: true });
  },
};
