import type { Asking } from '../asking.ts';
import { printData, say } from '../output/print.ts';
import { span } from '../output/spans.ts';
import { wrapped } from '../output/wrap.ts';
import { describe } from './describe.ts';
import { list } from './list.ts';

/** `status`: the master and its workers at a glance, or one worker in full with its last lines. */
export async function status(
  asking: Asking,
  patterns: readonly string[],
  { watch: isWatched }: { readonly watch?: boolean } = {},
): Promise<number> {
  if (isWatched === true) return (await import('./watch.ts')).watch(asking, (now) => status(now, patterns));
  if (patterns.length > 0) return describe(asking, patterns, { lines: 10 });
  const { client, to, format } = asking;
  const [master, health] = await Promise.all([client.version(), client.health()]);
  if (await printData(to.out, format, { master, health }, [{ master, health }])) return 0;
  if (format !== 'name') {
    const { wanted, ready } = health.workers;
    const since = span(to.now() - Date.parse(master.startedAt));
    const lines = [
      `master ${master.version}, pid ${master.pid}, for ${since}: ${ready} of ${wanted} wanted workers are ready`,
      `configuration ${master.configFile}`,
      ...(master.lacksAddon === null ? [] : [`without the native addon: ${master.lacksAddon}`]),
    ];
    await say(to.out, lines.flatMap((line) => wrapped(line, to.out.columns())).join('\n'));
    await say(to.out, '');
    await to.out.write('\n');
  }
  return list(asking, []);
}
