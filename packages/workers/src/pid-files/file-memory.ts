import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { WorkerId } from '@hsu-master/core';
import { replaceFile } from '../atomic-file.ts';
import { makeDirectory } from '../journal/make-directory.ts';

/** In which directories files of each worker were written: its configuration may say another one by now, or be gone. */
export interface FileMemory {
  directories(): ReadonlyMap<WorkerId, readonly string[]>;
  /** On return it is in place; none: the worker is forgotten. Throws where it cannot be. */
  keep(workerId: WorkerId, directories: readonly string[]): void;
}

/** For the life of a master only. */
export function shortFileMemory(): FileMemory {
  const known = new Map<WorkerId, readonly string[]>();
  return {
    directories: () => known,
    keep: (workerId, directories) => put(known, workerId, directories),
  };
}

/** One small file for each worker that has files. Not synced: what a power cut takes is not swept. */
export function fileMemory(directory: string): FileMemory {
  let known: Map<WorkerId, readonly string[]> | null = null;
  const read = () => (known ??= readAll(directory));
  return {
    directories: read,
    keep(workerId, directories) {
      const file = join(directory, workerId);
      if (directories.length === 0) rmSync(file, { force: true });
      else {
        makeDirectory(directory, 0o700);
        replaceFile(file, `${JSON.stringify(directories)}\n`, 0o600);
      }
      put(read(), workerId, directories);
    },
  };
}

function put(
  known: Map<WorkerId, readonly string[]>,
  workerId: WorkerId,
  directories: readonly string[],
): void {
  if (directories.length === 0) known.delete(workerId);
  else known.set(workerId, directories);
}

function readAll(directory: string): Map<WorkerId, readonly string[]> {
  let names: readonly string[];
  try {
    names = readdirSync(directory);
  } catch {
    return new Map();
  }
  return new Map(names.map((name) => [name, readDirectories(join(directory, name))]));
}

/** A torn or foreign text names none. */
function readDirectories(file: string): readonly string[] {
  try {
    const read: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return Array.isArray(read) ? read.filter((one) => typeof one === 'string') : [];
  } catch {
    return [];
  }
}
