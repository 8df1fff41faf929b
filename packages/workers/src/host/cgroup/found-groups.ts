import { posix } from 'node:path';
import type { Controller1, Facilities } from './facilities.ts';
import { readText, removeDirectory } from './files.ts';
import { Group, subdirectories } from './group.ts';
import { type Hierarchy, parseHierarchies } from './hierarchies.ts';

/** Groups of runs that an earlier master left below the bases; those of quotas that hold none are removed. */
export function findGroups({ tree2, trees1 }: Facilities): readonly Group[] {
  const unified = new Map<string, string>();
  const old = new Map<string, Map<Controller1, string>>();
  if (tree2 !== null)
    for (const path of runsBelow(tree2.base)) unified.set(path, posix.join(tree2.base, path));
  for (const [controller, base] of trees1) {
    for (const path of runsBelow(base)) {
      const directories = old.get(path) ?? new Map<Controller1, string>();
      old.set(path, directories.set(controller, posix.join(base, path)));
    }
  }
  const paths = new Set([...unified.keys(), ...old.keys()]);
  return [...paths].map((path) => new Group(path, unified.get(path) ?? null, old.get(path) ?? new Map()));
}

/**
 * The group that an earlier master of this name made for a process and that holds it now, wherever: that master may have been in
 * another cgroup, and made its groups there. null: there is none, or the process is gone.
 */
export function findGroupOf(
  pid: number,
  { tree2, trees1 }: Facilities,
  left: ReadonlyMap<string, Group>,
): Group | null {
  const base = tree2?.base ?? [...trees1.values()][0];
  const cgroups = base === undefined ? null : readText(`/proc/${pid}/cgroup`);
  if (base === undefined || cgroups === null) return null;
  const name = `/${posix.basename(base)}/`;
  if (!cgroups.includes(name)) return null;
  // Reading the mounts may take longer than all else.
  const near = left.get(runPath(cgroups.split('\n').find((line) => line.includes(name)) ?? '', name) ?? '');
  if (near?.pids().includes(pid) === true) return near;
  const { unified, controllers } = parseHierarchies(cgroups, readText('/proc/self/mountinfo') ?? '');
  const own = cut(unified, name);
  const old = new Map<Controller1, string>();
  let path = own?.path ?? null;
  for (const [controller, hierarchy] of controllers) {
    const place = cut(hierarchy, name);
    if (place === null || (path !== null && place.path !== path)) continue;
    path = place.path;
    old.set(controller as Controller1, place.directory);
  }
  return path === null ? null : new Group(path, own?.path === path ? own.directory : null, old);
}

/** Below the base of a master come groups of quotas, then that of the run; what is below that is the worker’s own. */
function cut(
  hierarchy: Hierarchy | null,
  name: string,
): { readonly path: string; readonly directory: string } | null {
  const own = hierarchy?.own ?? null;
  const path = own === null ? null : runPath(own, name);
  if (own === null || path === null) return null;
  return { path, directory: own.slice(0, own.lastIndexOf(name) + name.length) + path };
}

function runPath(cgroup: string, name: string): string | null {
  const at = cgroup.lastIndexOf(name);
  if (at < 0) return null;
  const parts = cgroup.slice(at + name.length).split('/');
  const run = parts.findIndex((part) => !QUOTA.test(part));
  return run < 0 ? null : parts.slice(0, run + 1).join('/');
}

const QUOTA = /^(ns|grp)\./;

/** Paths, from a base, of the groups that are those of runs; quotas without any are removed. */
function runsBelow(base: string, path = ''): readonly string[] {
  return subdirectories(posix.join(base, path)).flatMap((directory) => {
    const below = posix.join(path, posix.basename(directory));
    if (!QUOTA.test(posix.basename(directory))) return [below];
    const runs = runsBelow(base, below);
    if (runs.length === 0) removeDirectory(directory);
    return runs;
  });
}
