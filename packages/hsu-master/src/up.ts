import { spawn } from 'node:child_process';
import { closeSync, fstatSync, openSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { type Awaited, tellProgress } from '@hsu-master/cli';
import { parseDuration } from '@hsu-master/core';
import { makeDirectory } from '@hsu-master/workers';
import { checkWorkingDirectory, placesOf } from './create-master.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { directoriesOf, type Flags } from './flags.ts';
import { outOf } from './out.ts';
import { type NotReady, READINESS_CHANNEL, type ReadinessNews } from './readiness.ts';
import { refused } from './refused.ts';

/** The first descriptor after the standard ones. */
const CHANNEL = 3;

const USUAL_WAIT = '60s';

/** A log of more bytes is set aside before another master writes to it. */
const LARGEST_LOG = 10 * 1024 * 1024;

/** `hsu-master up`: starts a master in the background; returns when its workers are ready, or says why they are not. */
export async function up(file: string, flags: Flags): Promise<number> {
  try {
    checkWorkingDirectory();
  } catch (error) {
    return refused(error);
  }
  const span = parseDuration(flags.wait ?? USUAL_WAIT);
  if (span === null)
    return say(EXIT_CODES.usage.code, `--wait takes a duration, 30s or 2m, not "${flags.wait}"`);
  const log = openLog(file, flags);
  const started = startMaster(file, flags, log.fd);
  closeSync(log.fd);
  let awaited: Awaited = { what: 'starting the master', of: 0, left: [] };
  const endProgress = tellProgress(
    outOf(process.stderr),
    () => Date.now(),
    awaited,
    () => awaited,
  );
  const outcome = await watch(started, flags['no-wait'] ? 0 : span, (news) => {
    if (news.kind === 'waiting') awaited = { what: 'starting', of: news.wanted, left: news.notReady };
  });
  await endProgress();
  started.let();
  switch (outcome.kind) {
    case 'gone':
      process.stderr.write(saidSince(log) || saidNothing(outcome, file, log));
      return outcome.code ?? EXIT_CODES.failed.code;
    case 'ready':
      process.stdout.write(`master ${started.pid} is up: ${count(outcome.wanted)} ready\n`);
      return EXIT_CODES.ok.code;
    case 'not-ready':
      process.stderr.write(
        `master ${started.pid} is up, but not all workers are ready:\n${lines(outcome.notReady)}`,
      );
      return EXIT_CODES.failed.code;
    case 'waiting':
      if (flags['no-wait']) {
        process.stdout.write(`master ${started.pid} is up; its workers are being started\n`);
        return EXIT_CODES.ok.code;
      }
      process.stderr.write(
        `master ${started.pid} is up; not ready within ${flags.wait ?? USUAL_WAIT}:\n${lines(outcome.notReady)}`,
      );
      return EXIT_CODES.timeout.code;
  }
}

function say(code: number, problem: string): number {
  process.stderr.write(`hsu-master: ${problem}\nSee hsu-master --help.\n`);
  return code;
}

function count(workers: number): string {
  return workers === 1 ? '1 worker is' : `${workers} workers are`;
}

function lines(notReady: readonly NotReady[]): string {
  return notReady.map(({ id, doing }) => `  ${id}: ${doing}; hsu-master why ${id}\n`).join('');
}

interface Log {
  readonly path: string;
  readonly fd: number;
  /** Where the new master begins. */
  readonly from: number;
}

function openLog(file: string, flags: Flags): Log {
  const { logDirectory } = placesOf(file, process.env, directoriesOf(flags));
  makeDirectory(logDirectory, 0o700);
  const path = join(logDirectory, 'master.log');
  let fd = openSync(path, 'a', 0o600);
  if (fstatSync(fd).size > LARGEST_LOG) {
    closeSync(fd);
    renameSync(path, `${path}.1`);
    fd = openSync(path, 'a', 0o600);
  }
  return { path, fd, from: fstatSync(fd).size };
}

function saidSince({ path, from }: Log): string {
  return readFileSync(path).subarray(from).toString();
}

/** For a master that was killed, or whose log cannot be written. */
function saidNothing({ code, signal }: Gone, file: string, { path }: Log): string {
  const end = signal ?? `exit ${code}`;
  return `hsu-master: the master ended (${end}) and wrote nothing to ${path}\nSee what it says: hsu-master run ${file}\n`;
}

interface Started {
  readonly pid: number;
  readonly news: Readable;
  /** How it ended, where it ends while it is watched. */
  readonly ended: Promise<Gone>;
  /** It goes on alone. */
  let(): void;
}

/** A session of its own: what closes this terminal does not reach it. */
function startMaster(file: string, flags: Flags, log: number): Started {
  const options = ['state-dir', 'log-dir', 'containment'] as const;
  const args = options.flatMap((name) => (flags[name] === undefined ? [] : [`--${name}`, flags[name]]));
  const child = spawn(
    process.execPath,
    [...process.execArgv, process.argv[1] ?? '', 'run', file, '--background', ...args],
    {
      detached: true,
      windowsHide: true,
      stdio: ['ignore', log, log, 'pipe'],
      env: { ...process.env, [READINESS_CHANNEL]: String(CHANNEL) },
    },
  );
  const news = child.stdio[CHANNEL] as Readable;
  const ended = new Promise<Gone>((settle) =>
    child.once('exit', (code, signal) => settle({ kind: 'gone', code, signal })),
  );
  return {
    pid: child.pid ?? 0,
    news,
    ended,
    let() {
      news.destroy();
      child.unref();
    },
  };
}

interface Gone {
  readonly kind: 'gone';
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

type Outcome = ReadinessNews | Gone;

/** What it came to within `span` milliseconds; `waiting` with the latest news where nothing was decided. */
function watch(
  { news, ended }: Started,
  span: number,
  heard: (news: ReadinessNews) => void,
): Promise<Outcome> {
  return new Promise((settle) => {
    let latest: ReadinessNews = { kind: 'waiting', ready: 0, wanted: 0, notReady: [] };
    let isHeard = false;
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      // Before its first word nobody knows whether there is a master at all.
      if (isHeard) settle(latest);
    }, span);
    const finish = (outcome: Outcome): void => {
      clearTimeout(timer);
      settle(outcome);
    };
    let rest = '';
    news.setEncoding('utf8').on('data', (chunk: string) => {
      const parts = (rest + chunk).split('\n');
      rest = parts.pop() ?? '';
      for (const part of parts) {
        latest = JSON.parse(part) as ReadinessNews;
        isHeard = true;
        heard(latest);
        if (latest.kind !== 'waiting' || isLate) finish(latest);
      }
    });
    news.on('error', () => {});
    void ended.then(finish);
  });
}
