import { accessSync, constants, type Stats, statSync } from 'node:fs';
import { posix } from 'node:path';
import type { Command, WorkerId } from '@hsu-master/core';
import type { UserEntry } from './accounts.ts';

/** The variables that a master was given. */
export type MasterEnvironment = Readonly<Record<string, string | undefined>>;

export type Environment = Readonly<Record<string, string>>;

/** Where exec looks when there is no PATH at all. */
const DEFAULT_PATH = '/usr/local/bin:/usr/bin:/bin';

/** Addressed to the master alone: a worker that acted on them would speak in its name or use a descriptor that it does not have. */
const NOT_INHERITED: ReadonlySet<string> = new Set([
  'NOTIFY_SOCKET',
  'WATCHDOG_USEC',
  'WATCHDOG_PID',
  'LISTEN_FDS',
  'LISTEN_PID',
  'LISTEN_FDNAMES',
  'NODE_CHANNEL_FD',
  'NODE_CHANNEL_SERIALIZATION_MODE',
]);

/** The variables that workers inherit. */
export function inheritable(master: MasterEnvironment): Environment {
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(master)) {
    if (value !== undefined && !NOT_INHERITED.has(name)) result[name] = value;
  }
  return result;
}

/** The whole environment of a new process. `user` is set where it runs as another user than the master. */
export function completeEnvironment(
  inherited: Environment,
  command: Command,
  mark: string,
  workerId: WorkerId | null,
  user: UserEntry | null,
  sockets = 0,
): Environment {
  return {
    ...inherited,
    ...(user === null ? {} : { HOME: user.home, USER: user.name, LOGNAME: user.name }),
    // As given, a symbolic link kept: programs that print paths show the ones that the user wrote.
    PWD: command.cwd,
    ...command.env,
    HSU_RUN: mark,
    ...(workerId === null ? {} : { HSU_WORKER: workerId }),
    // LISTEN_PID, without which it counts for nobody, is added when the process is made.
    ...(sockets === 0 ? {} : { LISTEN_FDS: String(sockets) }),
  };
}

/** Where a program name leads. */
export type ProgramSearch =
  | { readonly kind: 'found'; readonly file: string }
  /** A file of that name is there, but nobody may execute it. */
  | { readonly kind: 'not-executable'; readonly file: string }
  | { readonly kind: 'nowhere'; readonly directories: readonly string[] };

/**
 * Finds the program as a shell would: a name with a slash is a path relative to the working directory, another is looked up in PATH.
 * `user`: who will execute it, where that is not the master.
 */
export function findProgram(command: Command, env: Environment, user: UserEntry | null): ProgramSearch {
  const [name] = command.argv;
  if (name.includes('/')) return { kind: 'found', file: name };
  const directories = searchPath(command, env);
  const key = `${name}:${user?.uid ?? ''}:${directories.join(':')}`;
  const known = lately.get(key);
  if (known !== undefined) return known;
  if (lately.size === 0) queueMicrotask(() => lately.clear());
  const search = searchIn(directories, name, user);
  lately.set(key, search);
  return search;
}

/** Searches of this stretch of synchronous code: a thousand workers that start together often have one program. */
const lately = new Map<string, ProgramSearch>();

function searchIn(directories: readonly string[], name: string, user: UserEntry | null): ProgramSearch {
  let blocked: string | null = null;
  for (const directory of directories) {
    const file = posix.join(directory, name);
    const entry = statQuietly(file);
    if (entry === null || !entry.isFile()) continue;
    if (mayExecute(file, user)) return { kind: 'found', file };
    blocked ??= file;
  }
  return blocked === null ? { kind: 'nowhere', directories } : { kind: 'not-executable', file: blocked };
}

/** The directories of PATH, absolute. */
function searchPath(command: Command, env: Environment): readonly string[] {
  const entries = (env.PATH ?? DEFAULT_PATH).split(':');
  return entries.map((entry) => (entry.startsWith('/') ? entry : posix.resolve(command.cwd, entry)));
}

/** Whether a file may be executed, or a directory entered, by this user; null: by the master’s own. */
export function mayExecute(path: string, user: UserEntry | null): boolean {
  if (user !== null) return userMayExecute(path, user);
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** By the permission bits of the file and its directories: nobody can be asked on behalf of another. */
function userMayExecute(file: string, user: UserEntry): boolean {
  for (let path = file; ; path = posix.dirname(path)) {
    const entry = statQuietly(path);
    if (entry === null) return false;
    const shift = entry.uid === user.uid ? 6 : user.groups.includes(entry.gid) ? 3 : 0;
    const bits = user.uid === 0 ? 0o111 : 0o1 << shift;
    if ((entry.mode & bits) === 0) return false;
    if (path === '/') return true;
  }
}

/** null: not there, or in a place that may not be looked into. */
export function statQuietly(path: string): Stats | null {
  try {
    // Without an exception for the common answer: making one costs more than asking.
    return statSync(path, { throwIfNoEntry: false }) ?? null;
  } catch {
    return null;
  }
}
