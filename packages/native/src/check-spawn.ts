import { boolean, integer, joined, oneOf, text } from './check.ts';
import { type CheckedLimits, checkLimits } from './check-limits.ts';
import type { NativeEngineOptions, NativeListen, NativeSpawn } from './native.ts';

/** Largest uid and gid: the next one, -1 to the system, means "leave it". */
const largestId = 0xffff_fffe;
const largestUmask = 0o777;

const orNone = (value: unknown, what: string, most: number): number =>
  value === null ? -1 : integer(value, what, 0, most);

/** The one object that the addon receives; `-1` and `''` stand for "the master's". */
export interface CheckedSpawn {
  readonly file: string;
  readonly argv: string;
  readonly env: string;
  readonly cwd: string;
  readonly umask: number;
  readonly uid: number;
  readonly gid: number;
  readonly setGroups: boolean;
  readonly groups: readonly number[];
  readonly stdout: number;
  readonly stderr: number;
  readonly stdoutChannel: string;
  readonly stderrChannel: string;
  /** Address and port of each, one after the other. */
  readonly listens: readonly (string | number)[];
  readonly shellFallback: boolean;
  readonly nofile: number;
  readonly dieWithMaster: boolean;
  readonly limits: CheckedLimits | null;
}

const channelOutput = 4;

type Stream = NativeSpawn['stderr'];

function stream(value: Stream, what: string, allowed: readonly string[]): number {
  return typeof value === 'object' ? channelOutput : oneOf(value, what, allowed);
}

function channel(value: Stream | null, what: string): string {
  if (typeof value !== 'object') return '';
  const path = text(value?.fifo, `${what}.fifo`);
  if (path === '') throw new TypeError(`${what}.fifo must not be empty`);
  return path;
}

/** More than a program has use for; each takes a descriptor. */
const mostListens = 64;

function checkListens(value: NativeSpawn['listens']): (string | number)[] {
  if (!Array.isArray(value)) throw new TypeError('listens must be an array');
  if (value.length > mostListens) throw new RangeError(`listens must be at most ${mostListens}`);
  return (value as readonly NativeListen[]).flatMap(({ address, port }, at) => {
    return [text(address, `listens[${at}].address`), integer(port, `listens[${at}].port`, 1, 65_535)];
  });
}

export function checkSpawn(options: NativeSpawn, defaultNofile: () => number): CheckedSpawn {
  if (typeof options !== 'object' || options === null) throw new TypeError('spawn options must be an object');
  const file = text(options.file, 'file');
  if (file === '') throw new TypeError('file must not be empty');
  const argv = joined(options.argv, 'argv');
  if (argv === '') throw new TypeError('argv must hold at least the name of the program');
  if (options.cwd === '') throw new TypeError('cwd must not be empty');
  const groups = options.groups;
  if (groups !== null && !Array.isArray(groups)) throw new TypeError('groups must be an array or null');
  return {
    file,
    argv,
    env: joined(options.env, 'env'),
    cwd: options.cwd === null ? '' : text(options.cwd, 'cwd'),
    umask: orNone(options.umask, 'umask', largestUmask),
    uid: orNone(options.uid, 'uid', largestId),
    gid: orNone(options.gid, 'gid', largestId),
    setGroups: groups !== null,
    groups: (groups ?? []).map((group, at) => integer(group, `groups[${at}]`, 0, largestId)),
    stdout: stream(options.stdout, 'stdout', ['capture', 'null', 'inherit']),
    stderr: stream(options.stderr, 'stderr', ['capture', 'null', 'inherit', 'stdout']),
    stdoutChannel: channel(options.stdout, 'stdout'),
    stderrChannel: channel(options.stderr, 'stderr'),
    listens: checkListens(options.listens),
    shellFallback: boolean(options.shellFallback, 'shellFallback'),
    nofile:
      options.nofile === null
        ? defaultNofile()
        : integer(options.nofile, 'nofile', 0, Number.MAX_SAFE_INTEGER),
    dieWithMaster: boolean(options.dieWithMaster, 'dieWithMaster'),
    limits: checkLimits(options.limits),
  };
}

export function checkEngineOptions(options: NativeEngineOptions): void {
  if (typeof options !== 'object' || options === null)
    throw new TypeError('engine options must be an object');
  if (typeof options.onEvents !== 'function') throw new TypeError('onEvents must be a function');
  boolean(options.subreaper, 'subreaper');
  integer(options.maxUnacknowledgedBytes, 'maxUnacknowledgedBytes', 1, Number.MAX_SAFE_INTEGER);
}
