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

/** A directory, and what says so: an option, a variable, or `default`. */
export interface Placed {
  readonly path: string;
  readonly origin: string;
}

/**
 * Chooses directories by `--state-dir`/`--log-dir`, then HSU_HOME, then the system’s places for an administrator and the XDG
 * places for a user; each master has a folder of its own in each.
 */
export function choosePlaces(from: PlaceSources): Places {
  const { run, state, log } = explainPlaces(from);
  return { runDirectory: run.path, stateDirectory: state.path, logDirectory: log.path };
}

/** The same, with what decided each. */
export function explainPlaces(from: PlaceSources): Readonly<Record<'run' | 'state' | 'log', Placed>> {
  const base = bases(from);
  const { stateDirectory: given, logDirectory, instance } = from;
  const within = (name: keyof typeof base, folder: string): Placed =>
    given === null
      ? { path: join(base[name].path, instance), origin: base[name].origin }
      : { path: join(given, folder), origin: '--state-dir' };
  return {
    run: within('run', 'run'),
    state: within('state', '.'),
    log: logDirectory === null ? within('log', 'logs') : { path: logDirectory, origin: '--log-dir' },
  };
}

/** Where all masters of this user keep theirs. */
export function baseDirectories(from: PlaceSources): { run: string; state: string; log: string } {
  const { run, state, log } = bases(from);
  return { run: run.path, state: state.path, log: log.path };
}

function bases({
  env,
  home,
  privileged,
  platform = process.platform,
}: PlaceSources): Readonly<Record<'run' | 'state' | 'log', Placed>> {
  const own = env['HSU_HOME'];
  if (own) return below(own, resolve, 'HSU_HOME');
  if (platform === 'win32') {
    const [variable, otherwise] = privileged
      ? ['PROGRAMDATA', 'C:\\ProgramData']
      : ['LOCALAPPDATA', win32.join(home, 'AppData', 'Local')];
    const folder = env[variable];
    return below(win32.join(folder || otherwise, 'hsu-master'), win32.join, folder ? variable : 'default');
  }
  if (privileged) {
    const placed = (path: string): Placed => ({ path, origin: 'default' });
    return {
      run: placed('/run/hsu-master'),
      state: placed('/var/lib/hsu-master'),
      log: placed('/var/log/hsu-master'),
    };
  }
  const states = env['XDG_STATE_HOME'];
  const state = join(states || join(home, '.local', 'state'), 'hsu-master');
  const origin = states ? 'XDG_STATE_HOME' : 'default';
  const runtime = env['XDG_RUNTIME_DIR'];
  return {
    run: runtime
      ? { path: join(runtime, 'hsu-master'), origin: 'XDG_RUNTIME_DIR' }
      : { path: join(state, 'run'), origin },
    state: { path: join(state, 'masters'), origin },
    log: { path: join(state, 'logs'), origin },
  };
}

function below(
  base: string,
  joined: (...parts: string[]) => string,
  origin: string,
): Readonly<Record<'run' | 'state' | 'log', Placed>> {
  return {
    run: { path: joined(base, 'run'), origin },
    state: { path: joined(base, 'state'), origin },
    log: { path: joined(base, 'logs'), origin },
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
