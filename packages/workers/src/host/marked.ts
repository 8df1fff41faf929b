import { readlinkSync } from 'node:fs';
import type { MarkedTree } from '@hsu-master/core';
import type { ProcessSystem } from './forest.ts';
import type { ProcessRow } from './tree.ts';

/** Trees with a living process whose mark begins so; see `Host.findMarked`. */
export function findMarked(system: ProcessSystem, beginning: string): readonly MarkedTree[] {
  const rows = new Map(system.processTable().map((row) => [row.pid, row]));
  const trees = new Map<string, ProcessRow[]>();
  for (const row of rows.values()) {
    // Kernel threads have no group; the dead have no environment.
    if (row.pgid === 0 || row.state === 'Z' || row.state === 'X') continue;
    const mark = system.markOf(row.pid);
    if (mark?.startsWith(beginning) !== true) continue;
    const tree = trees.get(mark);
    if (tree === undefined) trees.set(mark, [row]);
    else tree.push(row);
  }
  for (const pid of ownLine(system.ownPid, rows)) {
    const mark = trees.size === 0 ? null : system.markOf(pid);
    if (mark) trees.delete(mark);
  }
  return [...trees].flatMap(([mark, members]) => {
    const own = members.filter((row) => isOurs(row, system));
    const process = eldest(own);
    return process === undefined ? [] : [{ mark, process }];
  });
}

/** This process and those it descends from. */
function ownLine(ownPid: number, rows: ReadonlyMap<number, ProcessRow>): ReadonlySet<number> {
  const line = new Set<number>();
  for (let pid = ownPid; pid > 0 && !line.has(pid); pid = rows.get(pid)?.ppid ?? 0) line.add(pid);
  return line;
}

/** In another pid namespace another master may have a state directory of the same name. */
function isOurs({ pid, startedAt }: ProcessRow, system: ProcessSystem): boolean {
  const own = namespaceOf('self');
  if (own !== null && namespaceOf(pid) !== own) return false;
  return system.signalProcess({ pid, startedAt }, 0);
}

/** null: it cannot be told, or there is no such thing. */
function namespaceOf(pid: number | 'self'): string | null {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return null;
  }
}

function eldest(
  rows: readonly ProcessRow[],
): { readonly pid: number; readonly startedAt: string } | undefined {
  const pids = new Set(rows.map(({ pid }) => pid));
  const tops = rows.filter(({ ppid }) => !pids.has(ppid));
  const from = tops.length > 0 ? tops : rows;
  const [first] = from.toSorted((one, other) => Number(one.startedAt) - Number(other.startedAt));
  return first === undefined ? undefined : { pid: first.pid, startedAt: first.startedAt };
}
