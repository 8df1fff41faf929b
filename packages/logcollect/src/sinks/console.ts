import type { LogRecord } from '../record.ts';
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
