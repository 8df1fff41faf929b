import { execFileSync } from 'node:child_process';
import { chownSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { becoming, entering, makeGroup } from '../test/cgroups.ts';
import type { LaunchOptions, Stage } from '../test/drive.ts';

/** The guest's only hierarchy. */
export const CGROUPS = '/sys/fs/cgroup';
/** The guest's ordinary user. */
export const ORDINARY = 1000;
/** A file system on a disk of its own, for what is held to a number of bytes a second. */
export const DISK = process.env.HSU_VM_DISK ?? '/mnt/disk';

/** Files through which a group is given away; see the kernel's cgroup-v2 documentation, “Delegation”. */
const DELEGATED = ['cgroup.procs', 'cgroup.subtree_control', 'cgroup.threads'];

/** Gives a test's folder to the ordinary user. */
export function giveStage(stage: Stage): void {
  for (const path of [stage.folder, stage.home]) chownSync(path, ORDINARY, ORDINARY);
}

/**
 * A group that belongs to the ordinary user, as an administrator may hand it out; `inside` is a leaf of it for whoever works there.
 * Remove it with `removeGroup(group)`.
 */
export function delegate(name: string): { readonly group: string; readonly inside: string } {
  const group = makeGroup(CGROUPS, name);
  const inside = makeGroup(group, 'inside');
  for (const folder of [group, inside]) {
    chownSync(folder, ORDINARY, ORDINARY);
    for (const file of DELEGATED) chownSync(join(folder, file), ORDINARY, ORDINARY);
  }
  return { group, inside };
}

/** Options that launch something as the ordinary user in a group; not `uid`, which would come before the group. */
export function ordinaryIn(folder: string): LaunchOptions {
  return { through: [...entering(folder), ...becoming(ORDINARY)] };
}

/** Starts the ordinary user's systemd; returns options that launch something as a session of that user would. */
export function userSession(): LaunchOptions {
  execFileSync('systemctl', ['start', `user@${ORDINARY}.service`], { stdio: 'pipe' });
  const runtime = `/run/user/${ORDINARY}`;
  if (!existsSync(join(runtime, 'bus'))) throw new Error('the user has no message bus');
  const env = { XDG_RUNTIME_DIR: runtime, DBUS_SESSION_BUS_ADDRESS: `unix:path=${runtime}/bus` };
  return { through: becoming(ORDINARY), env };
}
