import { closeSync, constants, openSync, renameSync, rmSync, writeSync } from 'node:fs';

/**
 * Replaces a file by a whole new one: whoever reads it sees the old text or the new. The folder may be one where others write, too:
 * nothing that is already there is written through.
 * @throws what the system answers; the old file is then still there
 */
export function replaceFile(path: string, text: string, mode: number): void {
  const fresh = `${path}.new`;
  // What an interrupted earlier attempt left.
  rmSync(fresh, { force: true });
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const descriptor = openSync(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
  try {
    writeSync(descriptor, text);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw error;
  } finally {
    closeSync(descriptor);
  }
  renameSync(fresh, path);
}
