import type { LogRecord } from '../../src/record.ts';
import type { SinkQueue } from '../../src/sinks/queue.ts';
import type { SinkNews } from '../../src/sinks/queue-spec.ts';
import { readTarget, type WrittenTarget } from '../../src/sinks/read-target.ts';
import { type SinkSurroundings, sinksFrom } from '../../src/sinks/sinks-from.ts';
import { hurriedClock } from './real-clock.ts';

/** A written target behind its queue, in a time that passes fifty times as fast. */
export function sinkOf(
  written: WrittenTarget,
  over: Partial<SinkSurroundings> & { readonly spillFolder?: string } = {},
): { queue: SinkQueue; news: SinkNews[] } {
  const { spillFolder = null, ...surroundings } = over;
  const { spec, issues } = readTarget(written, { name: 'target', resolve: (path) => path, spillFolder });
  if (spec === null) throw new Error(JSON.stringify(issues));
  const news: SinkNews[] = [];
  const [queue] = sinksFrom([spec], {
    clock: hurriedClock(50),
    hostname: 'box',
    masterId: 'm1',
    stdout: () => Promise.resolve(),
    stderr: () => Promise.resolve(),
    unixDatagram: null,
    news: (item) => void news.push(item),
    ...surroundings,
  });
  return { queue: queue as SinkQueue, news };
}

export function offer(queue: SinkQueue, records: readonly LogRecord[]): void {
  for (const record of records) queue.offer(record);
}
