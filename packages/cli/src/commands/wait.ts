import type { Condition } from '@hsu-master/api/client';
import type { Asking } from '../asking.ts';
import { CliError } from '../cli-error.ts';
import { exitCodeOf } from '../exit-codes.ts';
import { printData, say } from '../output/print.ts';
import { awaitEach, deadlineOf, leftOf } from './patience.ts';

const CONDITIONS: readonly Condition[] = ['running', 'ready', 'stopped', 'completed'];

/** `wait`: until workers are as they are wanted, or cannot become so. */
export async function wait(
  asking: Asking,
  patterns: readonly string[],
  { for: wanted, timeout }: { readonly for: string; readonly timeout: string },
): Promise<number> {
  const { client, to, format, namespace } = asking;
  const condition = CONDITIONS.find((one) => one === wanted);
  if (condition === undefined) {
    const message = `--for takes ${CONDITIONS.join(', ')}, not "${wanted}"`;
    throw new CliError('E_USAGE', message, '');
  }
  const deadline = deadlineOf(timeout, to.now());
  const { workers } = await client.workers({ select: patterns, namespace });
  const all = await awaitEach(asking, `waiting until ${condition}`, { patterns, workers }, (id) =>
    client.wait(id, condition, leftOf(deadline, to.now())),
  );
  const missing = all.filter(({ met }) => !met);
  if (!(await printData(to.out, format, { waited: all }, all))) {
    for (const { met, worker } of all) {
      if (format === 'name') await say(to.out, worker.id);
      else if (met) await say(to.out, `${worker.id}: ${condition}`);
      else await say(to.err, `${worker.id}: ${missed(condition, worker.doing)}; hsu-master why ${worker.id}`);
    }
  }
  if (missing.length === 0) return 0;
  return missing.some(({ never }) => never) ? 1 : exitCodeOf('E_TIMEOUT');
}

/** How it is says by itself that it is not ready. */
function missed(condition: Condition, doing: string): string {
  return doing.startsWith(`not ${condition}`) ? doing : `not ${condition}: ${doing}`;
}
