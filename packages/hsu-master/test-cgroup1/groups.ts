import { mkdirSync, rmdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { hierarchyOf, makeGroup, removeGroup } from '../test/cgroups.ts';
import { it as staged } from '../test/drive.ts';

/** What limits need of version 1. */
export const CONTROLLERS = ['blkio', 'cpu', 'cpuacct', 'cpuset', 'freezer', 'memory', 'pids'] as const;
export type Controller = (typeof CONTROLLERS)[number];
export type Groups = Readonly<Record<Controller, string>>;

/** Begins the names of all groups made here. */
export const STEM = `hsu-cgroup1-${process.pid}`;

/** Why nothing can be tried here, or null. */
export function hindrance(): string | null {
  const missing = CONTROLLERS.filter((name) => hierarchyOf(name)?.version !== 1);
  if (missing.length > 0) return `this machine has no ${missing.join(', ')} of version 1`;
  const probe = join(rootOf('pids'), `${STEM}-probe`);
  try {
    mkdirSync(probe);
    rmdirSync(probe);
    return null;
  } catch (error) {
    return `no group can be made in ${rootOf('pids')}: ${(error as NodeJS.ErrnoException).code}`;
  }
}

export function rootOf(controller: Controller): string {
  const found = hierarchyOf(controller);
  if (found === null) throw new Error(`no controller ${controller}`);
  return found.folder;
}

/** A test with a group of each controller, which are empty and gone when it is over. */
export const it = staged.extend<{ groups: Groups }>({
  groups: async ({ stage }, use) => {
    const name = `${STEM}-${basename(stage.folder)}`;
    const groups = Object.fromEntries(
      CONTROLLERS.map((controller) => [controller, makeGroup(rootOf(controller), name)]),
    ) as unknown as Groups;
    try {
      await use(groups);
    } finally {
      for (const folder of Object.values(groups)) await removeGroup(folder);
    }
  },
});
