import { resolve } from 'node:path';
import type { DiscoveryCheck, Strategy, UnmanagedSpec } from '@hsu-master/core';
import { atHome, type Place } from './surroundings.ts';

type Absolute = (path: string) => string;

/** The same with absolute paths. */
export function toUnmanaged({ discovery, control, logFiles }: UnmanagedSpec, place: Place): UnmanagedSpec {
  const absolute: Absolute = (path) => resolve(place.directory, atHome(path, place));
  const { commands } = control;
  // A name without a slash stays for PATH.
  const program = (words: readonly [string, ...string[]] | null) =>
    words === null || !words[0].includes('/') ? words : ([absolute(words[0]), ...words.slice(1)] as const);
  return {
    discovery: {
      ...discovery,
      strategy: withPaths(discovery.strategy, absolute),
      exclude: discovery.exclude.map((one) => withPaths(one, absolute)),
      validation: discovery.validation.map((one) => checkWithPath(one, absolute)),
    },
    control: {
      ...control,
      commands: { stop: program(commands.stop), restart: program(commands.restart) },
    },
    logFiles: logFiles.map(absolute),
  };
}

function withPaths(strategy: Strategy, absolute: Absolute): Strategy {
  switch (strategy.kind) {
    case 'pid-file':
    case 'directory':
    case 'open-file':
    case 'executable':
      return { ...strategy, path: absolute(strategy.path) };
    case 'parent':
      return { ...strategy, parent: withPaths(strategy.parent, absolute) };
    case 'all':
    case 'any':
      return { ...strategy, of: strategy.of.map((one) => withPaths(one, absolute)) };
    default:
      return strategy;
  }
}

function checkWithPath(check: DiscoveryCheck, absolute: Absolute): DiscoveryCheck {
  return 'path' in check ? { ...check, path: absolute(check.path) } : check;
}
