import type { Asking } from '../asking.ts';
import { printData, say } from '../output/print.ts';
import { table } from '../output/table.ts';
import { workerColumns } from '../output/workers.ts';

/** `ls`: workers as they are now. */
export async function list(
  { client, to, format, namespace }: Asking,
  patterns: readonly string[],
): Promise<number> {
  const found = await client.workers({ select: patterns, namespace, usage: format !== 'name' });
  if (await printData(to.out, format, found, found.workers)) return 0;
  if (format === 'name') await say(to.out, found.workers.map(({ id }) => id).join('\n'));
  else if (found.workers.length === 0) await say(to.err, 'no workers');
  else {
    const columns = workerColumns(to.now(), format === 'wide');
    await say(to.out, await table(columns, found.workers, to.out.columns(), to.out.colour));
  }
  return 0;
}
