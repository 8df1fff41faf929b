import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HsuError } from '@hsu-master/core';
import type { Native } from '@hsu-master/native';
import { makeDirectory } from '@hsu-master/workers';

/** What makes this process the only master of a state directory, until it is released or the process ends. */
export interface StateLock {
  /** Kept open over an exec it goes on without a moment in which it is free; null: nothing is locked. */
  readonly descriptor: number | null;
  release(): void;
}

export function lockFileOf(stateDirectory: string): string {
  return join(stateDirectory, 'master.lock');
}

/**
 * Locks a state directory; the kernel drops the lock with its holder. Without the addon nothing is locked, and the capability report
 * says so. `inherited`: the descriptor that the program before this one, in the same process, has left.
 * @throws HsuError E_OTHER_MASTER naming the holder; E_STATE where the directory cannot be used
 */
export function lockStateDirectory(directory: string, native: Native | null, inherited?: number): StateLock {
  const file = lockFileOf(directory);
  const lock = take(directory, file, native, inherited);
  if (lock !== null) return lock;
  const holder = readFileSync(file, 'utf8').trim();
  const message = `another master (pid ${holder || 'unknown'}) already runs with the state directory ${directory}`;
  throw new HsuError('E_OTHER_MASTER', message, { directory, pid: holder });
}

function take(directory: string, file: string, native: Native | null, inherited?: number): StateLock | null {
  try {
    makeDirectory(directory, 0o700);
    if (native === null) return { descriptor: null, release: () => {} };
    const descriptor = native.lockFile(file, inherited);
    if (descriptor === null) return null;
    writeFileSync(file, `${process.pid}\n`);
    return { descriptor, release: () => native.unlockFile(descriptor) };
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
