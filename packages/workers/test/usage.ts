import type { TreeUsage } from '@hsu-master/core';

/** What a tree of one process uses that does nothing, but for what `differs`. */
export function treeUsage(differs: Partial<TreeUsage> = {}): TreeUsage {
  return {
    at: 0,
    processes: 1,
    threads: 1,
    rss: 0,
    virtual: 0,
    pss: null,
    memory: null,
    memoryPeak: null,
    swap: null,
    cpuTime: 0,
    readBytes: null,
    writtenBytes: null,
    readOps: null,
    writeOps: null,
    descriptors: null,
    connections: null,
    pressure: null,
    hits: null,
    oomKills: null,
    ...differs,
  };
}
