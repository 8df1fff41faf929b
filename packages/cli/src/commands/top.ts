import type { Worker } from '@hsu-master/api/client';
import type { Asking } from '../asking.ts';
import { CliError } from '../cli-error.ts';
import { painted } from '../output/colour.ts';
import { printData, say } from '../output/print.ts';
import { FORMER_SCREEN, OWN_SCREEN, rest, screenOf } from '../output/screen.ts';
import { size, span } from '../output/spans.ts';
import { table } from '../output/table.ts';
import { cut } from '../output/width.ts';
import { workerColumns } from '../output/workers.ts';
import type { Surroundings } from '../surroundings.ts';

const PAUSE = 1000;

const SORTS = ['cpu', 'memory', 'name', 'restarts'] as const;
type Sort = (typeof SORTS)[number];

/** What the keyboard sends, and what it asks for. */
const SORT_KEYS: Readonly<Record<string, Sort>> = { c: 'cpu', m: 'memory', n: 'name', r: 'restarts' };
const END_KEYS = new Set(['q', 'Q', '\x03', '\x1b']);
const DOWN_KEYS = new Set(['j', '\x1b[B']);
const UP_KEYS = new Set(['k', '\x1b[A']);

/** What is looked at, as the keys have changed it. */
interface View {
  sort: Sort;
  /** Rows that are above what is seen. */
  skipped: number;
  ended: boolean;
}

/** `top`: the workers that use most, again and again, until it is interrupted; off a terminal once. */
export async function top(asking: Asking, patterns: readonly string[], written: string): Promise<number> {
  const { client, to, namespace, format } = asking;
  const sort = SORTS.find((one) => one === written);
  if (sort === undefined)
    throw new CliError('E_USAGE', `--sort takes ${SORTS.join(', ')}, not "${written}"`, '');
  const which = { select: patterns, namespace, usage: true };
  const [master] = await Promise.all([client.version(), client.workers(which)]);
  const view: View = { sort, skipped: 0, ended: false };
  const { out } = to;
  if (!out.cursor || format !== 'table') {
    // The first look tells no rates.
    await rest(PAUSE, to, null);
    const list = await client.workers(which);
    const workers = sorted(list.workers, sort);
    if (await printData(out, format, { ...list, workers }, workers)) return 0;
    if (format === 'name') await say(out, workers.map(({ id }) => id).join('\n'));
    else {
      const head = cut(headOf(master, workers, to.now()), out.columns());
      await say(out, [head, '', ...(await rowsOf(asking, workers))].join('\n'));
    }
    return 0;
  }
  const keys = listen(to, view);
  await out.write(OWN_SCREEN);
  try {
    while (!view.ended && !keys.signal.aborted) {
      const { workers } = await client.workers(which);
      // Until the next look, keys change only how this one is shown.
      const until = to.now() + PAUSE;
      do {
        await out.write(await screen(asking, master, workers, view));
        await keys.next(until - to.now());
      } while (!view.ended && !keys.signal.aborted && to.now() < until);
    }
  } finally {
    keys.close();
    await out.write(FORMER_SCREEN);
  }
  return 0;
}

type Master = { readonly pid: number; readonly startedAt: string };

/** All that is seen, from the upper left on. */
async function screen(
  asking: Asking,
  master: Master,
  workers: readonly Worker[],
  view: View,
): Promise<string> {
  const { out, now } = asking.to;
  const columns = out.columns();
  const [title = '', ...rows] = await rowsOf(asking, sorted(workers, view.sort));
  const room = Math.max(1, Math.min(out.rows(), 10_000) - 5);
  view.skipped = Math.max(0, Math.min(view.skipped, rows.length - room));
  const keys = `sorted by ${view.sort} · c cpu  m memory  n name  r restarts · q ends`;
  const lines = [
    cut(headOf(master, workers, now()), columns),
    '',
    title,
    ...rows.slice(view.skipped, view.skipped + room),
    ...(rows.length > room
      ? [
          cut(
            `${view.skipped + 1}–${view.skipped + Math.min(room, rows.length)} of ${rows.length}, j k`,
            columns,
          ),
        ]
      : []),
  ];
  const foot = cut(keys, columns);
  const text = [...lines, out.colour ? painted('dim', foot) : foot];
  return screenOf(text);
}

function headOf({ pid, startedAt }: Master, workers: readonly Worker[], now: number): string {
  const memory = workers.reduce((sum, { usage }) => sum + (usage?.memoryBytes ?? 0), 0);
  const cpu = workers.reduce((sum, { usage }) => sum + (usage?.cpuPercent ?? 0), 0);
  const ready = workers.filter((worker) => worker.ready).length;
  const age = span(now - Date.parse(startedAt));
  return `master ${pid}, ${age} · ${ready}/${workers.length} ready · CPU ${Math.round(cpu)}% · ${size(memory)}`;
}

async function rowsOf({ to, format }: Asking, workers: readonly Worker[]): Promise<readonly string[]> {
  const { out } = to;
  const text = await table(
    workerColumns(to.now(), format === 'wide', 'usage'),
    workers,
    out.columns(),
    out.colour,
  );
  return text.split('\n');
}

const BY: Readonly<Record<Sort, (worker: Worker) => number>> = {
  cpu: ({ usage }) => usage?.cpuPercent ?? -1,
  memory: ({ usage }) => usage?.memoryBytes ?? -1,
  name: () => 0,
  restarts: ({ restarts }) => restarts,
};

function sorted(workers: readonly Worker[], sort: Sort): readonly Worker[] {
  const by = BY[sort];
  return [...workers].sort((a, b) => by(b) - by(a) || a.id.localeCompare(b.id));
}

/** Keys as they come, and the end of it all. */
interface Listening {
  readonly signal: AbortSignal;
  /** Resolves with the next key, or when so many milliseconds are over. */
  next(span: number): Promise<void>;
  close(): void;
}

function listen(to: Surroundings, view: View): Listening {
  const signal = AbortSignal.any([to.interrupted(), to.out.gone]);
  let wake: (() => void) | null = null;
  const close = to.keys?.listen((key) => {
    view.sort = SORT_KEYS[key] ?? view.sort;
    if (END_KEYS.has(key)) view.ended = true;
    if (DOWN_KEYS.has(key)) view.skipped += 1;
    if (UP_KEYS.has(key)) view.skipped -= 1;
    wake?.();
  });
  return {
    signal,
    next: (span) =>
      rest(span, to, (finish) => {
        wake = finish;
      }),
    close: () => close?.(),
  };
}
