import { type Keys, type Out, runCli, type Surroundings } from '@hsu-master/cli';
import { outOf } from './out.ts';
import { placeOfMaster } from './place-of-master.ts';
import { ownVersion } from './version.ts';

/** Runs a command that asks a master, on this process's own streams. */
export function ask(argv: readonly string[]): Promise<number> {
  return runCli(argv, ownSurroundings());
}

/** This process, its streams and its keyboard. */
export function ownSurroundings(): Surroundings {
  let interrupted: AbortController | null = null;
  let err: Out | null = null;
  // A stream is made when it is first asked for, which takes as long as to fill a list.
  return {
    out: outOf(process.stdout),
    get err() {
      err ??= outOf(process.stderr);
      return err;
    },
    get keys() {
      return process.stdin.isTTY && process.stdout.isTTY ? keyboard() : null;
    },
    input: () => ({ chunks: process.stdin, close: () => process.stdin.destroy() }),
    locate: placeOfMaster,
    get version() {
      return ownVersion();
    },
    now: () => Date.now(),
    interrupted() {
      if (interrupted === null) {
        interrupted = new AbortController();
        for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupted?.abort());
      }
      return interrupted.signal;
    },
  };
}

/** Keys one by one, and not shown. */
function keyboard(): Keys {
  return {
    listen(listener) {
      const { stdin, stdout } = process;
      const hear = (key: string): void => listener(key);
      const resize = (): void => listener('');
      stdin.setRawMode(true).setEncoding('utf8').on('data', hear).resume();
      stdout.on('resize', resize);
      return () => {
        stdin.off('data', hear).setRawMode(false).pause();
        stdout.off('resize', resize);
      };
    },
  };
}
