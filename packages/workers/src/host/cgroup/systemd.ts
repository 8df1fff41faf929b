import { existsSync } from 'node:fs';
import { posix } from 'node:path';
import { readText, takeDirectory, writeText } from './files.ts';

/** Time for one answer of systemd. */
const PATIENCE_MS = 5000;
const LOOK_EVERY_MS = 10;

/** `infinity`, as D-Bus has it. */
const UNLIMITED = '18446744073709551615';

const MANAGER = [
  'org.freedesktop.systemd1',
  '/org/freedesktop/systemd1',
  'org.freedesktop.systemd1.Manager',
] as const;

/** The unit that a process is in. */
export interface Unit {
  /** `web.service`, `session-3.scope`; null where it is in none. */
  readonly name: string | null;
  /** Whether the process is in a cgroup below that of the unit: somebody has it delegated. */
  readonly below: boolean;
  /** The manager of the unit is that of a user. */
  readonly ofUser: boolean;
  /** The slice of the system’s manager that it is in. */
  readonly slice: string | null;
}

/** Whether systemd is the init system, as sd_booted(3) finds it out. */
export function isBootedWithSystemd(): boolean {
  return existsSync('/run/systemd/system');
}

/** The unit that a cgroup path as systemd makes them stands for. */
export function unitOf(path: string): Unit {
  const names = path.split('/').filter((name) => name !== '');
  const manager = names.findIndex((name) => /^user@\d+\.service$/.test(name));
  const ofUser = manager >= 0 && manager < names.length - 1;
  const own = ofUser ? names.slice(manager + 1) : names;
  const index = own.findIndex((name) => /\.(service|scope)$/.test(name));
  const slice =
    names.filter((name, at) => name.endsWith('.slice') && (!ofUser || at < manager)).at(-1) ?? null;
  return { name: own[index] ?? null, below: index >= 0 && index < own.length - 1, ofUser, slice };
}

/** What a unit says of its cgroup. */
export interface UnitSettings {
  /** The cgroup is the unit’s own to divide. */
  readonly delegated: boolean;
  /** What the main process leaves behind when it ends lives on. */
  readonly sparesRest: boolean;
}

/** What is set for the unit that a process is in. A text says why that cannot be known. */
export function settingsOf({ name, below, ofUser }: Unit): UnitSettings | string {
  if (below) return { delegated: true, sparesRest: false };
  if (name === null) return { delegated: false, sparesRest: false };
  const answer = ask('systemctl', [
    ...(ofUser ? ['--user'] : []),
    'show',
    '--property=Delegate,KillMode',
    name,
  ]);
  if (!answer.ok) return answer.reason;
  const lines = answer.text.split('\n');
  const sparesRest = lines.includes('KillMode=process') || lines.includes('KillMode=none');
  return { delegated: lines.includes('Delegate=yes'), sparesRest };
}

/**
 * Moves this process into a scope of its own, made if need be; waits until it is there. Returns why it is not. A scope that an
 * earlier master of this name has left is entered at `leaf`, since its processes live in groups below it.
 */
export function enterScope(scope: string, leaf: string, unit: Unit, mount: string): string | null {
  const user = process.getuid?.() !== 0;
  const bus = user ? ['--user'] : ['--system'];
  const pid = String(process.pid);
  const properties = [
    ['Delegate', 'b', 'true'],
    ['PIDs', 'au', '1', pid],
    ['Description', 's', 'HSU Master and its workers'],
    ['CollectMode', 's', 'inactive-or-failed'],
    // A session has no limit of its own either; that of its slice stays.
    ['TasksMax', 't', UNLIMITED],
    // What limits the slice that it comes from is not left behind.
    ...(user || unit.slice === null ? [] : [['Slice', 's', unit.slice]]),
  ];
  const made = ask('busctl', [
    ...bus,
    'call',
    ...MANAGER,
    'StartTransientUnit',
    'ssa(sv)a(sa(sv))',
    scope,
    'fail',
    String(properties.length),
    ...properties.flat(),
    '0',
  ]);
  if (made.ok) return awaitScope(scope);
  if (!/already|exists/i.test(made.reason)) return made.reason;
  const control = ask('systemctl', [
    ...(user ? ['--user'] : []),
    'show',
    '--property=ControlGroup',
    '--value',
    scope,
  ]);
  if (!control.ok) return control.reason;
  const directory = posix.join(mount, control.text.trim(), leaf);
  const refused = takeDirectory(directory);
  if (refused !== null) return `cannot make ${directory}: ${refused}`;
  if (writeText(posix.join(directory, 'cgroup.procs'), pid) === null) return awaitScope(scope);
  const attached = ask('busctl', [
    ...bus,
    'call',
    ...MANAGER,
    'AttachProcessesToUnit',
    'ssau',
    scope,
    `/${leaf}`,
    '1',
    pid,
  ]);
  return attached.ok ? awaitScope(scope) : attached.reason;
}

/** systemd answers when the job is queued; the move follows. */
function awaitScope(scope: string): string | null {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  for (let waited = 0; waited <= PATIENCE_MS; waited += LOOK_EVERY_MS) {
    if (readText('/proc/self/cgroup')?.includes(`/${scope}`) === true) return null;
    Atomics.wait(cell, 0, 0, LOOK_EVERY_MS);
  }
  return `systemd did not move this process into ${scope} within ${PATIENCE_MS / 1000} s`;
}

type Answer = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly reason: string };

/** Synchronous, so that nobody else is there who could reap the helper. */
function ask(program: 'busctl' | 'systemctl', args: readonly string[]): Answer {
  const uid = process.getuid?.() ?? 0;
  const env = {
    ...process.env,
    LC_ALL: 'C',
    // What they would say of themselves is not about this process.
    NOTIFY_SOCKET: undefined,
    XDG_RUNTIME_DIR: process.env['XDG_RUNTIME_DIR'] ?? `/run/user/${uid}`,
  };
  try {
    const { execFileSync } = process.getBuiltinModule('node:child_process');
    const text = execFileSync(program, [...args], {
      encoding: 'utf8',
      env,
      timeout: PATIENCE_MS,
      killSignal: 'SIGKILL',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return { ok: true, text };
  } catch (error) {
    const { code, stderr } = error as NodeJS.ErrnoException & { readonly stderr?: string };
    const said = (stderr ?? '').trim().split('\n')[0];
    return { ok: false, reason: `${program}: ${said || code || 'no answer'}` };
  }
}
