import type { Asking } from '../asking.ts';
import { printData, say } from '../output/print.ts';
import { table } from '../output/table.ts';
import { workerColumns } from '../output/workers.ts';

/** `ls`: workers as they are now; with `--watch`, as they change. */
export async function list(
  asking: Asking,
  patterns: readonly string[],
  { watch: isWatched }: { readonly watch?: boolean } = {},
): Promise<number> {
  if (isWatched === true) {
    const { follow, isScreen, watch } = await import('./watch.ts');
    return isScreen(asking) ? watch(asking, (now) => list(now, patterns)) : follow(asking, patterns);
  }
  const { client, to, format, namespace } = asking;
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
