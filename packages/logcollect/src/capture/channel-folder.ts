import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readlinkSync,
  rmdirSync,
  statfsSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import { join } from 'node:path';

const MEMORY_FILE_SYSTEMS: ReadonlySet<number> = new Set([0x0102_1994, 0x8584_58f6]);
const SHARED_MEMORY = '/dev/shm';

/** The folder of a master’s FIFOs. */
export interface ChannelFolder {
  readonly path: string;
  /** Removes it if nothing is left in it. */
  release(): void;
}

/**
 * Makes or finds the folder for FIFOs below `runDirectory`, which exists. A file system on a disk takes up to a millisecond for
 * making one; there the folder is in shared memory, and the run directory has a link to it.
 * @throws the system’s error where no folder can be made
 */
export function channelFolder(runDirectory: string): ChannelFolder {
  const path = join(runDirectory, 'channels');
  const linked = ownLink(path);
  if (linked !== null)
    return { path: linked, release: () => quietly(() => (rmdirSync(linked), unlinkSync(path))) };
  if (inMemory(runDirectory) || !inMemory(SHARED_MEMORY)) return plainFolder(path);
  try {
    const made = mkdtempSync(join(SHARED_MEMORY, 'hsu-channels-'));
    symlinkSync(made, path);
    return { path: made, release: () => quietly(() => (rmdirSync(made), unlinkSync(path))) };
  } catch {
    return plainFolder(path);
  }
}

function plainFolder(path: string): ChannelFolder {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  return { path, release: () => quietly(() => rmdirSync(path)) };
}

/** Where the link that an earlier master made leads, if nobody else can have put something there. */
function ownLink(path: string): string | null {
  try {
    const target = readlinkSync(path);
    const { uid, mode } = lstatSync(target);
    const isFolder = (mode & 0o170_000) === 0o040_000;
    if (isFolder && uid === process.getuid?.() && (mode & 0o077) === 0) return target;
  } catch {
    // No link, or one that leads nowhere: shared memory does not outlive a boot.
  }
  quietly(() => unlinkSync(path));
  return null;
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
    // Somebody’s FIFO is in it: the next master takes care of that.
  }
}
