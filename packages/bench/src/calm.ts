import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';

/** Share of the processors' time, from 0 to 1, that must be idle for the machine to count as calm. */
const CALM = 0.93;
const LOOK_MS = 500;

function ticks(): { idle: number; all: number } {
  const [line = ''] = readFileSync('/proc/stat', 'latin1').split('\n', 1);
  const fields = line.trim().split(/ +/).slice(1).map(Number);
  const [, , , idle = 0, waiting = 0] = fields;
  // Guests' time is counted in user time already.
  return { idle: idle + waiting, all: fields.slice(0, 8).reduce((sum, value) => sum + value, 0) };
}

/** Waits until the machine has nothing else to do, at most `limit` ms. Tells whether that came. */
export async function calm(limit: number, signal: AbortSignal): Promise<boolean> {
  const deadline = performance.now() + limit;
  for (;;) {
    const before = ticks();
    await setTimeout(LOOK_MS, undefined, { signal });
    const after = ticks();
    if (after.idle - before.idle >= CALM * (after.all - before.all)) return true;
    if (performance.now() >= deadline) return false;
  }
}
