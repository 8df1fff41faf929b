import { mkdirSync, rmdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { instanceOf } from '../src/places.ts';
import {
  allGroups,
  cgroupOf,
  type Hierarchy,
  hierarchies,
  hierarchyOf,
  makeGroup,
  removeGroup,
  writeCgroup,
} from '../test/cgroups.ts';
import { type Stage, it as staged } from '../test/drive.ts';

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

/** How much of this machine’s hierarchies the master sees. */
export interface View {
  readonly name: string;
  /** Command line that runs the one behind it with that view, in the same process. */
  readonly through: readonly string[];
}

/** As it is: where a v2 tree is mounted beside v1, it tells who belongs together. */
const AS_IT_IS: View = { name: 'as it is', through: [] };

/** As it is, and, where that is another, with version 1 alone. */
export function views(): readonly View[] {
  const unified = hierarchies().filter(({ version }) => version === 2);
  return unified.length === 0
    ? [AS_IT_IS]
    : [AS_IT_IS, { name: 'v1 alone', through: withoutHierarchies(unified) }];
}

/** A view of v1 alone that lacks one controller. */
export function viewWithout(controller: Controller): View {
  const hidden = hierarchies().filter(
    ({ version, controllers }) => version === 2 || controllers.includes(controller),
  );
  return { name: `v1 without ${controller}`, through: withoutHierarchies(hidden) };
}

/** In a mount namespace of its own, in which nothing is mounted any more where these were. */
function withoutHierarchies(hidden: readonly Hierarchy[]): readonly string[] {
  const script = 'while [ "$1" != -- ]; do umount "$1" || exit 119; shift; done; shift; exec "$@"';
  const folders = hidden.map(({ folder }) => folder);
  return ['unshare', '--mount', '--', '/bin/sh', '-c', script, 'hide', ...folders, '--'];
}

/** The state directory of a test’s masters; it names their groups. */
export function stateOption(stage: Stage): readonly string[] {
  return ['--state-dir', stage.path('state')];
}

/** All groups that masters of this test have made, in every hierarchy. */
export function groupsOf(stage: Stage): readonly string[] {
  const name = `hsu-master.${instanceOf(stage.path('state'))}`;
  return allGroups().filter((folder) => folder.split('/').some((part) => part.startsWith(name)));
}

/** What others on the machine do takes no CPU from the workers of this master: their shares go before all. */
export function goesFirst(stage: Stage, pid: number): void {
  const group = groupOf(stage, pid, 'cpu') ?? '';
  const base = /^.*\/hsu-master\.[^/]+/.exec(group)?.[0];
  if (base !== undefined) writeCgroup(base, 'cpu.shares', '262144');
}

/** The group that the master made for a worker’s process, or null where it made none there. */
export function groupOf(stage: Stage, pid: number, controller: Controller): string | null {
  const group = cgroupOf(pid, controller);
  return group.includes(`hsu-master.${instanceOf(stage.path('state'))}`) ? group : null;
}
