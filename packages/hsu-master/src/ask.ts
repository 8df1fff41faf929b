import type { Out, Surroundings } from '@hsu-master/cli';
import { runCli } from '@hsu-master/cli';
import { placeOfMaster } from './place-of-master.ts';
import { wantsColour } from './terminal-colour.ts';
import { ownVersion } from './version.ts';

/** Runs a command that asks a master, on this process's own streams. */
export function ask(argv: readonly string[]): Promise<number> {
  let interrupted: AbortController | null = null;
  const to: Surroundings = {
    out: outOf(process.stdout),
    err: outOf(process.stderr),
    locate: placeOfMaster,
    version: ownVersion(),
    now: () => Date.now(),
    interrupted() {
      if (interrupted === null) {
        interrupted = new AbortController();
        for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupted?.abort());
      }
      return interrupted.signal;
    },
  };
  return runCli(argv, to);
}

function outOf(stream: NodeJS.WriteStream): Out {
  const gone = new AbortController();
  stream.on('error', () => gone.abort());
  return {
    isTTY: stream.isTTY === true,
    colour: wantsColour(stream, process.env),
    gone: gone.signal,
    columns: () => stream.columns ?? (Number(process.env['COLUMNS']) || Number.POSITIVE_INFINITY),
    write(text) {
      if (gone.signal.aborted) return Promise.resolve();
      return new Promise((resolve) => stream.write(text, () => resolve()));
    },
  };
}
