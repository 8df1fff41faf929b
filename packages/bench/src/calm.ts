import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';

/** Share of the processors' time, from 0 to 1, that others may use before the machine no longer counts as calm. */
const DISTURBANCE = 0.07;
const LOOK_MS = 500;
const TICK_NS = 10_000_000;

/** Time of all processors together since the machine's start, ns, in steps of 10 ms each. */
interface Load {
  readonly busy: number;
  readonly all: number;
}

function load(): Load {
  const [line = ''] = readFileSync('/proc/stat', 'latin1').split('\n', 1);
  // Guests' time, the last two fields, is counted in user time already.
  const fields = line.trim().split(/ +/).slice(1, 9).map(Number);
  const [, , , idle = 0, waiting = 0] = fields;
  const all = fields.reduce((sum, value) => sum + value, 0);
  return { busy: (all - idle - waiting) * TICK_NS, all: all * TICK_NS };
}

const isCalm = (before: Load, after: Load, ours: number) =>
  after.busy - before.busy - ours <= DISTURBANCE * (after.all - before.all);

/** Waits until the machine has nothing else to do, at most `limit` ms. */
export async function awaitCalm(limit: number, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + limit;
  for (;;) {
    const before = load();
    await setTimeout(LOOK_MS, undefined, { signal });
    if (isCalm(before, load(), 0) || performance.now() >= deadline) return;
  }
}

/** Watches the machine from now on: whether hardly anything ran besides the bench and what used `cpu` ns. */
export function watchCalm(): (cpu: bigint) => boolean {
  const before = load();
  const self = process.cpuUsage();
  return (cpu) => {
    const { user, system } = process.cpuUsage(self);
    return isCalm(before, load(), Number(cpu) + (user + system) * 1000);
  };
}
