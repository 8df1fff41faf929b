import {
  formatDuration,
  LIMIT_NAMES,
  LIMITS,
  type LimitFamily,
  type LimitName,
  type LimitResponse,
  type LimitsSpec,
  type QuotaSpec,
  type WorkerSpec,
} from '@hsu-master/core';
import { excessive } from './excess.ts';
import { onOneLine, plainLimit } from './plain.ts';
import { quoteWords } from './words.ts';

const FAMILIES = ['memory', 'cpu', 'io', 'process', 'network', 'storage'] as const satisfies LimitFamily[];

type Row = readonly [string, string];

/** What a worker may use, and what an excess leads to. */
export function describeLimits({ limits, quotas }: Pick<WorkerSpec, 'limits' | 'quotas'>): Row[] {
  const rows: Row[] = [];
  if (limits !== null) {
    for (const family of FAMILIES) {
      const values = describeValues(limits, family);
      if (values !== '') rows.push([family, `${values}${describeExcess(limits, family)}`]);
    }
    if (limits.required) rows.push(['required', 'every limit, or it is not started']);
    if (!limits.monitoring.enabled) rows.push(['monitoring', 'none: no excess is looked for']);
    const { alerts } = limits;
    if (alerts !== null) {
      const ways = [
        alerts.exec && `run ${onOneLine(quoteWords(alerts.exec))}`,
        alerts.webhook && `POST ${alerts.webhook}`,
      ];
      rows.push(['alerts', ways.filter(Boolean).join(', ')]);
    }
  }
  if (quotas.length > 0) rows.push(['shares', quotas.map(({ kind, id }) => `${kind} ${id}`).join(', ')]);
  return rows;
}

/** The budgets that workers share, each once. */
export function describeQuotas(workers: readonly WorkerSpec[]): string[] {
  const quotas = new Set<QuotaSpec>(workers.flatMap((worker) => worker.quotas));
  return [...quotas].map(({ kind, id, limits }) => {
    const families = FAMILIES.map((family) => [family, describeValues(limits, family)] as const);
    const said = families
      .filter(([, values]) => values !== '')
      .map(([family, values]) => `${family} ${values}`);
    return `${kind} ${id}: ${said.join('; ')}${limits.required ? '; required' : ''}`;
  });
}

function describeValues(limits: LimitsSpec, family: LimitFamily): string {
  return LIMIT_NAMES.flatMap((limit) => {
    const value = limits.values[limit];
    if (value === undefined || LIMITS[limit].family !== family) return [];
    return [`${limit.slice(family.length + 1)} ${describeValue(limit, value, limits)}`];
  }).join(', ');
}

function describeValue(limit: LimitName, value: number, { affinity, scheduler }: LimitsSpec): string {
  if (limit === 'cpu.affinity' && affinity !== null) return ranges(affinity);
  if (limit === 'cpu.scheduler' && scheduler !== null)
    return scheduler.priority === 0 ? scheduler.policy : `${scheduler.policy} ${scheduler.priority}`;
  return plainLimit(limit, value);
}

/** `0-3,5` */
function ranges(cpus: readonly number[]): string {
  const parts: [number, number][] = [];
  for (const cpu of cpus) {
    const last = parts.at(-1);
    if (last !== undefined && last[1] === cpu - 1) last[1] = cpu;
    else parts.push([cpu, cpu]);
  }
  return parts.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(',');
}

function describeExcess({ values, monitoring, responses }: LimitsSpec, family: LimitFamily): string {
  const said = monitoring.enabled && excessive(values).has(family) ? describeResponse(responses[family]) : '';
  return said === '' ? '' : `; ${said}`;
}

function describeResponse({ warning, sustained, steps, adjust }: LimitResponse): string {
  const said = steps.map(({ policy, after }, index) => {
    const name = policy === 'restart_adjusted' ? `${policy} (×${adjust.factor} to ×${adjust.cap})` : policy;
    const wait = index === 0 ? sustained + after : after;
    if (wait === 0) return name;
    return index === 0 ? `${name} after ${formatDuration(wait)}` : `${name} ${formatDuration(wait)} later`;
  });
  const warn = warning === null ? [] : [`warning at ${Math.round(warning * 1000) / 10} %`];
  const excess = said.length === 0 ? [] : [`excess: ${said.join(', ')}`];
  return [...warn, ...excess].join('; ');
}
