import type { LimitName, LimitValues } from '@hsu-master/core';
import type { Config, ManagedUnit, Quotas } from './config.ts';
import type { Findings } from './findings.ts';
import type { Path } from './issue.ts';
import { plainLimit } from './plain.ts';
import type { Identity } from './rules.ts';
import { suggest } from './schema/suggest.ts';

/** Checks that the groups that workers name are there, on what was written. */
export function checkMembers(identities: readonly Identity[], quotas: Quotas, findings: Findings): void {
  for (const identity of identities) {
    const { namespace, group, account } = identity;
    if (group !== undefined && !quotas.groups.has(group)) {
      const near = findings.full ? null : suggest(group, quotas.groups.keys());
      findings.errorAt([...identity.at, 'worker_group'], {
        message: `the group "${group}" is not defined`,
        hint: near === null ? `define it: groups: {${group}: {limits: …}}` : `did you mean "${near}"?`,
      });
    }
    if (group === undefined && account !== undefined && quotas.groups.has(account)) {
      findings.errorAt([...identity.at, 'group'], {
        message: `"${account}" is a group of workers, but group is the group of the user that the program runs as`,
        hint: `write worker_group: ${account}`,
      });
    }
    if (namespace !== undefined && !quotas.namespaces.has(namespace))
      checkNamespace(namespace, [...identity.at, 'namespace'], quotas, findings);
  }
}

/** A namespace needs no definition, but one that nearly has one is most likely misspelt. */
function checkNamespace(namespace: string, at: Path, { namespaces }: Quotas, findings: Findings): void {
  const near = findings.full ? null : suggest(namespace, namespaces.keys());
  if (near === null) return;
  findings.errorAt(at, {
    message: `the namespace "${namespace}" is not defined, but "${near}" is`,
    hint: `did you mean "${near}"? If not, define it too: namespaces: {${namespace}: {}}`,
  });
}

/** Budgets that will surprise. */
export function checkBudgets(config: Config, findings: Findings): void {
  const { namespaces, groups } = config.quotas;
  if (namespaces.size === 0 && groups.size === 0) return;
  const places = new Map<string, string>();
  for (const unit of config.units) {
    const namespace = unit.namespace === null ? null : (namespaces.get(unit.namespace) ?? null);
    const group = unit.group === null ? null : (groups.get(unit.group) ?? null);
    if (unit.group !== null && group !== null) {
      const within = namespace === null ? '' : (unit.namespace as string);
      const first = places.get(unit.group) ?? within;
      places.set(unit.group, first);
      if (first !== within) warnOfTwoBudgets(unit, findings);
    }
    if (unit.limits === null) continue;
    if (group !== null) compare(unit, unit.limits.values, group.values, `group "${unit.group}"`, findings);
    if (namespace !== null)
      compare(unit, unit.limits.values, namespace.values, `namespace "${unit.namespace}"`, findings);
  }
}

function warnOfTwoBudgets(unit: ManagedUnit, findings: Findings): void {
  findings.noticeAt(`budget of group ${unit.group}`, [...unit.at, 'worker_group'], () => ({
    message: `the group "${unit.group}" has workers in several namespaces with limits; in each it has its limits anew`,
    hint: 'name one group per namespace',
  }));
}

const COMPARED = [
  'memory.max_rss',
  'memory.high',
  'memory.max_swap',
  'io.max_read_bps',
  'io.max_write_bps',
  'io.max_read_ops',
  'io.max_write_ops',
  'process.max_processes',
] as const satisfies LimitName[];

function compare(
  unit: ManagedUnit,
  own: LimitValues,
  shared: LimitValues,
  name: string,
  findings: Findings,
): void {
  const warn = (limit: LimitName, value: number, bound: string) =>
    findings.noticeAt(`${limit} above ${name}`, [...limitsPath(unit), ...limit.split('.')], () => ({
      message: `${plainLimit(limit, value)}${limit === 'cpu.max_cores' ? ' cores' : ''} is more than all workers of the ${name} have together: ${bound}`,
    }));
  for (const limit of COMPARED) {
    const [value, bound] = [own[limit], shared[limit]];
    if (value !== undefined && bound !== undefined && value > bound)
      warn(limit, value, plainLimit(limit, bound));
  }
  const [value, bound] = [cpuPercent(own), cpuPercent(shared)];
  if (value === null || bound === null || value <= bound) return;
  const key = own['cpu.max_percent'] === value ? 'cpu.max_percent' : 'cpu.max_cores';
  warn(key, own[key] ?? value, plainLimit('cpu.max_percent', bound));
}

/** CPU in percent of one core, however it is said; null: not limited. */
function cpuPercent(values: LimitValues): number | null {
  const said = [values['cpu.max_percent'], (values['cpu.max_cores'] ?? Number.NaN) * 100];
  const numbers = said.filter((value): value is number => value !== undefined && !Number.isNaN(value));
  return numbers.length === 0 ? null : Math.min(...numbers);
}

/** Where the limits of a unit were written. */
function limitsPath(unit: ManagedUnit): Path {
  return unit.form === 'short'
    ? [...unit.at, 'limits']
    : [...unit.at, 'unit', 'managed', 'control', 'limits'];
}
