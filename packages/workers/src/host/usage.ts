import type { Milliseconds, MonotonicTime, TreeUsage, UsageDetail } from '@hsu-master/core';
import type { NativeProcessUsage, NativeTreeUsage } from '@hsu-master/native';

/** What a tree uses, from what the addon saw of its processes and of its group. */
export function usageOf(
  { processes, group }: NativeTreeUsage,
  at: MonotonicTime,
  cpuTime: Milliseconds,
  detail: UsageDetail,
): TreeUsage {
  return {
    at,
    processes: processes.length,
    threads: sum(processes, 'threads') ?? 0,
    rss: sum(processes, 'rss') ?? 0,
    virtual: sum(processes, 'virtual') ?? 0,
    pss: detail.pss ? sum(processes, 'pss') : null,
    memory: group?.memory ?? null,
    memoryPeak: group?.memoryPeak ?? null,
    swap: group?.swap ?? null,
    cpuTime,
    readBytes: group?.readBytes ?? sum(processes, 'readBytes'),
    writtenBytes: group?.writtenBytes ?? sum(processes, 'writtenBytes'),
    readOps: group?.readOps ?? sum(processes, 'readOps'),
    writeOps: group?.writeOps ?? sum(processes, 'writeOps'),
    descriptors: detail.descriptors ? sum(processes, 'descriptors') : null,
    connections: detail.connections ? sum(processes, 'connections') : null,
    pressure: detail.pressure ? (group?.pressure ?? null) : null,
    hits: hitsOf(group),
    oomKills: group?.oomKills ?? null,
  };
}

/** Of those of whom it is known; null: of none. */
function sum(processes: readonly NativeProcessUsage[], key: Count): number | null {
  let total: number | null = null;
  for (const one of processes) {
    const value = one[key];
    if (value !== null) total = (total ?? 0) + value;
  }
  return total;
}

function hitsOf(group: NativeTreeUsage['group']): TreeUsage['hits'] {
  if (group === null) return null;
  const { memoryHits, processHits, cpuThrottled } = group;
  if (memoryHits === null && processHits === null && cpuThrottled === null) return null;
  return { memory: memoryHits ?? 0, processes: processHits ?? 0, cpu: cpuThrottled ?? 0 };
}

type Count = Exclude<keyof NativeProcessUsage, 'pid' | 'startTime' | 'cpuMs' | 'childrenCpuMs'>;
