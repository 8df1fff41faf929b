import { mkdirSync, readdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { instanceOf } from '../src/places.ts';
import { eventually } from './drive.ts';
import { onWindows } from './windows.ts';

/** A mounted hierarchy of cgroups. */
export interface Hierarchy {
  readonly version: 1 | 2;
  readonly folder: string;
  /** What can be set in it, as its own files say. */
  readonly controllers: readonly string[];
}

/** The group of a process. @param controller of version 1; without it the group of version 2 */
export function cgroupOf(pid: number, controller = ''): string {
  const lines = readFileSync(`/proc/${pid}/cgroup`, 'utf8').trim().split('\n');
  const path = lines
    .map((line) => /^\d+:([^:]*):(.*)$/.exec(line))
    .find((match) => match?.[1]?.split(',').includes(controller))?.[2];
  const mount = mounts().find(({ version, names }) =>
    controller === '' ? version === 2 : names.includes(controller),
  );
  if (path === undefined || mount === undefined) throw new Error(`no cgroup "${controller}" of ${pid}`);
  return join(mount.folder, relative(mount.root, path));
}

/** All hierarchies that are mounted here. */
export function hierarchies(): readonly Hierarchy[] {
  return mounts().map(({ version, folder, names }) => ({
    version,
    folder,
    controllers: version === 1 ? names : words(readCgroup(folder, 'cgroup.controllers')),
  }));
}

/** The hierarchy in which a controller can be set, or null. */
export function hierarchyOf(controller: string): Hierarchy | null {
  return hierarchies().find(({ controllers }) => controllers.includes(controller)) ?? null;
}

/** Text of a file of a group, without the last newline. */
export function readCgroup(folder: string, file: string): string {
  return readFileSync(join(folder, file), 'utf8').trimEnd();
}

/** `memory.events`, `cpu.stat`, `pids.events` and their like as numbers by name. */
export function cgroupNumbers(folder: string, file: string): Readonly<Record<string, number>> {
  const lines = readCgroup(folder, file).split('\n');
  return Object.fromEntries(
    lines.map((line) => line.split(' ')).map(([name, value]) => [name, Number(value)]),
  );
}

export function writeCgroup(folder: string, file: string, value: string | number): void {
  writeFileSync(join(folder, file), String(value));
}

/** This group and all below it, parents first. */
export function groupsIn(folder: string): readonly string[] {
  const below = quietly(() => readdirSync(folder, { withFileTypes: true })) ?? [];
  return [
    folder,
    ...below.filter((one) => one.isDirectory()).flatMap(({ name }) => groupsIn(join(folder, name))),
  ];
}

/** Processes of a group and of all below it. */
export function membersOf(folder: string): readonly number[] {
  return groupsIn(folder).flatMap((group) =>
    words(quietly(() => readCgroup(group, 'cgroup.procs')) ?? '').map(Number),
  );
}

/** Every group of every hierarchy: what is in one list and not in an earlier one was left behind. */
export function allGroups(): readonly string[] {
  return mounts().flatMap(({ folder }) => groupsIn(folder));
}

/** Makes a group below a hierarchy's root or another group, and sets files of it. */
export function makeGroup(
  parent: string,
  name: string,
  settings: Readonly<Record<string, string | number>> = {},
): string {
  const folder = join(parent, name);
  mkdirSync(folder);
  for (const [file, value] of Object.entries(settings)) writeCgroup(folder, file, value);
  return folder;
}

/** Kills the processes of a group and of all below it, and removes the groups. */
export async function removeGroup(folder: string): Promise<void> {
  await eventually(() => {
    for (const pid of membersOf(folder)) quietly(() => process.kill(pid, 'SIGKILL'));
    for (const group of groupsIn(folder).toReversed()) quietly(() => rmdirSync(group));
    return quietly(() => readdirSync(folder)) === null;
  });
}

/** Removes the groups of masters that were killed, whose state directories are in a folder. */
export async function removeGroupsBelow(folder: string): Promise<void> {
  const states = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ parentPath, name }) => join(parentPath, name));
  const names = new Set(states.map((state) => `hsu-master.${instanceOf(state)}`));
  const lines = readFileSync('/proc/self/cgroup', 'utf8').trim().split('\n');
  const controllers = lines.map((line) => line.split(':')[1]?.split(',')[0] ?? '');
  for (const own of new Set(controllers.map((name) => quietly(() => cgroupOf(process.pid, name)) ?? ''))) {
    const found = (quietly(() => readdirSync(own)) ?? []).filter((name) => names.has(name));
    for (const name of found) await removeGroup(join(own, name));
  }
}

/** The device of a file's file system as cgroups name it: `major:minor`. */
export function deviceOf(path: string): string {
  const { dev } = statSync(path);
  // As makedev(3) does it; minor numbers above 255 go on behind the major one.
  return `${(dev >> 8) & 0xfff}:${(dev & 0xff) | ((dev >> 12) & 0xfff00)}`;
}

/** Command line that enters groups and then runs the one behind it in the same process. */
export function entering(...folders: readonly string[]): readonly string[] {
  const enter =
    'while [ "$1" != -- ]; do echo $$ >"$1/cgroup.procs" || exit 119; shift; done; shift; exec "$@"';
  return ['/bin/sh', '-c', enter, 'enter', ...folders, '--'];
}

/** Command line that becomes a user and then runs the one behind it in the same process. */
export function becoming(uid: number): readonly string[] {
  return ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', '--'];
}

interface Mount {
  readonly version: 1 | 2;
  /** What of the hierarchy is mounted. */
  readonly root: string;
  readonly folder: string;
  readonly names: readonly string[];
}

/** From proc_pid_mountinfo(5); a hierarchy mounted twice counts once. */
function mounts(): readonly Mount[] {
  const found = new Map<string, Mount>();
  if (onWindows) return [];
  for (const line of readFileSync('/proc/self/mountinfo', 'utf8').trim().split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const [, , device = '', root = '', folder = ''] = before.split(' ');
    const [type, , options = ''] = after.split(' ');
    if ((type !== 'cgroup' && type !== 'cgroup2') || found.has(device)) continue;
    const names = options
      .split(',')
      .filter((name) => !/^(rw|ro|xattr|release_agent.*|clone_children)$/.test(name));
    found.set(device, { version: type === 'cgroup2' ? 2 : 1, root, folder, names });
  }
  return [...found.values()];
}

function words(text: string): readonly string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}

function quietly<T>(act: () => T): T | null {
  try {
    return act();
  } catch {
    return null;
  }
}
