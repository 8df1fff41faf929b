import type { Condition } from '@hsu-master/api/client';
import type { Asking } from '../asking.ts';
import { CliError } from '../cli-error.ts';
import { exitCodeOf } from '../exit-codes.ts';
import { printData, say } from '../output/print.ts';
import { deadlineOf, leftOf, withProgress } from './patience.ts';

const CONDITIONS: readonly Condition[] = ['running', 'ready', 'stopped', 'completed'];

/** `wait`: until workers are as they are wanted, or cannot become so. */
export async function wait(
  { client, to, format, namespace }: Asking,
  patterns: readonly string[],
  { for: wanted, timeout }: { readonly for: string; readonly timeout: string },
): Promise<number> {
  const condition = CONDITIONS.find((one) => one === wanted);
  if (condition === undefined) {
    const message = `--for takes ${CONDITIONS.join(', ')}, not "${wanted}"`;
    throw new CliError('E_USAGE', message, '');
  }
  const deadline = deadlineOf(timeout, to.now());
  const { workers } = await client.workers({ select: patterns, namespace });
  const all = await withProgress(
    to,
    () => `waiting for ${workers.map(({ id }) => id).join(', ')}`,
    () => Promise.all(workers.map(({ id }) => client.wait(id, condition, leftOf(deadline, to.now())))),
  );
  const missing = all.filter(({ met }) => !met);
  if (!(await printData(to.out, format, { waited: all }, all))) {
    for (const { met, worker } of all) {
      if (format === 'name') await say(to.out, worker.id);
      else if (met) await say(to.out, `${worker.id}: ${condition}`);
      else await say(to.err, `${worker.id}: not ${condition}: ${worker.doing}; hsu-master why ${worker.id}`);
    }
  }
  if (missing.length === 0) return 0;
  return missing.some(({ never }) => never) ? 1 : exitCodeOf('E_TIMEOUT');
}
