import type { DiscoverySpec, FoundProcess, ProcessIdentity } from '@hsu-master/core';
import { type ProcessInfo, titleOf } from './process.ts';

/** Who is never meant, whatever the strategy: the master itself, those it descends from, pid 1, threads of the kernel, the dead. */
export function isEligible(
  process: ProcessInfo,
  ownPid: number,
  ancestors: ReadonlySet<number>,
  isTaken: (process: ProcessIdentity) => boolean,
): boolean {
  const { pid, state, isKernelThread } = process;
  if (pid === 1 || pid === ownPid || ancestors.has(pid)) return false;
  return !isKernelThread && state !== 'Z' && state !== 'X' && !isTaken(process);
}

export function foundOf(process: ProcessInfo, age: number): FoundProcess {
  const { pid, startedAt } = process;
  return { pid, startedAt, title: titleOf(process), age };
}

/** Those of whom no ancestor is among them: a server and what it has forked are one. */
export function topmost(
  matching: readonly ProcessInfo[],
  parentOf: (pid: number) => number | null,
): readonly ProcessInfo[] {
  const pids = new Set(matching.map(({ pid }) => pid));
  return matching.filter(({ ppid }) => {
    const passed = new Set<number>();
    // A table is not read in one instant: a reused pid can make it look circular.
    for (let pid: number | null = ppid; pid !== null && pid > 0 && !passed.has(pid); pid = parentOf(pid)) {
      if (pids.has(pid)) return false;
      passed.add(pid);
    }
    return true;
  });
}

/** The one that is meant; null: that cannot be told. */
export function choose(matching: readonly ProcessInfo[], rule: DiscoverySpec['choose']): ProcessInfo | null {
  const [first, ...others] = matching;
  if (first === undefined || (others.length > 0 && rule === 'only')) return null;
  const isBefore = (a: ProcessInfo, b: ProcessInfo): boolean => Number(a.startedAt) < Number(b.startedAt);
  return others.reduce((best, one) => (isBefore(one, best) === (rule === 'oldest') ? one : best), first);
}
