import { execFileSync } from 'node:child_process';
import { chownSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect } from 'vitest';
import { allGroups, becoming, cgroupNumbers, entering, makeGroup } from '../test/cgroups.ts';
import { type Launched, type LaunchOptions, Stage } from '../test/drive.ts';

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
export function delegate(name: string): Delegated {
  return delegateBelow(CGROUPS, name);
}

/** Likewise in another group, which has no more controllers to give than it has itself. */
export function delegateBelow(parent: string, name: string): Delegated {
  const group = makeGroup(parent, name);
  const inside = makeGroup(group, 'inside');
  for (const folder of [group, inside]) {
    chownSync(folder, ORDINARY, ORDINARY);
    for (const file of DELEGATED) chownSync(join(folder, file), ORDINARY, ORDINARY);
  }
  return { group, inside };
}

interface Delegated {
  readonly group: string;
  readonly inside: string;
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

/** One master for all tests of a block, because a start takes seconds here. Without workers that live it would end by itself. */
export function oneMaster(
  name: string,
  document: Parameters<Stage['run']>[0] | ((stage: Stage) => Parameters<Stage['run']>[0]),
  options: LaunchOptions = {},
): { readonly master: Launched; readonly stage: Stage } {
  const found: { master?: Launched; stage?: Stage } = {};
  let before: readonly string[] = [];
  beforeAll(() => {
    before = allGroups();
    const stage = new Stage(name);
    found.stage = stage;
    found.master = stage.run(typeof document === 'function' ? document(stage) : document, [], options);
  });
  afterAll(async () => {
    const { master, stage } = found;
    try {
      if (master === undefined) return;
      await master.stop();
      expect(stage?.leftOvers()).toEqual([]);
      expect(allGroups()).toEqual(before);
    } finally {
      await stage?.clear();
    }
  });
  return {
    get master() {
      return found.master as Launched;
    },
    get stage() {
      return found.stage as Stage;
    },
  };
}

/** What a group uses of a core in so many seconds, in percent. */
export async function percentOfCore(group: string, seconds: number): Promise<number> {
  const look = () => ({ at: performance.now(), used: cgroupNumbers(group, 'cpu.stat').usage_usec ?? 0 });
  const first = look();
  await delay(seconds * 1000);
  const last = look();
  return (last.used - first.used) / 10 / (last.at - first.at);
}
