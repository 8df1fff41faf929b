import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a directory and those above it, all with `mode`, where they are not there yet. Not by `recursive`: Node tries for ever where
 * the system says ENOENT although the directory above is there, as in /proc.
 * @throws what the system answers
 */
export function makeDirectory(path: string, mode: number): void {
  const above = dirname(path);
  if (above === path || isDirectory(path)) return;
  makeDirectory(above, mode);
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    // Somebody else may have made it at the same time.
    if (isDirectory(path)) return;
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new Error(`ENOENT: the file system of ${above} takes no new directories`, { cause: error });
  }
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
