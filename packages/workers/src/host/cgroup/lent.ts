import { posix } from 'node:path';
import type { ProcessIdentity } from '@hsu-master/core';
import type { Facilities } from './facilities.ts';
import { readText, writeText } from './files.ts';
import { type Group, membersBelow } from './group.ts';
import { parseHierarchies } from './hierarchies.ts';

/** Begins the names of groups for processes that somebody else started: they are given back, and never ended for being nobody’s. */
export const LENT = 'lent.';

/** How often who was born meanwhile is looked for. */
const ROUNDS = 8;

/**
 * Why a process is not to be brought to a group of this master; null: nothing speaks against it. What is anywhere else than where this master
 * makes its groups was put there by somebody: systemd, a container engine.
 */
export function whyNotLent(pid: number, { tree2, trees1 }: Facilities): string | null {
  const cgroups = readText(`/proc/${pid}/cgroup`);
  if (cgroups === null) return 'its cgroup cannot be read';
  const { unified, controllers } = parseHierarchies(cgroups, readText('/proc/self/mountinfo') ?? '');
  const places = [
    ...(tree2 === null ? [] : [{ base: tree2.base, there: unified }]),
    ...[...trees1].map(([name, base]) => ({ base, there: controllers.get(name) ?? null })),
  ];
  for (const { base, there } of places)
    if (there?.own !== posix.dirname(base))
      return `it is in the cgroup ${there?.path ?? '?'} of somebody else`;
  const service = serviceOf(cgroups);
  return service === serviceOf(readText('/proc/self/cgroup') ?? '')
    ? null
    : `systemd has it in ${service ?? '?'}`;
}

/** Where systemd of a host with cgroup v1 knows a process. */
function serviceOf(cgroups: string): string | null {
  return /^\d+:name=systemd:(.*)$/m.exec(cgroups)?.[1] ?? null;
}

/**
 * Brings a tree to a group. Returns why not; null: all of it is there, and so will be whom they fork.
 * @param look its living members now, its main process first
 * @param isThere whether that very process still has its pid
 */
export function bring(
  group: Group,
  look: () => readonly ProcessIdentity[],
  isThere: (process: ProcessIdentity) => boolean,
): string | null {
  let refused: string | null = null;
  for (let round = 0; round < ROUNDS; round += 1) {
    const members = look();
    const moves = group.directories.flatMap((directory) => {
      const inside = new Set(membersBelow(directory));
      return members.filter(({ pid }) => !inside.has(pid)).map((process) => ({ process, directory }));
    });
    if (moves.length === 0) return null;
    refused = null;
    for (const { process, directory } of moves) {
      if (!isThere(process)) continue;
      const errno = writeText(posix.join(directory, 'cgroup.procs'), String(process.pid));
      if (errno !== null && errno !== 'ESRCH') refused = `cgroup.procs of ${directory}: ${errno}`;
      // Its pid may have been given to another in between.
      else if (!isThere(process)) sendHome(process.pid, directory, group);
    }
  }
  return refused ?? 'it forks faster than it can be moved';
}

/** Brings whoever is in it to where this master found them. */
export function giveBack(group: Group): void {
  for (let round = 0; round < ROUNDS; round += 1) {
    const left = group.directories.flatMap((directory) =>
      membersBelow(directory).map((pid) => ({ pid, directory })),
    );
    if (left.length === 0) return;
    for (const { pid, directory } of left) sendHome(pid, directory, group);
  }
}

/** Members of groups come from around the bases, see `whyNotLent`. */
function sendHome(pid: number, directory: string, { path }: Group): void {
  const base = directory.slice(0, -path.length - 1);
  writeText(posix.join(posix.dirname(base), 'cgroup.procs'), String(pid));
}
