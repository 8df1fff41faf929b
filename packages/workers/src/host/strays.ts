import { type Clock, KILL_WAIT, type Milliseconds, type ProcessIdentity } from '@hsu-master/core';
import type { Forest } from './forest.ts';
import { signalNumber } from './signals.ts';

const LOOK_EVERY: Milliseconds = 20;

/**
 * Ends what the master inherited and no run claims: SIGTERM, after `grace` SIGKILL. What such a process leaves behind is
 * inherited in turn, so this looks until nobody is left. Resolves with the survivors, at the latest `KILL_WAIT` after the grace.
 */
export async function endStrays(
  forest: Forest,
  clock: Clock,
  grace: Milliseconds,
): Promise<readonly ProcessIdentity[]> {
  const killAt = clock.now() + grace;
  const asked = new Set<string>();
  for (;;) {
    const strays = forest.strays();
    const now = clock.now();
    if (now >= killAt + KILL_WAIT) return strays;
    if (strays.length === 0 && forest.knowsInherited()) return strays;
    for (const stray of strays) {
      const key = `${stray.pid} ${stray.startedAt}`;
      if (now >= killAt) {
        forest.system.signalProcess(stray, signalNumber('SIGKILL'));
      } else if (!asked.has(key)) {
        asked.add(key);
        forest.system.signalProcess(stray, signalNumber('SIGTERM'));
        forest.system.signalProcess(stray, signalNumber('SIGCONT'));
      }
    }
    await new Promise<void>((resolve) => void clock.after(LOOK_EVERY, resolve));
  }
}
