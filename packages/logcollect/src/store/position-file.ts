import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf } from '../file/disk.ts';
import { isPlace } from './search.ts';
import type { Place } from './stored-line.ts';

/** How far files have been read, by their paths, across lives of the master. */
export type Positions = Map<string, Place>;

/** Positions that were saved; none where the file is not there or is damaged, which `reason` tells. */
export async function loadPositions(path: string): Promise<{ positions: Positions; reason: string | null }> {
  const positions: Positions = new Map();
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const isMissing = codeOf(error) === 'ENOENT';
    return { positions, reason: isMissing ? null : `${path}: ${codeOf(error)}` };
  }
  try {
    const value = JSON.parse(text) as { version?: unknown; files?: unknown };
    if (value.version !== 1 || typeof value.files !== 'object' || value.files === null)
      throw new Error('version');
    for (const [file, place] of Object.entries(value.files)) {
      if (!isPlace(place)) throw new Error('place');
      positions.set(file, place);
    }
    return { positions, reason: null };
  } catch {
    return { positions: new Map(), reason: `${path} is damaged` };
  }
}

/** In one step: whoever reads finds these or those before. Rejects where the disk refuses. */
export async function savePositions(path: string, positions: Positions): Promise<void> {
  const made = `${path}.new`;
  await mkdir(dirname(path), { recursive: true });
  const file = await open(made, 'w', 0o600);
  try {
    await file.writeFile(JSON.stringify({ version: 1, files: Object.fromEntries(positions) }));
  } finally {
    await file.close();
  }
  await rename(made, path);
}
