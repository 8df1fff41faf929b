import type { NativeEngineOptions, NativeSpawn } from './native.ts';

/** Largest uid and gid: the next one, -1 to the system, means "leave it". */
const largestId = 0xffff_fffe;
const largestPid = 0x3f_ffff;
const largestSignal = 64;
const largestUmask = 0o777;

export function integer(value: unknown, what: string, least: number, most: number): number {
  if (typeof value !== 'number') throw new TypeError(`${what} must be a number, not ${typeof value}`);
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(`${what} must be a whole number from ${least} to ${most}, not ${value}`);
  }
  return value;
}

export function text(value: unknown, what: string): string {
  if (typeof value !== 'string') throw new TypeError(`${what} must be a string, not ${typeof value}`);
  if (value.includes('\0')) throw new TypeError(`${what} must not contain a NUL`);
  return value;
}

export function boolean(value: unknown, what: string): boolean {
  if (typeof value !== 'boolean') throw new TypeError(`${what} must be a boolean, not ${typeof value}`);
  return value;
}

export const pid = (value: unknown): number => integer(value, 'pid', 1, largestPid);
export const signal = (value: unknown): number => integer(value, 'signal', 0, largestSignal);
export const handle = (value: unknown): number => integer(value, 'handle', 0, Number.MAX_SAFE_INTEGER);

/** A start time as the number the addon compares. */
export function startTime(value: unknown): number {
  const given = text(value, 'startTime');
  if (!/^\d{1,15}$/.test(given)) throw new TypeError(`startTime must be decimal clock ticks, not "${given}"`);
  return Number(given);
}

function oneOf<T extends string>(value: unknown, what: string, allowed: readonly T[]): number {
  const at = allowed.indexOf(value as T);
  if (at < 0) throw new TypeError(`${what} must be one of ${allowed.join(', ')}`);
  return at;
}

const orNone = (value: unknown, what: string, most: number): number =>
  value === null ? -1 : integer(value, what, 0, most);

/** Strings one after the other, each ended by a NUL: one crossing instead of one for each. */
function joined(values: unknown, what: string): string {
  if (!Array.isArray(values)) throw new TypeError(`${what} must be an array`);
  let result = '';
  for (let at = 0; at < values.length; at++) result += `${text(values[at], `${what}[${at}]`)}\0`;
  return result;
}

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
  readonly shellFallback: boolean;
  readonly nofile: number;
  readonly dieWithMaster: boolean;
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
    stdout: oneOf(options.stdout, 'stdout', ['capture', 'null', 'inherit']),
    stderr: oneOf(options.stderr, 'stderr', ['capture', 'null', 'inherit', 'stdout']),
    shellFallback: boolean(options.shellFallback, 'shellFallback'),
    nofile:
      options.nofile === null
        ? defaultNofile()
        : integer(options.nofile, 'nofile', 0, Number.MAX_SAFE_INTEGER),
    dieWithMaster: boolean(options.dieWithMaster, 'dieWithMaster'),
  };
}

export function checkEngineOptions(options: NativeEngineOptions): void {
  if (typeof options !== 'object' || options === null)
    throw new TypeError('engine options must be an object');
  if (typeof options.onEvents !== 'function') throw new TypeError('onEvents must be a function');
  boolean(options.subreaper, 'subreaper');
  integer(options.maxUnacknowledgedBytes, 'maxUnacknowledgedBytes', 1, Number.MAX_SAFE_INTEGER);
}
