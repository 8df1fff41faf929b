import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmdirSync,
  rmSync,
  statfsSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import { join } from 'node:path';

const MEMORY_FILE_SYSTEMS: ReadonlySet<number> = new Set([0x0102_1994, 0x8584_58f6]);
const SHARED_MEMORY = '/dev/shm';
const PREFIX = 'hsu-channels-';
/** In a folder in shared memory: a link back to the run directory’s own. */
const BACK = '.of';
/** A folder that is younger may be one that is just being made, in milliseconds. */
const YOUNG = 60_000;

/** The folder of a master’s FIFOs. */
export interface ChannelFolder {
  readonly path: string;
  /** Removes it if nothing is left in it. */
  release(): void;
}

/**
 * Makes or finds the folder for FIFOs below `runDirectory`, which exists. A file system on a disk takes up to a millisecond for
 * making one; there the folder is in shared memory, and the run directory has a link to it.
 * @param now wall time: folders in shared memory that are older than a minute and that no run directory leads to are removed
 * @throws the system’s error where no folder can be made
 */
export function channelFolder(runDirectory: string, now: number): ChannelFolder {
  const path = join(runDirectory, 'channels');
  const linked = ownLink(path);
  if (linked !== null) return sharedFolder(linked, path);
  if (inMemory(runDirectory) || !inMemory(SHARED_MEMORY)) return plainFolder(path);
  sweep(now);
  try {
    const made = mkdtempSync(join(SHARED_MEMORY, PREFIX));
    symlinkSync(path, join(made, BACK));
    symlinkSync(made, path);
    return sharedFolder(made, path);
  } catch {
    return plainFolder(path);
  }
}

function plainFolder(path: string): ChannelFolder {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  return { path, release: () => quietly(() => rmdirSync(path)) };
}

function sharedFolder(path: string, link: string): ChannelFolder {
  const release = () => {
    // Not before all else is gone: somebody’s FIFO may be in it, of which the next master takes care.
    if (readdirSync(path).some((name) => name !== BACK)) return;
    rmSync(path, { recursive: true });
    unlinkSync(link);
  };
  return { path, release: () => quietly(release) };
}

/** Where the link that an earlier master made leads, if nobody else can have put something there. */
function ownLink(path: string): string | null {
  try {
    const target = readlinkSync(path);
    if (isOwn(target)) return target;
  } catch {
    // No link, or one that leads nowhere: shared memory does not outlive a boot.
  }
  quietly(() => unlinkSync(path));
  return null;
}

function isOwn(folder: string): boolean {
  const { uid, mode } = lstatSync(folder);
  const isFolder = (mode & 0o170_000) === 0o040_000;
  return isFolder && uid === process.getuid?.() && (mode & 0o077) === 0;
}

/** Removes what masters left whose run directories are gone, or lead elsewhere now. */
function sweep(now: number): void {
  for (const name of readdirSync(SHARED_MEMORY)) {
    if (!name.startsWith(PREFIX)) continue;
    const folder = join(SHARED_MEMORY, name);
    quietly(() => {
      if (!isOwn(folder) || now - lstatSync(folder).mtimeMs < YOUNG || leadsTo(folder)) return;
      rmSync(folder, { recursive: true });
    });
  }
}

/** Whether its run directory still has a link to it. */
function leadsTo(folder: string): boolean {
  try {
    return readlinkSync(readlinkSync(join(folder, BACK))) === folder;
  } catch {
    return false;
  }
}

function inMemory(folder: string): boolean {
  try {
    return MEMORY_FILE_SYSTEMS.has(statfsSync(folder).type);
  } catch {
    return false;
  }
}

function quietly(step: () => void): void {
  try {
    step();
  } catch {
    // What cannot be removed now is found by the next.
  }
}
