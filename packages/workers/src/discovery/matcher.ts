import type { ProcessIdentity } from '@hsu-master/core';
import type { Needs, ProcessInfo } from './process.ts';

/** What strategies may ask besides the table. */
export interface Tools {
  /** The first 4 KiB of a small file, and when it was written, in milliseconds since 1970; null where it cannot be read. */
  readText(path: string): { readonly text: string; readonly writtenAt: number } | null;
  exists(path: string): boolean;
  /** The path without symbolic links; the same where it does not exist. */
  realPath(path: string): string;
  /** The number of a user; null: there is none of that name. */
  userId(nameOrId: string): number | null;
  /** When a process began, in milliseconds since 1970. */
  beganAt(process: ProcessIdentity): number | null;
  /** What a program printed, where it ended with success; else why not. */
  run(argv: readonly [string, ...string[]]): Promise<{ readonly ok: boolean; readonly output: string }>;
}

/** A process and all the others of the same look. */
export interface Around {
  byPid(pid: number): ProcessInfo | undefined;
}

/** One look, begun. */
export interface Look {
  /** Processes among which alone it has to be; null: all. */
  readonly pids: readonly number[] | null;
  /** Why it cannot be there; empty: it may. */
  readonly absent: string;
  /** A text: it is not, for a reason that people should know. */
  matches(process: ProcessInfo, around: Around): boolean | string;
}

/** A strategy, ready for looks. */
export interface Matcher {
  readonly needs: Needs;
  begin(tools: Tools): Look | Promise<Look>;
}

/** A strategy that has nothing to find out before a look. */
export function simple(needs: Needs, matches: (process: ProcessInfo, around: Around) => boolean): Matcher {
  return { needs, begin: () => ({ pids: null, absent: '', matches }) };
}
