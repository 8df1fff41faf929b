import { accessSync, constants, statSync } from 'node:fs';
import { posix } from 'node:path';
import type { Command, WorkerId } from '@hsu-master/core';
import type { UserEntry } from './accounts.ts';

/** The variables that a master was given. */
export type MasterEnvironment = Readonly<Record<string, string | undefined>>;

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

/** The whole environment of a new process. `user` is set where it runs as another user than the master. */
export function completeEnvironment(
  master: MasterEnvironment,
  command: Command,
  mark: string,
  workerId: WorkerId | null,
  user: UserEntry | null,
): Readonly<Record<string, string>> {
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(master)) {
    if (value !== undefined && !NOT_INHERITED.has(name)) result[name] = value;
  }
  if (user !== null) Object.assign(result, { HOME: user.home, USER: user.name, LOGNAME: user.name });
  // As given, a symbolic link kept: programs that print paths show the ones that the user wrote.
  result.PWD = command.cwd;
  Object.assign(result, command.env);
  result.HSU_RUN = mark;
  if (workerId !== null) result.HSU_WORKER = workerId;
  return result;
}

/** Where a program name leads. */
export type ProgramSearch =
  | { readonly kind: 'found'; readonly file: string }
  /** A file of that name is there, but nobody may execute it. */
  | { readonly kind: 'not-executable'; readonly file: string }
  | { readonly kind: 'nowhere'; readonly directories: readonly string[] };

/** Finds the program as a shell would: a name with a slash is a path relative to the working directory, another is looked up in PATH. */
export function findProgram(
  command: Command,
  env: Readonly<Record<string, string>>,
  ownRights: boolean,
): ProgramSearch {
  const [name] = command.argv;
  if (name.includes('/')) return { kind: 'found', file: name };
  const directories = searchPath(command, env);
  let blocked: string | null = null;
  for (const directory of directories) {
    const file = posix.join(directory, name);
    const entry = statSync(file, { throwIfNoEntry: false, bigint: false });
    if (entry === undefined || !entry.isFile()) continue;
    if (isExecutable(file, entry.mode, ownRights)) return { kind: 'found', file };
    blocked ??= file;
  }
  return blocked === null ? { kind: 'nowhere', directories } : { kind: 'not-executable', file: blocked };
}

/** The directories of PATH, absolute. */
export function searchPath(command: Command, env: Readonly<Record<string, string>>): readonly string[] {
  const entries = (env.PATH ?? DEFAULT_PATH).split(':');
  return [...new Set(entries.map((entry) => posix.resolve(command.cwd, entry)))];
}

/** Asks the system where the answer is about ourselves; for another user only the kernel can tell, at exec. */
function isExecutable(file: string, mode: number, ownRights: boolean): boolean {
  if ((mode & 0o111) === 0) return false;
  if (!ownRights) return true;
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
