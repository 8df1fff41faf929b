import type { Process } from '@hsu-master/api/client';
import type { Asking } from '../asking.ts';
import { printData, say } from '../output/print.ts';
import { size, span } from '../output/spans.ts';
import { type Column, table } from '../output/table.ts';
import { branches } from '../output/tree.ts';

const NONE = '–';

interface Row extends Process {
  readonly stem: string;
}

/** `ps`: the processes of workers, each below the one that it descends from. */
export async function ps(
  { client, to, format, namespace }: Asking,
  patterns: readonly string[],
): Promise<number> {
  const processes = await client.processes({ select: patterns, namespace });
  if (await printData(to.out, format, { processes }, processes)) return 0;
  if (format === 'name') await say(to.out, processes.map(({ pid }) => pid).join('\n'));
  else if (processes.length === 0) await say(to.err, 'no processes');
  else {
    const rows = [...Map.groupBy(processes, ({ worker }) => worker).values()].flatMap(familyOf);
    await say(to.out, await table(columnsOf(format === 'wide'), rows, to.out.columns(), to.out.colour));
  }
  return 0;
}

/** The processes of one worker: those whose parents are not among them come first. */
function familyOf(all: readonly Process[]): readonly Row[] {
  const children = Map.groupBy(all, ({ ppid }) => ppid);
  const pids = new Set(all.map(({ pid }) => pid));
  const heads = all.filter(({ ppid }) => ppid === null || !pids.has(ppid));
  return branches(
    heads,
    ({ pid }) => children.get(pid) ?? [],
    ({ pid }) => pid,
  ).map(({ stem, row }) => ({
    ...row,
    stem,
  }));
}

const STATES: Readonly<Record<string, string>> = {
  R: 'runs',
  S: 'sleeps',
  D: 'waits for a device',
  T: 'stopped',
  t: 'traced',
  Z: 'ended',
  I: 'idle',
};

function columnsOf(isWide: boolean): readonly Column<Row>[] {
  const columns: (Column<Row> | null)[] = [
    { head: 'WORKER', yields: 0, cell: ({ worker }) => worker },
    { head: 'PID', yields: 0, align: 'right', cell: ({ pid }) => String(pid) },
    isWide
      ? { head: 'PPID', yields: 6, align: 'right', cell: ({ ppid }) => (ppid === null ? NONE : String(ppid)) }
      : null,
    isWide
      ? { head: 'UID', yields: 6, align: 'right', cell: ({ user }) => (user === null ? NONE : String(user)) }
      : null,
    {
      head: 'STATE',
      yields: 5,
      cell: ({ state }) => (state === null ? NONE : (STATES[state] ?? state)),
    },
    {
      head: 'CPU TIME',
      yields: 4,
      align: 'right',
      cell: ({ cpuMs }) => (cpuMs === null ? NONE : cpuMs < 1000 ? `${Math.round(cpuMs)}ms` : span(cpuMs)),
    },
    {
      head: 'MEM',
      yields: 3,
      align: 'right',
      cell: ({ memoryBytes }) => (memoryBytes === null ? NONE : size(memoryBytes)),
    },
    { head: 'COMMAND', yields: 1, cell: ({ stem, argv }) => `${stem}${argv.join(' ')}` },
  ];
  return columns.filter((column) => column !== null);
}
