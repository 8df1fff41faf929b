import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { until } from './harness.ts';

/** Where a hierarchy is mounted: of a v1 controller, or of v2. */
function mountOf(controller: string | null): string | null {
  for (const line of readFileSync('/proc/self/mounts', 'utf8').split('\n')) {
    const [, place, type, options = ''] = line.split(' ');
    if (place === undefined) continue;
    if (
      controller === null ? type === 'cgroup2' : type === 'cgroup' && options.split(',').includes(controller)
    )
      return place;
  }
  return null;
}

/** The master's own place in it. */
function ownPath(controller: string | null): string {
  for (const line of readFileSync('/proc/self/cgroup', 'utf8').trim().split('\n')) {
    const [, controllers = '', ...path] = line.split(':');
    if (controller === null ? controllers === '' : controllers.split(',').includes(controller))
      return path.join(':');
  }
  return '/';
}

let made = 0;
function tryToMake(controller: string | null): string | null {
  const mount = mountOf(controller);
  if (mount === null) return null;
  const path = join(mount, ownPath(controller), `hsu-native-${process.pid}-${++made}`);
  try {
    mkdirSync(path);
    return path;
  } catch {
    return null;
  }
}

function canMake(controller: string | null): boolean {
  const path = tryToMake(controller);
  if (path !== null) rmdirSync(path);
  return path !== null;
}

/** Why a test that needs such a group is skipped; `null`: it is not. `controller` null means v2. */
export function lacks(...controllers: (string | null)[]): string | null {
  const missing = controllers.filter((controller) => !canMake(controller));
  if (missing.length === 0) return null;
  return `no group can be made in ${missing.map((each) => each ?? 'cgroup v2').join(', ')}`;
}

/** The same for groups of v2 with controllers, which are granted to them first where that is possible. */
export function lacksControllers(...controllers: string[]): string | null {
  const mount = mountOf(null);
  if (mount === null || !canMake(null)) return 'no group can be made in cgroup v2';
  const parent = join(mount, ownPath(null));
  const file = (name: string): string => readFileSync(join(parent, name), 'utf8');
  try {
    // Where processes are, which includes us, only the root may grant.
    writeFileSync(join(parent, 'cgroup.subtree_control'), controllers.map((name) => `+${name}`).join(' '));
  } catch {
    // What was granted before counts.
  }
  const granted = file('cgroup.subtree_control').trim().split(' ');
  const missing = controllers.filter((name) => !granted.includes(name));
  return missing.length === 0 ? null : `groups of cgroup v2 have no ${missing.join(', ')} here`;
}

/** A title that says why its test is skipped, if it is. */
export const titled = (title: string, reason: string | null): string =>
  reason === null ? title : `${title} (skipped: ${reason})`;

/** A group for one test. At its end what is in it is killed and it is removed. */
export function group(controller: string | null, ...below: string[]): string {
  const path = tryToMake(controller);
  if (path === null) throw new Error(`no group in ${controller ?? 'v2'}`);
  const all = [path, ...below.map((name) => join(path, name))];
  for (const each of all.slice(1)) mkdirSync(each);
  onTestFinished(async () => {
    for (const each of all.toReversed()) {
      await until(() => {
        for (const pid of members(each)) kill(pid);
        try {
          rmdirSync(each);
          return true;
        } catch {
          return false;
        }
      }, `${each} is removed`);
    }
  });
  return path;
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // gone already
  }
}

export function members(path: string): number[] {
  return readFileSync(join(path, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number);
}

export const setting = (path: string, name: string, value: string | number): void =>
  writeFileSync(join(path, name), String(value));
