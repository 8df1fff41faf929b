import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';

/** A living process as /proc shows it. */
export interface Process {
  readonly pid: number;
  readonly parent: number;
  /** Name of the executable file, without its folder. */
  readonly program: string;
  /** User and system time of all its threads, living and ended; ms, in steps of 10. */
  readonly cpu: number;
}

/** MiB. `uss` is what would be free if the process ended; `pss` adds its share of what it shares. */
export interface Memory {
  readonly uss: number;
  readonly pss: number;
}

// A clock tick as /proc counts it, on every Linux of the platforms that Node supports.
const TICK_MS = 10;

function readProcess(pid: number): Process | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name in parentheses may hold spaces and parentheses itself.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    return {
      pid,
      parent: Number(fields[1]),
      program: basename(readlinkSync(`/proc/${pid}/exe`)),
      cpu: (Number(fields[11]) + Number(fields[12])) * TICK_MS,
    };
  } catch {
    // Ended between the two looks, or a kernel thread: no executable.
    return undefined;
  }
}

/** User and system time of a process and of all its descendants that it has waited for, ms, in steps of 10; 0 if it is gone. */
export function cpuWithChildren(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0) * TICK_MS;
  } catch {
    return 0;
  }
}

/** The living descendants of `root`, without zombies. */
export function descendants(root: number): readonly Process[] {
  const children = new Map<number, Process[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const found = readProcess(Number(name));
    if (!found) continue;
    const siblings = children.get(found.parent);
    if (siblings) siblings.push(found);
    else children.set(found.parent, [found]);
  }
  const all: Process[] = [];
  const queue = [root];
  for (let parent = queue.pop(); parent !== undefined; parent = queue.pop()) {
    for (const child of children.get(parent) ?? []) {
      all.push(child);
      queue.push(child.pid);
    }
  }
  return all;
}

/** Sums over the processes; one that has ended meanwhile counts nothing. */
export function memoryOf(processes: readonly Process[]): Memory {
  let uss = 0;
  let pss = 0;
  for (const { pid } of processes) {
    const rollup = readRollup(pid);
    uss += (rollup.get('Private_Clean') ?? 0) + (rollup.get('Private_Dirty') ?? 0);
    pss += rollup.get('Pss') ?? 0;
  }
  return { uss: uss / 1024, pss: pss / 1024 };
}

function readRollup(pid: number): Map<string, number> {
  try {
    const lines = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1').matchAll(/^(\w+): +(\d+) kB$/gm);
    return new Map(Array.from(lines, ([, key, value]) => [key ?? '', Number(value)]));
  } catch {
    return new Map();
  }
}
