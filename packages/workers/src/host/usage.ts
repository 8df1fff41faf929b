import type { Milliseconds, MonotonicTime, TreeUsage, UsageDetail } from '@hsu-master/core';
import type { NativeProcessUsage, NativeTreeUsage } from '@hsu-master/native';

/** What a tree uses, from what the addon saw of its processes and of its group. */
export function usageOf(
  { processes, group }: NativeTreeUsage,
  at: MonotonicTime,
  cpuTime: Milliseconds,
  detail: UsageDetail,
): TreeUsage {
  const sum = (key: 'rss' | 'virtual' | 'threads'): number =>
    processes.reduce((total, one) => total + one[key], 0);
  const told = (key: Optional): number | null => {
    const known = processes.flatMap((one) => one[key] ?? []);
    return known.length === 0 ? null : known.reduce((total, value) => total + value, 0);
  };
  const hits =
    group !== null && (group.memoryHits !== null || group.processHits !== null || group.cpuThrottled !== null)
      ? {
          memory: group.memoryHits ?? 0,
          processes: group.processHits ?? 0,
          cpu: group.cpuThrottled ?? 0,
        }
      : null;
  return {
    at,
    processes: processes.length,
    threads: sum('threads'),
    rss: sum('rss'),
    virtual: sum('virtual'),
    pss: detail.pss ? told('pss') : null,
    memory: group?.memory ?? null,
    memoryPeak: group?.memoryPeak ?? null,
    swap: group?.swap ?? null,
    cpuTime,
    readBytes: group?.readBytes ?? told('readBytes'),
    writtenBytes: group?.writtenBytes ?? told('writtenBytes'),
    readOps: group?.readOps ?? told('readOps'),
    writeOps: group?.writeOps ?? told('writeOps'),
    descriptors: detail.descriptors ? told('descriptors') : null,
    connections: detail.connections ? told('connections') : null,
    pressure: detail.pressure ? (group?.pressure ?? null) : null,
    hits,
    oomKills: group?.oomKills ?? null,
  };
}

type Optional = Extract<
  keyof NativeProcessUsage,
  'pss' | 'readBytes' | 'writtenBytes' | 'readOps' | 'writeOps' | 'descriptors' | 'connections'
>;
