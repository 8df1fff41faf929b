import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync, realpathSync } from 'node:fs';
import type { Host } from '@hsu-master/core';
import type { Tools } from '../discovery/matcher.ts';

/** Small files are read to here. */
const LONGEST = 4096;

/** Clock ticks in a second, as /proc has them on every Linux that we are built for. */
const TICK_MS = 10;

const RUN_TIMEOUT = 5000;
const MAX_OUTPUT = 4096;

export interface ToolParts {
  readonly host: Pick<Host, 'exec'>;
  readonly userId: (nameOrId: string) => number | null;
  /** Marks the processes of programs that are run. */
  readonly mark: string;
}

/** What strategies ask of the system besides its table of processes. */
export function finderTools({ host, userId, mark }: ToolParts): Tools {
  const bootedAt = bootTime();
  return {
    exists: existsSync,
    userId,
    readText,
    realPath(path) {
      try {
        return realpathSync(path);
      } catch {
        return path;
      }
    },
    beganAt({ startedAt }) {
      return bootedAt === null ? null : bootedAt + Number(startedAt) * TICK_MS;
    },
    async run(argv) {
      const command = { argv, cwd: '/', env: {}, umask: null, user: null, group: null, groups: null };
      const request = { command, mark: `${mark}.discovery`, timeout: RUN_TIMEOUT, maxOutput: MAX_OUTPUT };
      const outcome = await host.exec(request).outcome;
      if (outcome.kind === 'failed') return { ok: false, output: outcome.failure.message };
      const output = outcome.output.trim();
      if (outcome.kind === 'timed-out') return { ok: false, output: `no answer within ${RUN_TIMEOUT} ms` };
      return { ok: outcome.exit.code === 0, output };
    },
  };
}

/** When the system began, in milliseconds since 1970. */
function bootTime(): number | null {
  try {
    const seconds = /^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1];
    return seconds === undefined ? null : Number(seconds) * 1000;
  } catch {
    return null;
  }
}

/** Of plain files: a FIFO would wait for whoever is to write to it. */
function readText(path: string): { readonly text: string; readonly writtenAt: number } | null {
  let fd: number;
  try {
    const { O_RDONLY, O_NONBLOCK } = process.getBuiltinModule('node:fs').constants;
    fd = openSync(path, O_RDONLY | O_NONBLOCK);
  } catch {
    return null;
  }
  try {
    const state = fstatSync(fd);
    if (!state.isFile()) return null;
    const buffer = Buffer.alloc(LONGEST);
    const length = readSync(fd, buffer, 0, LONGEST, 0);
    return { text: buffer.toString('utf8', 0, length), writtenAt: state.mtimeMs };
  } catch {
    return null;
  } finally {
    closeSync(fd);
  }
}
