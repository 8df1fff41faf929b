import type { Asking } from '../asking.ts';
import { CliError } from '../cli-error.ts';
import { printData, say } from '../output/print.ts';

/** `signal`: sends a signal to the main processes of workers, or to their whole trees. */
export async function signal(
  { client, to, format, namespace }: Asking,
  name: string,
  patterns: readonly string[],
  { tree }: { readonly tree?: boolean },
): Promise<number> {
  if (patterns.length === 0) {
    const next = 'As in: hsu-master signal HUP web';
    throw new CliError('E_USAGE', 'signal needs the workers that are meant', next);
  }
  const upper = name.toUpperCase();
  const full = upper.startsWith('SIG') ? upper : `SIG${upper}`;
  const { workers } = await client.workers({ select: patterns, namespace });
  const tickets = await Promise.all(
    workers.map(({ id }) => client.signal(id, full, tree === true ? 'tree' : 'main')),
  );
  if (await printData(to.out, format, { tickets }, tickets)) return 0;
  for (const { worker } of tickets) await say(to.out, format === 'name' ? worker : `${worker}: ${full} sent`);
  return 0;
}
