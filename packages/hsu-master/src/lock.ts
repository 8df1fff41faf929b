import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HsuError } from '@hsu-master/core';
import type { Native } from '@hsu-master/native';
import { makeDirectory } from '@hsu-master/workers';

/**
 * Makes this process the only master of a state directory, until the returned function is called or the process ends: the kernel
 * drops the lock with its holder. Without the addon nothing is locked, and the capability report says so.
 * @throws HsuError E_OTHER_MASTER naming the holder; E_STATE where the directory cannot be used
 */
export function lockStateDirectory(directory: string, native: Native | null): () => void {
  const file = join(directory, 'master.lock');
  const release = take(directory, file, native);
  if (release !== null) return release;
  const holder = readFileSync(file, 'utf8').trim();
  const message = `another master (pid ${holder || 'unknown'}) already runs with the state directory ${directory}`;
  throw new HsuError('E_OTHER_MASTER', message, { directory, pid: holder });
}

function take(directory: string, file: string, native: Native | null): (() => void) | null {
  try {
    makeDirectory(directory, 0o700);
    if (native === null) return () => {};
    const lock = native.lockFile(file);
    if (lock === null) return null;
    writeFileSync(file, `${process.pid}\n`);
    return () => native.unlockFile(lock);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new HsuError(
      'E_STATE',
      `cannot use the state directory ${directory}: ${reason}; name another with --state-dir or HSU_HOME`,
      { directory },
      error,
    );
  }
}
