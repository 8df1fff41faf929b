import { closeSync, constants, openSync, readdirSync } from 'node:fs';
import type { WorkerId } from '@hsu-master/core';
import { type ChannelName, parseChannelName } from './channel-name.ts';

/** The FIFOs that one run of an earlier master has left. */
export interface FoundRun {
  readonly workerId: WorkerId;
  readonly run: number;
  readonly channels: readonly { readonly whose: ChannelName; readonly name: string }[];
}

/** The runs whose FIFOs are in a folder, each worker’s in the order in which they began. */
export function foundRuns(folder: string): readonly FoundRun[] {
  const runs = new Map<string, { whose: ChannelName; name: string }[]>();
  for (const name of readdirSync(folder)) {
    const whose = parseChannelName(name);
    if (whose === null) continue;
    const { workerId, run, master } = whose;
    const key = `${workerId}.${run}.${master}`;
    runs.set(key, [...(runs.get(key) ?? []), { whose, name }]);
  }
  return [...runs.values()]
    .flatMap((channels) => {
      const [first] = channels;
      return first === undefined ? [] : [{ ...first.whose, channels }];
    })
    .toSorted((a, b) => a.run - b.run || begunAt(a.master) - begunAt(b.master))
    .map(({ workerId, run, channels }) => ({ workerId, run, channels }));
}

/** Masters are named by the time at which they began. */
function begunAt(master: string): number {
  return Number.parseInt(master, 36);
}

/**
 * Lets whoever opened a FIFO for reading after its last writer was gone hear of its end: the kernel tells of writers only that went
 * since.
 */
export function announceEnd(fifo: string): void {
  isHeldBySomebody(fifo);
}

/** Whether a process has a FIFO open for reading. Workers do so with theirs: nobody else can have kept what is in it. */
export function isHeldBySomebody(fifo: string): boolean {
  try {
    closeSync(openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK));
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ENXIO';
  }
}
