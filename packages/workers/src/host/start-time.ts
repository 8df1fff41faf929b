import { uptime } from 'node:os';
import type { ProcessIdentity, WallTime } from '@hsu-master/core';

/** Milliseconds of the clock ticks in which Linux tells when a process began. */
const TICK = 10;

/** Above this it is no count since boot, but milliseconds since 1970, as where the process table is that of ps. */
const SINCE_1970 = 1e12;

/** When a process was started, as the clock on the wall has it now; null where that is not known. */
export function startTimeOf({ startedAt }: ProcessIdentity, now: WallTime): WallTime | null {
  if (!/^\d+$/.test(startedAt)) return null;
  const count = Number(startedAt);
  return count > SINCE_1970 ? count : now - uptime() * 1000 + count * TICK;
}
