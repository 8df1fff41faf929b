import {
  type Cancellation,
  HsuError,
  type LogLine,
  type LogNews,
  type LogReader,
  type WorkerSpec,
} from '@hsu-master/core';
import { type FollowItem, logStore, type StoredLine, storedLogs } from '@hsu-master/logcollect';
import { realClock } from '@hsu-master/workers';

/** Whoever follows so slowly that more than this waits in a log loses the oldest of it, and is told. */
const MAX_LAG = 16 * 1024 * 1024;

/** The logs of these workers, from their files. */
export function logReader(workers: () => readonly WorkerSpec[]): LogReader {
  const store = logStore({
    clock: realClock(),
    logs: () => workers().flatMap(({ id, log }) => storedLogs(id, log)),
  });
  return {
    async tail({ workers: wanted, stream }, count, signal) {
      return (await store.tail({ workers: wanted, stream }, count, asSignal(signal))).map(lineOf);
    },
    async search({ from, to, ...query }, signal) {
      try {
        const page = await store.search({
          ...query,
          ...(from === null ? {} : { from }),
          ...(to === null ? {} : { to }),
          signal: asSignal(signal),
        });
        return { lines: page.lines.map(lineOf), cursor: page.cursor };
      } catch (error) {
        if (error instanceof TypeError) throw new HsuError('E_REQUEST', error.message, {}, error);
        throw error;
      }
    },
    async *follow({ workers: wanted, stream }, lines, signal) {
      const query = { workers: wanted, stream, begin: { lines }, maxLag: MAX_LAG, signal: asSignal(signal) };
      const following = store.follow(query);
      try {
        for await (const item of following) yield newsOf(item);
      } catch (error) {
        if (!signal.aborted) throw error;
      } finally {
        await following.close();
      }
    },
  };
}

/** Core has no name for it; whoever calls from outside gives a real one. */
function asSignal(signal: Cancellation): AbortSignal {
  return signal as AbortSignal;
}

function lineOf({ record, isStamped }: StoredLine): LogLine {
  const { workerId, stream, at, run, text } = record;
  return { workerId, stream, at, stamped: isStamped, run, text };
}

function newsOf(item: FollowItem): LogNews {
  if (item.kind === 'line') return { kind: 'line', line: lineOf(item.line) };
  return { kind: 'lost', workerId: item.log.workerId, bytes: item.bytes, lines: item.lines };
}
