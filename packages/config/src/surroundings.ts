import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Variables } from './interpolate.ts';
import type { CheckTarget } from './to-targets.ts';

/** What a configuration means depends on where it is read; all of it comes in here. */
export interface Surroundings {
  /** Variables for `${NAME}`. */
  readonly env: Variables;
  /** Absolute working directory of the master. */
  readonly cwd: string;
  /** Absolute directory of log files; those of the workers lie in `workers` below it. */
  readonly logDirectory: string;
  /** What `~/` at the start of a path means; HOME of `env` where it is not given, null where there is none. */
  readonly home?: string | null;
  /** Of the operating system and its user, for its conventions about places; the present ones where they are not given. */
  readonly platform?: NodeJS.Platform;
  readonly uid?: number;
  /** Whether a file or directory exists; asks the file system where it is not given. */
  readonly exists?: (path: string) => boolean;
  /** Says what is wrong with a target of lines; without it nothing is. */
  readonly checkTarget?: CheckTarget;
}

/** The same, complete; every path is looked at once. */
export interface Place {
  /** Directory of the configuration file. */
  readonly directory: string;
  readonly cwd: string;
  readonly home: string | null;
  readonly env: Variables;
  readonly platform: NodeJS.Platform;
  readonly uid: number;
  /** Where the workers’ files lie unless they say otherwise. */
  readonly workerLogDirectory: string;
  readonly logDirectory: string;
  exists(path: string): boolean;
}

/** @param workers the directory of the workers’ files as written; null: the usual one */
export function placeOf(directory: string, surroundings: Surroundings, workers: string | null): Place {
  const { env, cwd, logDirectory, exists = existsSync } = surroundings;
  const known = new Map<string, boolean>();
  const home = surroundings.home === undefined ? (env['HOME'] ?? null) : surroundings.home;
  return {
    directory,
    cwd,
    home,
    env,
    platform: surroundings.platform ?? process.platform,
    uid: surroundings.uid ?? process.getuid?.() ?? 0,
    logDirectory,
    workerLogDirectory: resolve(logDirectory, atHome(workers ?? 'workers', { home })),
    exists(path) {
      let answer = known.get(path);
      if (answer === undefined) {
        answer = exists(path);
        known.set(path, answer);
      }
      return answer;
    },
  };
}

/** A path with its `~/` replaced. */
export function atHome(path: string, place: Pick<Place, 'home'>): string {
  if (place.home === null) return path;
  return path === '~' ? place.home : path.startsWith('~/') ? join(place.home, path.slice(2)) : path;
}
