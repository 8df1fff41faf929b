import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { launchdPlist, type ServiceSpec, systemdUnit } from './unit-file.ts';
import { windowsManager } from './windows-manager.ts';

/** One thing to be done. */
export interface Step {
  /** In words that follow “would” and “cannot”. */
  readonly says: string;
  /** Returns why it could not be done. */
  act(): string | null;
}

/** A service as the machine’s service manager sees it. */
export interface Manager {
  readonly name: string;
  readonly file: string;
  readonly content: string;
  readonly install: readonly Step[];
  readonly uninstall: readonly Step[];
  /** `active`, `not installed`, or what the service manager calls it. */
  status(): { readonly state: string; readonly details: Readonly<Record<string, string>> };
  /** What whoever installed it will want to know next; null: nothing. */
  hint(): string | null;
}

/** A text says why there is none here. */
export function managerOf(spec: ServiceSpec, logDirectory: string): Manager | string {
  if (process.platform === 'darwin') return launchd(spec, logDirectory);
  if (process.platform === 'win32') return windowsManager(spec);
  const version = systemdVersion();
  return version === null
    ? 'this machine has no systemd (systemctl does not answer)'
    : systemd(spec, version);
}

function systemd(spec: ServiceSpec, version: number): Manager {
  const name = `${spec.name}.service`;
  const user = spec.scope === 'user';
  const folder = user
    ? join(process.env['XDG_CONFIG_HOME'] || join(homedir(), '.config'), 'systemd/user')
    : '/etc/systemd/system';
  const file = join(folder, name);
  const content = systemdUnit(spec, version);
  const systemctl = (...words: readonly string[]): readonly [string, ...string[]] => [
    'systemctl',
    ...(user ? ['--user'] : []),
    ...words,
  ];
  return {
    name,
    file,
    content,
    install: [
      writing(file, content),
      running(systemctl('daemon-reload')),
      running(systemctl('enable', '--now', name)),
    ],
    uninstall: [
      running(systemctl('disable', '--now', name)),
      removing(file),
      running(systemctl('daemon-reload')),
    ],
    status() {
      if (!existsSync(file)) return { state: 'not installed', details: {} };
      const asked = ['ActiveState', 'SubState', 'MainPID', 'UnitFileState', 'StatusText'];
      const answer = ask(systemctl('show', `--property=${asked.join()}`, name));
      if (!answer.ok) return { state: 'unknown', details: { reason: answer.reason } };
      const said = new Map(
        answer.text.split('\n').map((line) => [line.split('=', 1)[0], line.slice(line.indexOf('=') + 1)]),
      );
      const details = {
        substate: said.get('SubState') ?? '',
        pid: said.get('MainPID') ?? '',
        boot: said.get('UnitFileState') ?? '',
        says: said.get('StatusText') ?? '',
      };
      return { state: said.get('ActiveState') ?? 'unknown', details };
    },
    hint() {
      const messages = `its messages: journalctl ${user ? '--user ' : ''}-t ${spec.name}`;
      if (!user) return messages;
      const lingers = ask(['loginctl', 'show-user', userInfo().username, '--property=Linger', '--value']);
      if (lingers.ok && lingers.text.trim() === 'yes') return messages;
      return `${messages}\nit starts with your session; to start it with the machine: loginctl enable-linger`;
    },
  };
}

function launchd(spec: ServiceSpec, logDirectory: string): Manager {
  const user = spec.scope === 'user';
  const file = join(
    user ? homedir() : '/',
    'Library',
    user ? 'LaunchAgents' : 'LaunchDaemons',
    `${spec.name}.plist`,
  );
  const domain = user ? `gui/${process.getuid?.() ?? 0}` : 'system';
  const content = launchdPlist(spec, join(logDirectory, 'master.log'));
  return {
    name: spec.name,
    file,
    content,
    install: [
      making(logDirectory),
      writing(file, content),
      running(['launchctl', 'bootstrap', domain, file]),
    ],
    uninstall: [running(['launchctl', 'bootout', `${domain}/${spec.name}`]), removing(file)],
    status() {
      if (!existsSync(file)) return { state: 'not installed', details: {} };
      const answer = ask(['launchctl', 'print', `${domain}/${spec.name}`]);
      if (!answer.ok) return { state: 'inactive', details: { reason: answer.reason } };
      const pid = /^\s*pid = (\d+)$/m.exec(answer.text)?.[1];
      return { state: pid === undefined ? 'inactive' : 'active', details: { pid: pid ?? '' } };
    },
    hint: () => null,
  };
}

function systemdVersion(): number | null {
  const answer = ask(['systemctl', '--version']);
  const found = answer.ok ? /^systemd (\d+)/.exec(answer.text)?.[1] : undefined;
  return found === undefined ? null : Number(found);
}

function writing(file: string, content: string): Step {
  return {
    says: `write ${file}`,
    act: () =>
      attempt(() => {
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, content, { mode: 0o644 });
      }),
  };
}

function making(folder: string): Step {
  return { says: `make ${folder}`, act: () => attempt(() => mkdirSync(folder, { recursive: true })) };
}

function removing(file: string): Step {
  return { says: `remove ${file}`, act: () => attempt(() => rmSync(file, { force: true })) };
}

function running(argv: readonly [string, ...string[]]): Step {
  return {
    says: `run ${argv.join(' ')}`,
    act() {
      const answer = ask(argv);
      return answer.ok ? null : answer.reason;
    },
  };
}

function attempt(act: () => unknown): string | null {
  try {
    act();
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

type Answer = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly reason: string };

function ask([program, ...args]: readonly [string, ...string[]]): Answer {
  try {
    const text = execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    return { ok: true, text };
  } catch (error) {
    const { stderr, message } = error as Error & { readonly stderr?: string };
    return { ok: false, reason: stderr?.trim() || message };
  }
}
