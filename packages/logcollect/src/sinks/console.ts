import type { Clock } from '@hsu-master/core';
import type { LogRecord } from '../record.ts';
import { terminalOutput } from '../terminal/output.ts';
import type { Sink } from './sink.ts';

/** A stream of the master’s own. Resolves when the text is written; rejects where nobody reads any more. */
export type ConsoleOut = (text: string) => Promise<void>;

/** Writes lines to a stream of the master. */
export function consoleSink(name: string, format: (record: LogRecord) => string, write: ConsoleOut): Sink {
  return {
    name,
    async send(batch) {
      try {
        await write(batch.map((record) => `${format(record)}\n`).join(''));
        return { kind: 'taken' };
      } catch (error) {
        return { kind: 'never', reason: error instanceof Error ? error.message : String(error) };
      }
    },
    async close() {
      await Promise.resolve();
    },
  };
}

/**
 * One of the master’s descriptors as such a stream, written without ever waiting for it in the event loop.
 * @param fd usually 1 or 2
 */
export function consoleOut(fd: number, clock: Clock): ConsoleOut & { close(): Promise<void> } {
  const waiting: PromiseWithResolvers<void>[] = [];
  let isGone = false;
  const output = terminalOutput({
    fd,
    clock,
    drained: () => {
      for (const { resolve } of waiting.splice(0)) resolve();
    },
    gone: () => {
      isGone = true;
      for (const { reject } of waiting.splice(0)) reject(new Error('nobody reads it any more'));
    },
  });
  const write = async (text: string): Promise<void> => {
    if (isGone) throw new Error('nobody reads it any more');
    if (output.write(text)) return;
    const written = Promise.withResolvers<void>();
    waiting.push(written);
    await written.promise;
  };
  return Object.assign(write, { close: () => output.close() });
}
