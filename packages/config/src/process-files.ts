import { join, resolve } from 'node:path';
import type { ProcessFileConfig } from './config.ts';
import { atHome, type Place } from './surroundings.ts';

type Context = 'system' | 'user' | 'session';

/** What a scenario stands for: the original’s presets. */
const PRESETS = {
  system: { context: 'system', isBelow: true },
  user: { context: 'user', isBelow: true },
  session: { context: 'session', isBelow: false },
} as const satisfies Record<Context, object>;

const APP = 'hsu-master';

/** Where the original keeps pid and port files: absolute. */
export function processFileDirectory(written: ProcessFileConfig, place: Place): string {
  const { context, scenario, base, app, isBelow } = written;
  if (context === null) {
    if (scenario === 'development') return join(ofHome(place) ?? temporary(place), `${APP}-dev`);
    const preset = PRESETS[scenario];
    return below(directoryOf(preset.context, place), APP, preset.isBelow);
  }
  const directory =
    base === null ? directoryOf(context, place) : resolve(place.directory, atHome(base, place));
  return below(directory, app, isBelow);
}

function below(directory: string, app: string, isBelow: boolean): string {
  return isBelow ? join(directory, app) : directory;
}

function directoryOf(context: Context, place: Place): string {
  const moved = ofHome(place);
  if (moved !== null) return moved;
  switch (place.platform) {
    case 'win32':
      return onWindows(context, place);
    case 'darwin':
      return onMacos(context, place);
    default:
      return onLinux(context, place);
  }
}

/** HSU_HOME moves everything that has no place of its own. */
function ofHome({ env, cwd }: Place): string | null {
  const home = env['HSU_HOME'];
  return home ? resolve(cwd, home, 'run') : null;
}

function onLinux(context: Context, place: Place): string {
  if (context === 'system') return place.exists('/run') ? '/run' : '/var/run';
  if (context === 'user') return place.env['XDG_RUNTIME_DIR'] || temporary(place);
  const session = `/run/user/${place.uid}`;
  return place.exists(session) ? session : temporary(place);
}

function onMacos(context: Context, place: Place): string {
  if (context === 'system') return '/var/run';
  return context === 'session' || place.home === null
    ? temporary(place)
    : join(place.home, 'Library', 'Application Support');
}

function onWindows(context: Context, { env, home }: Place): string {
  if (context === 'system') return env['PROGRAMDATA'] || 'C:\\ProgramData';
  if (context === 'session') return env['TEMP'] || 'C:\\Windows\\Temp';
  return env['LOCALAPPDATA'] || join(env['USERPROFILE'] ?? home ?? 'C:\\', 'AppData', 'Local');
}

function temporary({ env }: Place): string {
  return env['TMPDIR'] || '/tmp';
}
