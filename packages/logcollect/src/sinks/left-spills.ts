import { readdir, rmdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bytes } from '@hsu-master/core';

/** What waits on disk for a target that is not there any more. */
export interface LeftSpill {
  readonly folder: string;
  /** The target that it was for. */
  readonly target: string;
  readonly bytes: Bytes;
}

const LONGEST_NAME = 200;
/** The end of a target’s name tells it from others. */
const TELLING_END = 24;
const SEGMENT = '.spill';

/** A name that every file system takes. */
export function spillFolderName(target: string): string {
  const name = target.replaceAll(/[^A-Za-z0-9_-]/g, (char) => `.${char.charCodeAt(0).toString(16)}`);
  if (name.length <= LONGEST_NAME) return name;
  return `${name.slice(0, LONGEST_NAME - TELLING_END)}${name.slice(-TELLING_END)}`;
}

function targetOf(folderName: string): string {
  return folderName.replaceAll(/\.([0-9a-f]{2})/g, (_all, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  );
}

/**
 * Folders below `folder` that belong to none of these targets. Where nothing waits in one it is removed; the others are left as they
 * are: their lines are sent when their target is there again.
 */
export async function leftSpills(folder: string, targets: ReadonlySet<string>): Promise<LeftSpill[]> {
  const used = new Set([...targets].map(spillFolderName));
  const names = await readdir(folder).catch(() => []);
  const left: LeftSpill[] = [];
  for (const name of names.filter((each) => !used.has(each)).sort()) {
    const path = join(folder, name);
    const bytes = await waitingIn(path);
    if (bytes === null) continue;
    if (bytes > 0) left.push({ folder: path, target: targetOf(name), bytes });
    else await removeEmpty(path).catch(() => undefined);
  }
  return left;
}

/** Bytes of segments; null: it is no folder of a spill. */
async function waitingIn(folder: string): Promise<Bytes | null> {
  const files = await readdir(folder).catch(() => null);
  if (files?.every(isOfSpill) !== true) return null;
  const sizes = files
    .filter((name) => name.endsWith(SEGMENT))
    .map((name) =>
      stat(join(folder, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

function isOfSpill(name: string): boolean {
  return name.endsWith(SEGMENT) || name === 'position' || name.endsWith('.new');
}

async function removeEmpty(folder: string): Promise<void> {
  for (const name of await readdir(folder)) await unlink(join(folder, name));
  await rmdir(folder);
}
