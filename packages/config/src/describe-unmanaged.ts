import {
  type DiscoveryCheck,
  describeStrategy,
  formatDuration,
  maskText,
  type UnmanagedSpec,
  type WorkerSpec,
} from '@hsu-master/core';
import { onOneLine } from './plain.ts';
import { quoteWords } from './words.ts';

type Row = readonly [string, string];

/** How the process of a unit is found that others start, and what may be done to it. */
export function describeUnmanaged(
  { discovery, control, logFiles }: UnmanagedSpec,
  worker: WorkerSpec,
): Row[] {
  const { strategy, exclude, choose, validation, interval } = discovery;
  const rows: Row[] = [['process', `started by others: ${onOneLine(describeStrategy(strategy))}`]];
  if (exclude.length > 0) rows.push(['not', onOneLine(exclude.map(describeStrategy).join(' or '))]);
  if (choose !== 'only') rows.push(['of several', `the ${choose}`]);
  if (validation.length > 0) rows.push(['only if', validation.map(describeCheck).join(' and ')]);
  rows.push(['looked for', `every ${formatDuration(interval)} while it is not there`]);
  rows.push(['may be ended', control.terminate ? how('stop', control, worker) : 'no']);
  rows.push(['may restart', control.restart ? how('restart', control, worker) : 'no']);
  const signals = control.signals.join(', ');
  rows.push(['signals', signals === '' ? 'none' : signals]);
  if (logFiles.length > 0) rows.push(['log files', logFiles.join(', ')]);
  return rows;
}

function how(action: 'stop' | 'restart', control: UnmanagedSpec['control'], { stop }: WorkerSpec): string {
  const { commands, service, signals } = control;
  const command = commands[action];
  const within = `within ${formatDuration(stop.grace)}`;
  if (command !== null) return `by ${onOneLine(quoteWords(command))}, ${within}`;
  if (service !== null) return `by ${service.manager}, service ${service.name}, ${within}`;
  if (action === 'restart' || !signals.includes(stop.signal)) return 'nothing says how';
  const then = signals.includes('SIGKILL') ? `, after ${formatDuration(stop.grace)} SIGKILL` : `, ${within}`;
  return `by ${stop.signal}${then}`;
}

function describeCheck(check: DiscoveryCheck): string {
  switch (check.type) {
    case 'port-check':
      return `it has ${check.protocol} port ${check.port}`;
    case 'file-exists':
      return `${check.path} exists`;
    case 'http-health':
      return `${maskText(check.url)} answers 2xx`;
    case 'executable':
      return `it is ${check.path}`;
  }
}
