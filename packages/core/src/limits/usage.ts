import type { Bytes, Milliseconds, MonotonicTime } from '../units.ts';

/** Share of the last ten seconds, in percent, in which some or all tasks waited. Source: the kernel’s pressure stall information. */
export interface Pressure {
  readonly some: number;
  readonly full: number;
}

/** What a whole tree uses, seen at one moment. `null`: the host cannot tell, or was not asked. */
export interface TreeUsage {
  readonly at: MonotonicTime;
  readonly processes: number;
  readonly threads: number;
  /** Sum over the processes; what they share counts for each. */
  readonly rss: Bytes;
  readonly virtual: Bytes;
  /** Sum of proportional sizes: what n processes share counts 1/n for each. Only when asked for. */
  readonly pss: Bytes | null;
  /** As the containment counts it, page cache included. */
  readonly memory: Bytes | null;
  /** The most that it was. Only when asked for. */
  readonly memoryPeak: Bytes | null;
  readonly swap: Bytes | null;
  /** CPU time since the run began, of all that lived in it as far as the host can tell. */
  readonly cpuTime: Milliseconds;
  readonly readBytes: Bytes | null;
  readonly writtenBytes: Bytes | null;
  readonly readOps: number | null;
  readonly writeOps: number | null;
  readonly descriptors: number | null;
  /** TCP sockets that are connected or about to be. Only when asked for. */
  readonly connections: number | null;
  readonly pressure: {
    readonly cpu: Pressure | null;
    readonly memory: Pressure | null;
    readonly io: Pressure | null;
  } | null;
  /** Times since the run began that the kernel held the tree back at a limit: memory reclaimed, fork refused, CPU throttled. */
  readonly hits: { readonly memory: number; readonly processes: number; readonly cpu: number } | null;
  /** Processes of the tree that the kernel killed for want of memory, at its own limit. */
  readonly oomKills: number | null;
}

/** What costs more than the ordinary sample. */
export interface UsageDetail {
  readonly pss: boolean;
  readonly connections: boolean;
  readonly pressure: boolean;
  readonly descriptors: boolean;
  readonly peak: boolean;
}
