import type { Milliseconds, MonotonicTime, TreeUsage, UsageDetail } from '@hsu-master/core';
import type { NativeTreeUsage } from '@hsu-master/native';

/** What a tree uses, from what the addon saw of its processes and of its group. */
export function usageOf(
  tree: NativeTreeUsage,
  at: MonotonicTime,
  cpuTime: Milliseconds,
  detail: UsageDetail,
  counted: Pick<TreeUsage, 'hits' | 'oomKills'>,
): TreeUsage {
  const { group } = tree;
  return {
    at,
    processes: tree.count,
    threads: tree.total('threads') ?? 0,
    rss: tree.total('rss') ?? 0,
    virtual: tree.total('virtual') ?? 0,
    pss: detail.pss ? tree.total('pss') : null,
    memory: group?.memory ?? null,
    memoryPeak: group?.memoryPeak ?? null,
    swap: group?.swap ?? null,
    cpuTime,
    readBytes: group?.readBytes ?? tree.total('readBytes'),
    writtenBytes: group?.writtenBytes ?? tree.total('writtenBytes'),
    readOps: group?.readOps ?? tree.total('readOps'),
    writeOps: group?.writeOps ?? tree.total('writeOps'),
    descriptors: detail.descriptors ? tree.total('descriptors') : null,
    connections: detail.connections ? tree.total('connections') : null,
    pressure: detail.pressure ? (group?.pressure ?? null) : null,
    ...counted,
  };
}
