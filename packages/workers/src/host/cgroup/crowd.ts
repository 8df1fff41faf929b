import { posix } from 'node:path';
import { readNumbers, readText } from './files.ts';

/** How many processes and threads a group has, and how many it may have. */
export interface Crowd {
  readonly now: number;
  /** The most that it had; as many as now where the kernel does not remember (before Linux 6.1). */
  readonly most: number;
  /** Infinity: it is not limited. */
  readonly limit: number;
  /**
   * How many the kernel has refused at this group’s own limit, tried in it or further inside (v2 from Linux 6.11 on); else those that were
   * tried in it and refused at any limit, its own or one around it.
   */
  readonly tried: number;
  /** How many at its own limit; null where the kernel does not tell them from others. */
  readonly refused: number | null;
}

/** null: `directory` has no such controller. */
export function readCrowd(directory: string): Crowd | null {
  const refused = refusedIn(directory, 'pids.events.local');
  const tried = refusedIn(directory, 'pids.events');
  const limit = readText(posix.join(directory, 'pids.max'));
  if (tried === null || limit === null) return null;
  const now = Number(readText(posix.join(directory, 'pids.current')) ?? 0);
  const most = Math.max(now, Number(readText(posix.join(directory, 'pids.peak')) ?? 0));
  return { now, most, limit: limit === 'max' ? Infinity : Number(limit), tried, refused };
}

/** null: there is no such file. */
function refusedIn(directory: string, file: 'pids.events' | 'pids.events.local'): number | null {
  return readNumbers(posix.join(directory, file)).get('max') ?? null;
}
