import { posix } from 'node:path';
import { formatSize } from '@hsu-master/core';
import { readText } from './files.ts';
import type { Hierarchies, Hierarchy } from './hierarchies.ts';

/** From here on v1 means that there is no limit: the largest number of pages. */
const UNLIMITED = 2 ** 62;

/** Limits of the cgroups around the master, from its own one up: those of its unit or container, as far as it can see. */
export function limitsAbove({ unified, controllers }: Hierarchies, site2: string | null): readonly string[] {
  const found: string[] = [];
  if (unified !== null && site2 !== null) {
    for (const directory of upwards(site2, unified.mount)) {
      const of = ` of ${nameOf(directory, unified)}`;
      const memory = limitOf(directory, 'memory.max');
      const pids = limitOf(directory, 'pids.max');
      const [quota, period] = (readText(posix.join(directory, 'cpu.max')) ?? 'max 0').split(' ').map(Number);
      if (memory !== null) found.push(`memory.max ${formatSize(memory)}${of}`);
      if (quota !== undefined && Number.isFinite(quota) && period)
        found.push(cpu('cpu.max', quota, period) + of);
      if (pids !== null) found.push(`pids.max ${pids}${of}`);
    }
  }
  for (const [name, hierarchy] of controllers) found.push(...limitsAbove1(name, hierarchy));
  return found;
}

function limitsAbove1(controller: string, hierarchy: Hierarchy): readonly string[] {
  if (hierarchy.own === null) return [];
  return upwards(hierarchy.own, hierarchy.mount).flatMap((directory) => {
    const of = ` of ${nameOf(directory, hierarchy)}`;
    switch (controller) {
      case 'memory': {
        const limit = limitOf(directory, 'memory.limit_in_bytes');
        return limit === null ? [] : [`memory.limit_in_bytes ${formatSize(limit)}${of}`];
      }
      case 'pids': {
        const limit = limitOf(directory, 'pids.max');
        return limit === null ? [] : [`pids.max ${limit}${of}`];
      }
      case 'cpu': {
        const quota = limitOf(directory, 'cpu.cfs_quota_us');
        const period = limitOf(directory, 'cpu.cfs_period_us');
        return quota === null || period === null ? [] : [cpu('cpu.cfs_quota_us', quota, period) + of];
      }
      default:
        return [];
    }
  });
}

function cpu(file: string, quota: number, period: number): string {
  return `${file} ${Math.round((quota / period) * 100)} % of a core`;
}

/** Null where there is none: `max`, −1, or the largest number there is. */
function limitOf(directory: string, file: string): number | null {
  const text = readText(posix.join(directory, file));
  const value = text === null || text === '' ? Number.NaN : Number(text);
  return value >= 0 && value < UNLIMITED ? value : null;
}

function nameOf(directory: string, { mount }: Hierarchy): string {
  return directory === mount ? '/' : directory.slice(mount.length);
}

function upwards(from: string, top: string): readonly string[] {
  const found: string[] = [];
  for (let at = from; at.length >= top.length && at.startsWith(top); at = posix.dirname(at)) {
    found.push(at);
    if (at === top || at === '/') break;
  }
  return found;
}
