import type { LogSpec } from '@hsu-master/core';
import { codeOf, type Disk } from './disk.ts';

/** Rotated files beyond `maxFiles` that are looked for, left by an earlier, larger setting. */
const SURPLUS_LIMIT = 1000;

/** The files that a worker’s output is in, those rotated included; any of them may not be there. */
export function logFiles(log: LogSpec): readonly string[] {
  const captured = [
    ...(log.captureStdout ? [log.stdoutFile] : []),
    ...(log.captureStderr ? [log.stderrFile] : []),
  ];
  const numbers = Array.from({ length: Math.max(0, log.maxFiles) }, (_unused, index) => index + 1);
  return [...new Set(captured)].flatMap((path) => [path, ...numbers.map((number) => `${path}.${number}`)]);
}

/**
 * Moves `path` to `path.1`, what was there to `path.2`, and so on; the oldest beyond `maxFiles` is removed. With 0 nothing is
 * kept. Gaps in the numbers do not matter. Rejects when `path` itself cannot be moved.
 */
export async function rotate(disk: Disk, path: string, maxFiles: number): Promise<void> {
  await removeSurplus(disk, path, maxFiles);
  if (maxFiles <= 0) {
    await unlessMissing(disk.unlink(path));
    return;
  }
  for (let number = maxFiles - 1; number >= 1; number -= 1) {
    await unlessMissing(disk.rename(`${path}.${number}`, `${path}.${number + 1}`));
  }
  await unlessMissing(disk.rename(path, `${path}.1`));
}

async function removeSurplus(disk: Disk, path: string, maxFiles: number): Promise<void> {
  for (let number = Math.max(0, maxFiles) + 1; number <= SURPLUS_LIMIT; number += 1) {
    try {
      await disk.unlink(`${path}.${number}`);
    } catch {
      return;
    }
  }
}

async function unlessMissing(step: Promise<void>): Promise<void> {
  try {
    await step;
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}
