import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { ProcessRow } from './tree.ts';

/** PF_KTHREAD */
const KERNEL_THREAD = 0x00200000;

/** All processes of the system as far as they may be seen, without the addon’s help. */
export interface ProcessTable {
  readonly source: 'proc' | 'ps';
  /** Who was listed and gone when its row was read has state `X` and nothing but its pid. */
  rows(): readonly ProcessRow[];
  row(pid: number): ProcessRow | null;
  /** null: not set or not to be read. undefined: in the middle of an exec or of its exit. */
  variableOf(pid: number, name: string): string | null | undefined;
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
      if (!/^\d+$/.test(name)) continue;
      const row = procTable.row(Number(name));
      if (row !== null) rows.push(row);
      // Hidden rows stay hidden; this one has gone.
      else if (!existsSync(`/proc/${name}`)) rows.push(goneRow(Number(name)));
    }
    return rows;
  },
  row(pid) {
    const [state = '', ppid, pgid, sid, ...rest] = statFields(pid) ?? [];
    const startedAt = rest[15];
    if (startedAt === undefined) return null;
    return { pid, startedAt, ppid: Number(ppid), pgid: Number(pgid), sid: Number(sid), state };
  },
  variableOf(pid, name) {
    let text = readQuietly(`/proc/${pid}/environ`);
    if (text === '' || text === null) {
      if (isWithoutMemory(pid)) return undefined;
      text = readQuietly(`/proc/${pid}/environ`);
    }
    const found = text?.split('\0').find((entry) => entry.startsWith(`${name}=`));
    return found?.slice(name.length + 1) ?? null;
  },
};

/**
 * Alive, but the arguments are as empty as the environment: an exec sets both together, last, and who exits gives its memory back
 * before it becomes a zombie. Kernel threads never have either.
 */
function isWithoutMemory(pid: number): boolean {
  if ((readQuietly(`/proc/${pid}/cmdline`) ?? '') !== '') return false;
  const [state, , , , , , flags] = statFields(pid) ?? [];
  return state !== undefined && !'ZX'.includes(state) && (Number(flags) & KERNEL_THREAD) === 0;
}

/** Everything after the name, which stands in parentheses and may hold anything, parentheses included. */
function statFields(pid: number): readonly string[] | null {
  const text = readQuietly(`/proc/${pid}/stat`);
  return text?.slice(text.lastIndexOf(')') + 2).split(' ') ?? null;
}

function goneRow(pid: number): ProcessRow {
  return { pid, startedAt: '0', ppid: 0, pgid: 0, sid: 0, state: 'X' };
}

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
    const { execFileSync } = process.getBuiltinModule('node:child_process');
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
