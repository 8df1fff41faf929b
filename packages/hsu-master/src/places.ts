import { basename, dirname, extname, join, resolve, win32 } from 'node:path';
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
  /** Whose conventions; without it, those of the system that this runs on. */
  readonly platform?: NodeJS.Platform;
}

type Environment = PlaceSources['env'];

/** Whether the system’s own places are used: by root, and by services of Windows that run as the system. */
export function isPrivileged(env: Environment, platform: NodeJS.Platform = process.platform): boolean {
  if (platform === 'win32') return /\\systemprofile$/i.test(env['USERPROFILE'] ?? '');
  return process.getuid?.() === 0;
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
export function baseDirectories({ env, home, privileged, platform = process.platform }: PlaceSources): {
  run: string;
  state: string;
  log: string;
} {
  const own = env['HSU_HOME'];
  if (own) return { run: resolve(own, 'run'), state: resolve(own, 'state'), log: resolve(own, 'logs') };
  if (platform === 'win32') {
    const all = env['PROGRAMDATA'] || 'C:\\ProgramData';
    const one = env['LOCALAPPDATA'] || win32.join(home, 'AppData', 'Local');
    const base = win32.join(privileged ? all : one, 'hsu-master');
    const [run, state, log] = ['run', 'state', 'logs'].map((name) => win32.join(base, name)) as [
      string,
      string,
      string,
    ];
    return { run, state, log };
  }
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
