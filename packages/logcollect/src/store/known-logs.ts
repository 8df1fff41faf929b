import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf } from '../file/disk.ts';

/** Paths of the logs that masters of this state directory have written; none where the file is not there or is damaged. */
export async function loadKnownLogs(path: string): Promise<ReadonlySet<string>> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return new Set();
    throw error;
  }
  try {
    const value = JSON.parse(text) as { readonly version?: unknown; readonly logs?: unknown };
    const isList = value.version === 1 && Array.isArray(value.logs);
    // What cannot be understood is no reason to remove anything.
    return new Set(isList ? (value.logs as unknown[]).filter((each) => typeof each === 'string') : []);
  } catch {
    return new Set();
  }
}

/** In one step: whoever reads finds these or those before. Rejects where the disk refuses. */
export async function saveKnownLogs(path: string, logs: Iterable<string>): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.new`, JSON.stringify({ version: 1, logs: [...logs] }), { mode: 0o600 });
  await rename(`${path}.new`, path);
}
