import type { Out } from '@hsu-master/cli';
import { hasCursor, wantsColour } from './terminal-colour.ts';

/** One of this process's own streams, as commands write to it. */
export function outOf(stream: NodeJS.WriteStream): Out {
  const gone = new AbortController();
  stream.on('error', () => gone.abort());
  return {
    isTTY: stream.isTTY === true,
    cursor: hasCursor(stream, process.env),
    colour: wantsColour(stream, process.env),
    gone: gone.signal,
    columns: () => stream.columns ?? (Number(process.env['COLUMNS']) || Number.POSITIVE_INFINITY),
    rows: () => stream.rows ?? Number.POSITIVE_INFINITY,
    write(text) {
      if (gone.signal.aborted) return Promise.resolve();
      return new Promise((resolve) => stream.write(text, () => resolve()));
    },
  };
}
