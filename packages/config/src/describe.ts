import {
  type Check,
  formatDuration,
  formatSize,
  type GrpcCheck,
  maskText,
  maskWords,
  type Probe,
  type RestartPolicy,
  type RestartRule,
  startOrder,
  type WorkerSpec,
} from '@hsu-master/core';
import { describeLimits, describeQuotas } from './describe-limits.ts';
import { describeForwarding, describeLogs } from './describe-logs.ts';
import { describePipeline } from './describe-pipeline.ts';
import { describeUnmanaged } from './describe-unmanaged.ts';
import type { LoadedConfig } from './load.ts';
import { onOneLine } from './plain.ts';
import { quoteWords } from './words.ts';

/** Says in words what a configuration means: what is run, how it is kept running, and in which order. Several lines. */
export function describeConfig(config: LoadedConfig): string {
  const { workers, master } = config;
  const enabled = workers.filter((worker) => worker.enabled);
  const counts = [`${enabled.length} ${enabled.length === 1 ? 'worker' : 'workers'}`];
  if (enabled.length < workers.length) counts.push(`${workers.length - enabled.length} not enabled`);
  const lines = [`${config.file}: valid, ${counts.join(', ')}`];
  const order = startOrder(workers);
  const byId = new Map(workers.map((worker) => [worker.id, worker]));
  for (const id of order) lines.push('', ...describeWorker(byId.get(id) as WorkerSpec, config));
  const quotas = describeQuotas(workers);
  if (quotas.length > 0) lines.push('', ...quotas);
  const logs = describeLogs(config.logs);
  if (logs.length > 0) lines.push('', ...logs);
  if (workers.some((worker) => worker.dependsOn.length > 0))
    lines.push('', `start order: ${order.join(', ')}`);
  lines.push('', `stopping everything takes at most ${formatDuration(master.forceShutdownTimeout)}`);
  if (master.onExit === 'leave') lines.push('when the master ends in order, the workers run on');
  return lines.join('\n');
}

function describeWorker(worker: WorkerSpec, { logs }: LoadedConfig): string[] {
  const { command, dependsOn, probes, log, mainProcess } = worker;
  const { unmanaged } = worker;
  const rows: (readonly [string, string])[] =
    unmanaged === null
      ? [
          ['command', onOneLine(quoteWords(maskWords(command.argv)))],
          ['directory', command.cwd],
        ]
      : describeUnmanaged(unmanaged, worker);
  const variables = Object.keys(command.env);
  if (variables.length > 0) rows.push(['environment', variables.join(', ')]);
  if (command.user !== null || command.group !== null)
    rows.push(['runs as', [command.user, command.group].filter(Boolean).join(':')]);
  if (command.groups !== null) rows.push(['groups', command.groups.join(', ') || 'none']);
  if (command.umask !== null) rows.push(['umask', command.umask.toString(8).padStart(3, '0')]);
  if (unmanaged === null) rows.push(['restart', describeRestart(worker.restart)]);
  if (dependsOn.length > 0) {
    const named = dependsOn.map(
      ({ id, condition, restart }) => `${id} (${condition}${restart ? ', restarts with it' : ''})`,
    );
    rows.push(['depends on', named.join(', ')]);
  }
  for (const name of ['startup', 'liveness', 'readiness'] as const) {
    const probe = probes[name];
    if (probe !== null) rows.push([name, describeProbe(probe)]);
  }
  if (mainProcess !== null)
    rows.push(['main process', `from ${mainProcess.pidFile} within ${formatDuration(mainProcess.timeout)}`]);
  if (unmanaged === null)
    rows.push(['stop', `${worker.stop.signal}, after ${formatDuration(worker.stop.grace)} SIGKILL`]);
  if (unmanaged === null || unmanaged.logFiles.length > 0) rows.push(['output', describeLog(log)]);
  const forwarding = describeForwarding(logs, worker.id);
  if (forwarding !== '') rows.push(['forwarded to', forwarding]);
  if (log.pipeline !== null) rows.push(['lines', describePipeline(log.pipeline)]);
  rows.push(...describeLimits(worker));
  const title = [worker.id];
  if (worker.name !== worker.id) title.push(`– ${worker.name}`);
  if (!worker.enabled) title.push('(not enabled)');
  return [title.join(' '), ...rows.map(([key, value]) => `  ${key.padEnd(12)} ${value}`)];
}

