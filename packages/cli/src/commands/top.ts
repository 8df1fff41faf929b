import type { Worker } from '@hsu-master/api/client';
import type { Asking } from '../asking.ts';
import { say } from '../output/print.ts';
import { size, span } from '../output/spans.ts';
import { table } from '../output/table.ts';
import { workerColumns } from '../output/workers.ts';

const PAUSE = 1000;
const HOME = '\x1b[H';
const CLEAR_LINE = '\x1b[K';
const CLEAR_BELOW = '\x1b[J';
const OWN_SCREEN = '\x1b[?1049h\x1b[?25l';
const FORMER_SCREEN = '\x1b[?25h\x1b[?1049l';

/** `top`: the workers that use most, again and again, until it is interrupted; off a terminal once. */
export async function top(
  { client, to, namespace }: Asking,
  patterns: readonly string[],
  sort: string,
): Promise<number> {
  const { out } = to;
  const master = await client.version();
  const look = async (): Promise<readonly string[]> => {
    const { workers } = await client.workers({ select: patterns, namespace, usage: true });
    const memory = workers.reduce((sum, { usage }) => sum + (usage?.memoryBytes ?? 0), 0);
    const cpu = workers.reduce((sum, { usage }) => sum + (usage?.cpuPercent ?? 0), 0);
    const ready = workers.filter((worker) => worker.ready).length;
    const age = span(to.now() - Date.parse(master.startedAt));
    const head = `master ${master.pid}, ${age} · ${ready}/${workers.length} ready · CPU ${Math.round(cpu)}% · ${size(memory)}`;
    const rows = [...workers].sort(BY[sort] ?? byCpu);
    return [
      head,
      '',
      ...(await table(workerColumns(to.now(), false), rows, out.columns(), out.colour)).split('\n'),
    ];
  };
  // The first look tells no rates.
  await look();
  if (!out.isTTY) {
    await pause(PAUSE, out.gone);
    await say(out, (await look()).join('\n'));
    return 0;
  }
  const signal = AbortSignal.any([to.interrupted(), out.gone]);
  await out.write(OWN_SCREEN);
  try {
    while (!signal.aborted) {
      const lines = (await look()).slice(0, Math.max(4, (process.stdout.rows ?? 24) - 1));
      await out.write(`${HOME}${lines.map((line) => `${line}${CLEAR_LINE}\n`).join('')}${CLEAR_BELOW}`);
      await pause(PAUSE, signal);
    }
  } finally {
    await out.write(FORMER_SCREEN);
  }
  return 0;
}

const byCpu = (a: Worker, b: Worker): number =>
  (b.usage?.cpuPercent ?? -1) - (a.usage?.cpuPercent ?? -1) || a.id.localeCompare(b.id);

const BY: Readonly<Record<string, (a: Worker, b: Worker) => number>> = {
  cpu: byCpu,
  memory: (a, b) => (b.usage?.memoryBytes ?? -1) - (a.usage?.memoryBytes ?? -1) || a.id.localeCompare(b.id),
  name: (a, b) => a.id.localeCompare(b.id),
  restarts: (a, b) => b.restarts - a.restarts || a.id.localeCompare(b.id),
};

function pause(span: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(finish, span);
    function finish(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', finish);
      resolve();
    }
    signal.addEventListener('abort', finish);
    if (signal.aborted) finish();
  });
}
