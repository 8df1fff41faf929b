import type { LogLine, LostLines } from '@hsu-master/api/client';
import type { Asking } from '../asking.ts';
import { CliError } from '../cli-error.ts';
import { painted } from '../output/colour.ts';
import { printData, say } from '../output/print.ts';
import { LEVELS } from './levels.ts';
import { UNITS, withProgress } from './patience.ts';
import { whole } from './whole.ts';

export interface LogOptions {
  readonly follow?: boolean;
  readonly lines?: string;
  readonly stream?: string;
  readonly grep?: string;
  readonly pattern?: string;
  readonly ignoreCase?: boolean;
  readonly level?: string;
  readonly since?: string;
  readonly until?: string;
  readonly time?: boolean;
}

/** `logs`: what workers wrote; with `-f`, as it comes. */
export async function logs(
  asking: Asking,
  patterns: readonly string[],
  options: LogOptions,
): Promise<number> {
  const { client, to, namespace } = asking;
  const stream = streamOf(options.stream);
  const lines = whole('--lines', options.lines, options.follow === true ? 10 : 100, 10_000);
  const which = { select: patterns, namespace, stream, lines };
  const write = writer(asking, options);
  if (options.follow === true) {
    const signal = AbortSignal.any([to.interrupted(), to.out.gone]);
    for await (const item of client.followLogs(which, signal)) {
      if (signal.aborted) break;
      if ('lost' in item) await tellLoss(asking, item);
      else await write([item]);
    }
    return 0;
  }
  const { grep, pattern, level, since, until } = options;
  if ([grep, pattern, level, since, until].every((one) => one === undefined)) {
    const found = await client.logs(which);
    if (found.length === 0) await say(to.err, 'nothing was written yet');
    await write(found);
    return 0;
  }
  const sought = {
    select: patterns,
    namespace,
    stream,
    text: grep,
    ignoreCase: options.ignoreCase === true,
    pattern,
    minLevel: levelOf(level),
    from: since === undefined ? undefined : momentOf(since, to.now()),
    to: until === undefined ? undefined : momentOf(until, to.now()),
    order: 'newest',
    limit: lines,
  } as const;
  const searching = { what: 'searching the logs', of: 0, left: [] };
  const found = await withProgress(
    asking,
    searching,
    () => searching,
    () => client.searchLogs(sought),
  );
  await write([...found.lines].reverse());
  if (found.cursor !== null) await say(to.err, `only the last ${lines} are shown; more with --lines`);
  return found.lines.length === 0 && (grep !== undefined || pattern !== undefined) ? 1 : 0;
}

function writer({ to, format }: Asking, { time }: LogOptions): (lines: readonly LogLine[]) => Promise<void> {
  const { out } = to;
  return async (lines) => {
    if (lines.length === 0) return;
    const asData = format === 'table' || format === 'wide' || format === 'name' ? null : format;
    // A list that may grow has no end that could be written: one object a line.
    if (asData !== null && (await printData(out, asData === 'json' ? 'jsonl' : asData, { lines }, lines)))
      return;
    const text = lines.map(({ worker, stream, at, text: said }) => {
      const name = `${worker} ${stream === 'stderr' ? '!' : '|'}`;
      return `${time === true ? `${at} ` : ''}${out.colour ? painted(stream === 'stderr' ? 'red' : 'cyan', name) : name} ${visible(said, out.isTTY)}`;
    });
    await out.write(`${text.join('\n')}\n`);
  };
}

/** On a terminal, what a worker wrote must not move its cursor; into a file it goes as it is. */
function visible(text: string, isTTY: boolean): string {
  return isTTY ? text.replace(/[^\P{Cc}\t]/gu, '?') : text;
}

function tellLoss({ to }: Asking, { lost }: LostLines): Promise<void> {
  return say(
    to.err,
    `${lost.worker}: ${lost.bytes} bytes were written faster than they were read here, and are left out`,
  );
}

function streamOf(text: string | undefined): 'stdout' | 'stderr' | undefined {
  if (text === undefined || text === 'stdout' || text === 'stderr') return text;
  throw new CliError('E_USAGE', `--stream takes stdout or stderr, not "${text}"`, '');
}

function levelOf(text: string | undefined): string | undefined {
  if (text === undefined || LEVELS.includes(text)) return text;
  throw new CliError('E_USAGE', `--level takes ${LEVELS.join(', ')}, not "${text}"`, '');
}

/** `10m` is ten minutes ago; else a moment as ISO 8601. */
function momentOf(text: string, now: number): string {
  const [, count, unit = ''] = /^(\d+)(ms|s|m|h|d)$/.exec(text) ?? [];
  const at = count === undefined ? Date.parse(text) : now - Number(count) * (UNITS[unit] ?? 0);
  if (!Number.isNaN(at)) return new Date(at).toISOString();
  throw new CliError('E_USAGE', `"${text}" is no time: 10m (ago), 2026-01-31T17:00:00Z`, '');
}
