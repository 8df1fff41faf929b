import { formatIssue, type LoadedConfig, readConfigFile } from '@hsu-master/config';
import {
  type Capability,
  formatLimit,
  type Host,
  type LimitName,
  type LimitReport,
  type LimitsSpec,
  type QuotaSpec,
} from '@hsu-master/core';
import { columnsWithin } from './columns.ts';
import { containmentMode, refuseContainment } from './containment.ts';
import { checkWorkingDirectory, load, placesOf } from './create-master.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { directoriesOf, type Flags } from './flags.ts';
import { inspectHost } from './inspect.ts';
import { print } from './print.ts';
import { refused } from './refused.ts';
import { wantsColour } from './terminal-colour.ts';

/** What of a host holds trees. */
const CONTAINMENT = ['cgroup2', 'cgroup1', 'kill-tree', 'freeze-tree'];

/** One limit of a worker or quota, and what this machine makes of it. */
interface Explained extends LimitReport {
  readonly value: string;
}

/** What a limit is given to: `worker web`, `group backend`. */
interface Explanation {
  readonly kind: 'worker' | QuotaSpec['kind'];
  readonly id: string;
  readonly required: boolean;
  /** The budgets that a worker shares with others, the outermost first; empty for a budget. */
  readonly within: readonly Pick<QuotaSpec, 'kind' | 'id'>[];
  readonly limits: readonly Explained[];
}

/** `hsu-master limits explain FILE`: what becomes of each limit on this machine, without starting anything. */
export async function explainLimits(file: string, flags: Flags): Promise<number> {
  const containment = containmentMode(flags.containment);
  if (containment === null) return refuseContainment(flags.containment);
  try {
    checkWorkingDirectory();
  } catch (error) {
    return refused(error);
  }
  const read = readConfigFile(file);
  if (!read.ok) {
    process.stderr.write(`hsu-master: ${read.failure.message}\n`);
    return EXIT_CODES.usage.code;
  }
  const places = placesOf(file, process.env, directoriesOf(flags));
  const result = load({ file, text: read.text }, process.env, places);
  if (!result.ok) {
    const colour = wantsColour(process.stderr, process.env);
    for (const issue of result.issues) process.stderr.write(`${formatIssue(issue, { colour })}\n`);
    return EXIT_CODES.usage.code;
  }
  const inspected = inspectHost(process.env, containment);
  try {
    const explanations = explain(result.config, inspected.host);
    const containmentOfHost = containmentRows(inspected.host);
    await print(flags.output, { containment: containmentOfHost, limits: explanations }, () =>
      describe(explanations, containmentOfHost, process.stdout.columns ?? Number.POSITIVE_INFINITY),
    );
    return explanations.some(isRefused) ? EXIT_CODES.failed.code : EXIT_CODES.ok.code;
  } finally {
    inspected.close();
  }
}

function explain({ workers }: LoadedConfig, host: Host): readonly Explanation[] {
  const budgets = new Map<string, Explanation>();
  for (const { quotas } of workers) {
    for (const { kind, id, limits } of quotas) {
      const reports = host.explainLimits(limits, 'quota', quotas).map((report) => withValue(report, limits));
      budgets.set(`${kind} ${id}`, { kind, id, required: limits.required, within: [], limits: reports });
    }
  }
  const own = workers.map(({ id, limits, quotas }): Explanation => {
    const within = quotas.map((quota) => ({ kind: quota.kind, id: quota.id }));
    if (limits === null) return { kind: 'worker', id, required: false, within, limits: [] };
    const reports = host.explainLimits(limits, 'worker', quotas).map((report) => withValue(report, limits));
    return { kind: 'worker', id, required: limits.required, within, limits: reports };
  });
  return [...budgets.values(), ...own].filter(({ within, limits }) => within.length + limits.length > 0);
}

function withValue(report: LimitReport, limits: LimitsSpec): Explained {
  return { ...report, value: valueOf(report.limit, limits) };
}

/** As a person would write it. */
function valueOf(limit: LimitName, { values, affinity, scheduler }: LimitsSpec): string {
  if (limit === 'cpu.affinity' && affinity !== null) return affinity.join(',');
  if (limit === 'cpu.scheduler' && scheduler !== null) {
    return scheduler.priority === 0 ? scheduler.policy : `${scheduler.policy} ${scheduler.priority}`;
  }
  const value = values[limit];
  return value === undefined ? '' : formatLimit(limit, value);
}

/** Whether `run` would refuse to start it: `limits.required`, and one is not enforced. */
function isRefused({ required, limits }: Explanation): boolean {
  return required && limits.some(({ status }) => status !== 'enforced');
}

export function containmentRows(host: Host): readonly Capability[] {
  return host.capabilities().filter(({ feature }) => CONTAINMENT.includes(feature));
}

function describe(explanations: readonly Explanation[], held: readonly Capability[], width: number): string {
  const containment = columnsWithin(
    held.map(({ feature, status, reason }) => [feature, status, reason]),
    width,
  );
  if (explanations.length === 0)
    return [containment, 'no worker has limits'].filter((text) => text !== '').join('\n\n');
  const parts = explanations.map((explanation) => {
    const rows = explanation.limits.map(({ limit, value, status, mechanism, reason }) => [
      limit,
      value,
      status,
      [mechanism, reason].filter((text) => text !== '').join('; '),
    ]);
    const refusal = isRefused(explanation) ? '\n  limits.required: it would not be started here' : '';
    const around = explanation.within.map(({ kind, id }) => `${kind} ${id}`).join(', ');
    const head = [`${explanation.kind} ${explanation.id}`, ...(around === '' ? [] : [`  within ${around}`])];
    return [...head, ...(rows.length === 0 ? [] : [columnsWithin(rows, width, '  ')])].join('\n') + refusal;
  });
  return [containment, ...parts].filter((text) => text !== '').join('\n\n');
}
