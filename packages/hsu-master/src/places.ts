import { basename, dirname, extname, join, resolve } from 'node:path';
import { crc32 } from 'node:zlib';

/** Where a master keeps its files. All absolute. */
export interface Places {
  /** What a reboot voids: run records, the lock. */
  readonly runDirectory: string;
  /** What outlives a reboot. */
  readonly stateDirectory: string;
  readonly logDirectory: string;
}

/** What the choice of places depends on. */
export interface PlaceSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  /** Runs as the system’s administrator. */
  readonly privileged: boolean;
  /** Given on the command line or by the embedding application. */
  readonly stateDirectory: string | null;
  readonly logDirectory: string | null;
  /** Tells masters of one machine apart. */
  readonly instance: string;
}

/**
 * Chooses directories by `--state-dir`/`--log-dir`, then HSU_HOME, then the system’s places for an administrator and the XDG
 * places for a user; each master has a folder of its own in each.
 */
export function choosePlaces(from: PlaceSources): Places {
  const base = baseDirectories(from);
  const state = from.stateDirectory;
  return {
    runDirectory: state === null ? join(base.run, from.instance) : join(state, 'run'),
    stateDirectory: state === null ? join(base.state, from.instance) : state,
    logDirectory: from.logDirectory ?? (state === null ? join(base.log, from.instance) : join(state, 'logs')),
  };
}

/** Where all masters of this user keep theirs. */
export function baseDirectories({ env, home, privileged }: PlaceSources): {
  run: string;
  state: string;
  log: string;
} {
  const own = env['HSU_HOME'];
  if (own) return { run: resolve(own, 'run'), state: resolve(own, 'state'), log: resolve(own, 'logs') };
  if (privileged) {
    return { run: '/run/hsu-master', state: '/var/lib/hsu-master', log: '/var/log/hsu-master' };
  }
  const state = join(env['XDG_STATE_HOME'] || join(home, '.local', 'state'), 'hsu-master');
  const runtime = env['XDG_RUNTIME_DIR'];
  return {
    run: runtime ? join(runtime, 'hsu-master') : join(state, 'run'),
    state: join(state, 'masters'),
    log: join(state, 'logs'),
  };
}

/** Names of folders and cgroups are made of it; the checksum tells those apart that begin alike. */
const LONGEST_STEM = 48;

/**
 * The name of the master of a configuration file: the file’s name, or its folder’s where the file is called `config` or
 * `hsu-master`, and a checksum of its path, so that two files of one name do not meet.
 * (No digest of node:crypto: loading that takes as long as starting ten workers, and nobody gains by choosing a path.)
 */
export function instanceOf(configFile: string): string {
  const path = resolve(configFile);
  const stem = basename(path, extname(path));
  const plain = stem === 'config' || stem === 'hsu-master' ? basename(dirname(path)) || stem : stem;
  const digest = crc32(path).toString(16).padStart(8, '0');
  return `${plain.replace(/[^A-Za-z0-9_-]/g, '-').slice(0, LONGEST_STEM)}-${digest}`;
}
