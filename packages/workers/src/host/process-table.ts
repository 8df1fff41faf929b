import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { ProcessRow } from './tree.ts';

/** All processes of the system as far as they may be seen, without the addon’s help. */
export interface ProcessTable {
  readonly source: 'proc' | 'ps';
  rows(): readonly ProcessRow[];
  row(pid: number): ProcessRow | null;
  variableOf(pid: number, name: string): string | null;
}

export function openProcessTable(): ProcessTable {
  return existsSync('/proc/self/stat') ? procTable : psTable;
}

/** The process table of Linux. */
export const procTable: ProcessTable = {
  source: 'proc',
  rows() {
    const rows: ProcessRow[] = [];
    for (const name of readdirSync('/proc')) {
      const row = /^\d+$/.test(name) ? procTable.row(Number(name)) : null;
      if (row !== null) rows.push(row);
    }
    return rows;
  },
  row(pid) {
    const text = readQuietly(`/proc/${pid}/stat`);
    if (text === null) return null;
    // The name in parentheses may hold anything, parentheses included.
    const [state = '', ppid, pgid, sid, ...rest] = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const startedAt = rest[15];
    if (startedAt === undefined) return null;
    return { pid, startedAt, ppid: Number(ppid), pgid: Number(pgid), sid: Number(sid), state };
  },
  variableOf(pid, name) {
    const text = readQuietly(`/proc/${pid}/environ`);
    const found = text?.split('\0').find((entry) => entry.startsWith(`${name}=`));
    return found?.slice(name.length + 1) ?? null;
  },
};

function readQuietly(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

/** For POSIX systems without /proc. Start times have the resolution of a second; sessions and environments are not told. */
export const psTable: ProcessTable = {
  source: 'ps',
  rows: () => ps(['-A']),
  row: (pid) => ps(['-p', String(pid)])[0] ?? null,
  variableOf: () => null,
};

function ps(which: readonly string[]): readonly ProcessRow[] {
  const format = 'pid=,ppid=,pgid=,stat=,lstart=';
  let text: string;
  try {
    const env = { ...process.env, LC_ALL: 'C' };
    text = execFileSync('ps', [...which, '-o', format], {
      encoding: 'utf8',
      env,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch {
    return [];
  }
  const rows: ProcessRow[] = [];
  for (const line of text.split('\n')) {
    const [, pid, ppid, pgid, state, started] =
      /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S)\S*\s+(.+)$/.exec(line) ?? [];
    if (pid === undefined || started === undefined || state === undefined) continue;
    const startedAt = String(Date.parse(started));
    rows.push({ pid: Number(pid), startedAt, ppid: Number(ppid), pgid: Number(pgid), sid: 0, state });
  }
  return rows;
}
