import {
  ApiError,
  type Environment,
  type Event,
  type LogLine,
  type WorkerDetail,
} from '@hsu-master/api/client';
import type { Asking } from '../asking.ts';
import { payloadText } from '../output/payload.ts';
import { printData, say } from '../output/print.ts';
import { clock, short, size, span } from '../output/spans.ts';
import { cut, prepareWidths } from '../output/width.ts';
import { noteOf, stateOf } from '../output/workers.ts';
import { hanging } from '../output/wrap.ts';
import type { Surroundings } from '../surroundings.ts';

/** How many of a worker's events are shown. */
const EVENTS = 10;

/** `describe`: everything about workers. */
export async function describe(
  { client, to, format, namespace }: Asking,
  patterns: readonly string[],
  { lines, reveal = false }: { readonly lines: number; readonly reveal?: boolean },
): Promise<number> {
  const { workers } = await client.workers({ select: patterns, namespace });
  const all = await Promise.all(
    workers.map(async ({ id }) => {
      const [worker, { events }, said, given] = await Promise.all([
        client.worker(id),
        client.events({ select: [id] }),
        lines === 0 ? [] : client.logs({ select: [id], lines }).catch(hidden),
        reveal ? client.environment(id, true) : null,
      ]);
      const known: Described =
        given === null ? worker : { ...worker, argv: given.argv, given: given.variables };
      return { worker: known, events: events.slice(-EVENTS), lines: said };
    }),
  );
  const details = all.map(({ worker }) => worker);
  const [only] = details;
  if (
    await printData(
      to.out,
      format,
      details.length === 1 && only !== undefined ? only : { workers: details },
      details,
    )
  )
    return 0;
  if (format === 'name') {
    await say(to.out, details.map(({ id }) => id).join('\n'));
    return 0;
  }
  await prepareWidths(all.map((one) => JSON.stringify(one)));
  for (const [index, { worker, events, lines: said }] of all.entries()) {
    if (index > 0) await to.out.write('\n');
    const text = [
      ...facts(worker, to),
      ...history(events, to.out.columns()),
      ...last(said, to.out.columns()),
    ];
    await say(to.out, text.join('\n'));
  }
  return 0;
}

/** `given`: the values of its variables, where they were asked for. */
type Described = WorkerDetail & { readonly given?: Environment['variables'] };

/** Who may look at a worker may not read its lines for that. */
function hidden(error: unknown): readonly LogLine[] {
  if (error instanceof ApiError && error.code === 'E_FORBIDDEN') return [];
  throw error;
}

function facts(worker: Described, { now: time, out }: Surroundings): readonly string[] {
  const now = time();
  const { usage, lastEnd, process, startedAt } = worker;
  const rows: (readonly [string, string])[] = [
    ['name', worker.name === worker.id ? worker.id : `${worker.id} (${worker.name})`],
    ['description', worker.description],
    ['namespace', worker.namespace ?? ''],
    ['group', worker.group ?? ''],
    ['state', `${stateOf(worker, now)}${worker.phase === 'running' ? `, ${worker.doing}` : ''}`],
    // That it is not ready, and why, stands there already.
    ['', worker.phase === 'running' && !worker.ready ? '' : noteOf(worker)],
    ['wanted', worker.desired],
    [
      'process',
      process === null
        ? ''
        : `${process.pid}, for ${startedAt === null ? '?' : span(now - Date.parse(startedAt))}`,
    ],
    ['port', worker.port === null ? '' : String(worker.port)],
    ['tree', treeOf(worker)],
    ['uses', usage === null ? '' : usesOf(usage)],
    ['restarts', `${worker.restarts}; ${worker.failuresInARow} failures in a row; breaker ${worker.breaker}`],
    [
      'last end',
      lastEnd === null
        ? ''
        : `run ${lastEnd.run}: ${lastEnd.says} after ${short(lastEnd.uptimeMs)}, ${span(now - Date.parse(lastEnd.at))} ago`,
    ],
    ['command', worker.argv.map(quoted).join(' ')],
    ['directory', worker.cwd],
    ['environment', environmentOf(worker)],
    ['user', worker.user ?? ''],
    ['stop', `${worker.stop.signal}, then SIGKILL after ${short(worker.stop.graceMs)}`],
    ['depends on', worker.dependsOn.map(({ id, condition }) => `${id} (${condition})`).join(', ')],
    ['needed by', worker.dependents.join(', ')],
    ['probes', probesOf(worker)],
    ['logs', [...new Set([worker.log.stdoutFile, worker.log.stderrFile])].join(', ')],
    ['lacks', worker.degraded.join('; ')],
  ];
  return rows
    .filter(([, text]) => text !== '')
    .map(([name, text]) => {
      // A command is to be copied as a whole.
      const columns = name === 'command' ? Number.POSITIVE_INFINITY : out.columns();
      return hanging(name.padEnd(13), text, columns);
    });
}

/** The first look tells no rates. */
function usesOf({ memoryBytes, cpuPercent }: NonNullable<WorkerDetail['usage']>): string {
  return `${size(memoryBytes)}${cpuPercent === null ? '' : `, CPU ${cpuPercent}% of one core`}`;
}

function environmentOf({ environment, given }: Described): string {
  if (given === undefined) return environment.join(' ');
  return Object.entries(given)
    .map(([name, value]) => `${name}=${quoted(value ?? '***')}`)
    .join(' ');
}

function treeOf({ members, process }: WorkerDetail): string {
  const others = members.filter(({ pid }) => pid !== process?.pid);
  if (others.length === 0) return '';
  const shown = others.slice(0, 12).map(({ pid }) => pid);
  return `${members.length} processes: ${[process?.pid, ...shown].join(', ')}${others.length > shown.length ? ', …' : ''}`;
}

function probesOf({ probes }: WorkerDetail): string {
  return Object.entries(probes)
    .flatMap(([name, probe]) =>
      probe === null ? [] : [`${name}: ${probe.check.type} every ${short(probe.interval)}`],
    )
    .join('; ');
}

function quoted(word: string): string {
  return /^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

function history(events: readonly Event[], columns: number): readonly string[] {
  if (events.length === 0) return [];
  const lines = events.map(({ at, type, run, payload }) => {
    const line = `  ${clock(at)}  ${run === null ? '' : `run ${run}  `}${type} ${payloadText(payload)}`;
    return cut(line.trimEnd(), columns);
  });
  return ['', 'events', ...lines];
}

function last(lines: readonly LogLine[], columns: number): readonly string[] {
  if (lines.length === 0) return [];
  return [
    '',
    'last lines',
    ...lines.map(({ stream, text }) => hanging(stream === 'stderr' ? '! ' : '  ', text, columns)),
  ];
}
