import type { MonotonicTime, ProcessIdentity, TreeUsage, UsageDetail } from '@hsu-master/core';
import type { WindowsEngine, WindowsProcess } from '@hsu-master/native';
import type { JobHold } from './job-hold.ts';
import type { WindowsSystem } from './system.ts';

interface Sampled {
  readonly hold: JobHold;
  readonly members: readonly ProcessIdentity[];
  readonly at: MonotonicTime;
  readonly detail: UsageDetail;
  /** By pid; null where nobody asked. */
  readonly connections: ReadonlyMap<number, number> | null;
  readonly system: WindowsSystem;
  readonly engine: WindowsEngine;
}

/** What a tree uses: what its job counts, and the sum of the table’s rows of its members. */
export function usageOfJob({ hold, members, at, detail, connections, system, engine }: Sampled): TreeUsage {
  const table = system.table();
  const rows = members.flatMap(({ pid, startedAt }) => {
    const row = table.get(pid);
    return row?.startTime === startedAt ? [row] : [];
  });
  const sum = (of: (row: WindowsProcess) => number): number => rows.reduce((all, row) => all + of(row), 0);
  const job = engine.jobUsage(hold.job);
  return {
    at,
    processes: rows.length,
    threads: sum((row) => row.threads),
    rss: sum((row) => row.rss),
    virtual: sum((row) => row.virtual),
    pss: null,
    memory: job.memory,
    memoryPeak: detail.peak ? job.peakMemory : null,
    swap: null,
    cpuTime: hold.cpuTime(members) ?? 0,
    readBytes: job.readBytes ?? sum((row) => row.readBytes),
    writtenBytes: job.writtenBytes ?? sum((row) => row.writtenBytes),
    readOps: job.readOps ?? sum((row) => row.readOps),
    writeOps: job.writeOps ?? sum((row) => row.writeOps),
    descriptors: detail.descriptors ? sum((row) => row.handles) : null,
    connections: connections === null ? null : sum((row) => connections.get(row.pid) ?? 0),
    pressure: null,
    hits: hold.hits,
    oomKills: null,
  };
}
