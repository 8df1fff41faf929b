import type { Worker } from '@hsu-master/api/client';
import { painted, stateStyle } from './colour.ts';
import { size, span } from './spans.ts';
import type { Column } from './table.ts';

export const NONE = '–';

/** The phase, with what belongs to it. */
export function stateOf(worker: Worker, now: number): string {
  const { phase, completed, enabled, run, nextTry } = worker;
  if (phase === 'backoff' && nextTry !== null)
    return `backoff ${span(Math.max(1000, Date.parse(nextTry) - now + 999))}`;
  if (phase === 'stopped') return completed ? 'completed' : !enabled && run === 0 ? 'disabled' : 'stopped';
  return phase;
}

/** What a probe says of it; nothing where it does not run. */
export function healthOf({ phase, ready, probed }: Worker): string {
  if (phase !== 'running') return NONE;
  return ready ? 'ready' : probed ? 'not ready' : NONE;
}

function uptimeOf({ startedAt }: Worker, now: number): string {
  return startedAt === null ? NONE : span(now - Date.parse(startedAt));
}

function restartsOf({ restarts, lastEnd }: Worker, now: number): string {
  if (restarts === 0 || lastEnd === null) return String(restarts);
  return `${restarts} (${span(now - Date.parse(lastEnd.at))} ago)`;
}

/** What a person should know of it besides; empty where all is as it should be. */
export function noteOf(worker: Worker): string {
  const { id, phase, breaker, lastEnd, waiting, failure, throttled, degraded } = worker;
  switch (phase) {
    case 'backoff':
      return [
        ...(breaker === 'open' ? ['breaker open'] : []),
        ...(lastEnd === null ? [] : [lastEnd.says]),
        `hsu-master why ${id}`,
      ].join('; ');
    case 'blocked':
      return `waiting for ${waiting.map((one) => (one.condition === 'ended' || one.condition === 'process' ? one.reason : `${one.id} (${one.condition})`)).join(', ')}`;
    case 'failed':
      return `${failure?.message.replace(`worker "${id}": `, '') ?? 'failed'}; hsu-master why ${id}`;
    case 'running':
      if (!worker.ready) return worker.doing;
      if (throttled.length > 0) return `held back for ${throttled.join(', ')}`;
      return degraded[0] ?? '';
    default:
      return '';
  }
}

/** What is worth most where not all has room: what is wrong, or what is used. */
export type Worth = 'state' | 'usage';

/** The columns of `ls` and `top`. */
export function workerColumns(
  now: number,
  isWide: boolean,
  worth: Worth = 'state',
): readonly Column<Worker>[] {
  const used = worth === 'usage' ? 1 : 5;
  const columns: (Column<Worker> | null)[] = [
    { head: 'NAME', yields: 0, cell: ({ id }) => id },
    { head: 'NAMESPACE', yields: 8, cell: ({ namespace }) => namespace ?? '' },
    isWide ? { head: 'GROUP', yields: 8, cell: ({ group }) => group ?? '' } : null,
    {
      head: 'STATE',
      yields: 0,
      cell: (worker) => stateOf(worker, now),
      paint: (text, { phase, ready }) => painted(stateStyle(phase, ready), text),
    },
    { head: 'HEALTH', yields: 2, cell: healthOf },
    {
      head: 'PID',
      yields: 6,
      align: 'right',
      cell: ({ process }) => (process === null ? NONE : String(process.pid)),
    },
    { head: 'UPTIME', yields: 4, cell: (worker) => uptimeOf(worker, now) },
    { head: 'RESTARTS', yields: 3, cell: (worker) => restartsOf(worker, now) },
    {
      head: 'CPU',
      yields: used,
      align: 'right',
      cell: ({ usage }) =>
        usage === null || usage.cpuPercent === null ? NONE : `${Math.round(usage.cpuPercent)}%`,
    },
    {
      head: 'MEM',
      yields: used,
      align: 'right',
      cell: ({ usage }) => (usage === null ? NONE : size(usage.memoryBytes)),
    },
    isWide
      ? { head: 'PORT', yields: 9, align: 'right', cell: ({ port }) => (port === null ? NONE : String(port)) }
      : null,
    isWide ? { head: 'RUN', yields: 9, align: 'right', cell: ({ run }) => String(run) } : null,
    isWide ? { head: 'LAST END', yields: 9, cell: ({ lastEnd }) => lastEnd?.says ?? NONE } : null,
    { head: 'NOTE', yields: worth === 'usage' ? 7 : 3, least: 20, cell: noteOf },
  ];
  return columns.filter((column) => column !== null);
}
