import type { Worker } from '@hsu-master/api/client';
import type { Asking } from '../asking.ts';
import { CliError } from '../cli-error.ts';
import { printData, say } from '../output/print.ts';
import { FORMER_SCREEN, OWN_SCREEN, rest, screenOf } from '../output/screen.ts';
import { clock } from '../output/spans.ts';
import { cut } from '../output/width.ts';
import { healthOf, NONE, noteOf, stateOf } from '../output/workers.ts';
import type { Surroundings } from '../surroundings.ts';

/** Between two looks. */
const PAUSE = 1000;

/** Shows what `show` writes, again and again until it is interrupted; the last of it stays. Only at a terminal. */
export async function watch(asking: Asking, show: (asking: Asking) => Promise<number>): Promise<number> {
  const { to } = asking;
  const { out } = to;
  if (!isScreen(asking))
    throw new CliError(
      'E_USAGE',
      '--watch takes a terminal here',
      'Elsewhere: hsu-master ls --watch, or hsu-master events -f.',
    );
  let text = '';
  const write = async (part: string | Uint8Array): Promise<void> => {
    text += part as string;
  };
  const paper = Object.create(out, { write: { value: write } }) as typeof out;
  await out.write(OWN_SCREEN);
  try {
    while (!isOver(to)) {
      text = '';
      await show({ ...asking, to: { ...to, out: paper, err: paper } });
      const lines = text
        .trimEnd()
        .split('\n')
        .map((line) => cut(line, out.columns()));
      const room = Math.max(1, out.rows() - 1);
      const shown =
        lines.length > room ? [...lines.slice(0, room - 1), `… ${lines.length - room + 1} more`] : lines;
      await out.write(screenOf(shown));
      await pause(to);
    }
  } finally {
    await out.write(FORMER_SCREEN);
    await say(out, text.trimEnd());
  }
  return 0;
}

/** Whether there is a screen to show a list for people on. */
export function isScreen({ to: { out }, format }: Asking): boolean {
  return out.cursor && (format === 'table' || format === 'wide');
}

/**
 * Writes workers as they are, then each that is otherwise or no more, until it is interrupted. What only grows, such as times, is no
 * change. To programs, ends of workers are not told: `events` does.
 */
export async function follow(asking: Asking, patterns: readonly string[]): Promise<number> {
  const { client, to, format, namespace } = asking;
  const known = new Map<string, string>();
  while (!isOver(to)) {
    const { workers } = await client.workers({ select: patterns, namespace });
    for (const worker of workers) {
      const state = stepOf(worker);
      if (known.get(worker.id) !== state) await tell(asking, worker);
      known.set(worker.id, state);
    }
    for (const id of known.keys()) {
      if (workers.some((worker) => worker.id === id)) continue;
      known.delete(id);
      if (format === 'table' || format === 'wide') await say(to.out, `${timeOf(to)}  ${id}  removed`);
    }
    await pause(to);
  }
  return 0;
}

function stepOf({ phase, ready, run, desired, completed, enabled }: Worker): string {
  return [phase, ready, run, desired, completed, enabled].join(' ');
}

async function tell({ to, format }: Asking, worker: Worker): Promise<void> {
  // A list that may grow has no end that could be written: one object a line.
  if (await printData(to.out, format === 'json' ? 'jsonl' : format, [worker], [worker])) return;
  if (format === 'name') return say(to.out, worker.id);
  const now = to.now();
  const health = healthOf(worker);
  const note = noteOf(worker);
  const state = stateOf(worker, now);
  const parts = [timeOf(to), worker.id, state, note.startsWith(health) ? '' : health, note];
  return say(to.out, parts.filter((part) => part !== '' && part !== NONE).join('  '));
}

function timeOf(to: Surroundings): string {
  return clock(new Date(to.now()).toISOString());
}

function isOver(to: Surroundings): boolean {
  return to.interrupted().aborted || to.out.gone.aborted;
}

function pause(to: Surroundings): Promise<void> {
  return rest(PAUSE, to, () => {});
}
