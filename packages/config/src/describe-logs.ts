import { formatDuration, formatSize, type LogAlertRule, type WorkerId } from '@hsu-master/core';
import { type LogsConfig, type LogTarget, placeOfTarget } from './to-targets.ts';

/** Where the lines of one worker go beside its own files, but for what is for all. */
export function describeForwarding({ targets }: LogsConfig, id: WorkerId): string {
  return targets
    .flatMap((target) => {
      const own = target.sources.filter(({ workers }) => workers?.includes(id));
      const streams = new Set(own.flatMap((source) => source.streams));
      if (streams.size === 0) return [];
      return [`${describeTarget(target)}${streams.size === 1 ? ` (${[...streams].join()})` : ''}`];
    })
    .join(', ');
}

/** Where all lines go, and who is told of them. */
export function describeLogs({ targets, alerts, keeping }: LogsConfig): string[] {
  const all = targets.filter(({ sources }) => sources.some(({ workers }) => workers === null));
  const lines = all.map((target) => `all lines go to ${describeTarget(target)}`);
  const { maxTotal } = keeping;
  if (maxTotal !== null)
    lines.push(
      `all files of output together have at most ${formatSize(maxTotal)}: the oldest that were rotated go`,
    );
  return [...lines, ...alerts.map(describeAlert)];
}

/** Never with credentials, paths or queries of addresses. */
function describeTarget({ written }: LogTarget): string {
  const place = placeOfTarget(written);
  return place === '' ? String(written['type']) : `${String(written['type'])} ${place}`;
}

function describeAlert(rule: LogAlertRule): string {
  const { name, workers, pattern, minLevel, stream, count, within, exec, webhook } = rule;
  const which = [
    minLevel === null ? '' : ` of level ${minLevel} and above`,
    pattern === null ? '' : ` that match ${pattern}`,
    stream === null ? '' : ` on ${stream}`,
    workers.length === 0 ? '' : ` of ${workers.join(', ')}`,
  ].join('');
  const ways = [
    'event',
    exec === null ? null : exec[0],
    webhook === null ? null : `POST to ${new URL(webhook).host}`,
  ];
  return `alert ${name}: ${count} lines${which} within ${formatDuration(within)}: ${ways.filter(Boolean).join(', ')}`;
}