const MODES = {
  never: 'never',
  'on-failure': 'after a failure',
  always: 'after every exit',
  'unless-stopped': 'after every exit',
} as const;

function describeRestart(policy: RestartPolicy): string {
  if (policy.mode === 'never') return MODES.never;
  const text = [`${MODES[policy.mode]}: ${describeRule(policy.exit)}`];
  if (JSON.stringify(policy.health) !== JSON.stringify(policy.exit))
    text.push(`for probes: ${describeRule(policy.health)}`);
  const { successCodes } = policy;
  if (successCodes.length !== 1 || successCodes[0] !== 0)
    text.push(`success is exit ${successCodes.join(', ')}`);
  return text.join('; ');
}

function describeRule(rule: RestartRule): string {
  const growth = rule.factor === 1 ? '' : ` growing ×${rule.factor} to ${formatDuration(rule.maxDelay)}`;
  const delay = rule.delay === 0 ? 'at once' : `after ${formatDuration(rule.delay)}${growth}`;
  if (rule.maxRetries === 0) return `${delay}, without bound`;
  const then = rule.giveUp ? 'then for good no more' : `then a pause of ${formatDuration(rule.coolDown)}`;
  return `${delay}, ${rule.maxRetries} times within ${formatDuration(rule.window)}, ${then}`;
}

function describeProbe(probe: Probe): string {
  const { interval, timeout, failureThreshold, successThreshold, initialDelay } = probe;
  const delay = initialDelay === 0 ? '' : ` after ${formatDuration(initialDelay)}`;
  const bounds = `${failureThreshold} failed in a row = bad${successThreshold === 1 ? '' : `, ${successThreshold} passed = good`}`;
  return `${describeCheck(probe.check)} every ${formatDuration(interval)}${delay}, within ${formatDuration(timeout)}, ${bounds}`;
}

function describeCheck(check: Check): string {
  switch (check.type) {
    case 'process':
      return 'process lives';
    case 'http':
      return `${check.method} ${maskText(check.url)}`;
    case 'tcp':
      return `TCP ${check.host.includes(':') ? `[${check.host}]` : check.host}:${check.port}`;
    case 'grpc':
      return `gRPC ${describeCall(check)}`;
    case 'exec':
      return `run ${onOneLine(quoteWords(maskWords(check.argv)))}`;
  }
}

function describeCall({ host, port, call }: GrpcCheck): string {
  const place = port === null ? 'its port' : `${host.includes(':') ? `[${host}]` : host}:${port}`;
  switch (call.kind) {
    case 'ping':
      return `Ping of ${place}`;
    case 'serving':
      return `health of ${place}`;
    case 'health':
      return `health of ${call.service === '' ? '' : `${call.service} at `}${place}`;
    case 'method':
      return `${call.service}/${call.method} of ${place}`;
  }
}

/** How a worker’s own files are written and kept, but for what is usual. */
function describeFiles({ maxFiles, maxSize, files }: WorkerSpec['log']): string {
  const { maxAge, rotateEvery, compression, channel, overflow, forms } = files;
  const formats = [...new Set([forms.stdout.format, forms.stderr.format])].filter(
    (format) => format !== 'plain',
  );
  const parts = [
    maxSize === 0 ? 'never rotated by size' : `${maxFiles} old files of ${formatSize(maxSize)}`,
    rotateEvery === 0 ? '' : `a new one each ${rotateEvery === 3600 ? 'hour' : 'day'}`,
    maxAge === null ? '' : `for ${formatDuration(maxAge)}`,
    compression === 'none' ? '' : compression,
    formats.join(' and '),
    overflow === 'block' ? '' : overflow,
    channel === 'file' ? 'written by the program itself' : '',
  ];
  return parts.filter((part) => part !== '').join(', ');
}

function describeLog(log: WorkerSpec['log']): string {
  const files = [
    ...new Set([
      ...(log.captureStdout ? [log.stdoutFile] : []),
      ...(log.captureStderr ? [log.stderrFile] : []),
    ]),
  ];
  if (files.length === 0) return 'thrown away';
  return `${files.join(', ')} (${describeFiles(log)})`;
}
