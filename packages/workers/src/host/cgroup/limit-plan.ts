import type { Bytes, LimitName, LimitReport, QuotaSpec } from '@hsu-master/core';
import type { NativeProcessLimits } from '@hsu-master/native';
import type { DeviceLookup } from './devices.ts';
import type { Controller1, Facilities, GroupPlan } from './facilities.ts';
import type { Support } from './limit-support.ts';

/** What is set on the process itself, and through it on all that it starts. */
export interface ProcessPlan extends NativeProcessLimits {
  readonly noNewPrivs: boolean;
}

/** What the limits of one worker, or of one quota, come down to on this machine. */
export interface LimitPlan extends GroupPlan {
  /** Of a quota: nothing. */
  readonly process: ProcessPlan;
  /** v1 controllers whose groups the worker must not join: there it could not have what was asked for. */
  readonly avoids: readonly Controller1[];
  /** What only sampling holds: these must be compared. */
  readonly watched: readonly LimitName[];
  /** One for each limit that was given, in the order of `LIMITS`. */
  readonly reports: readonly LimitReport[];
}

/** What of the machine decides how far limits reach. Found once; see `readMachine`. */
export interface Machine {
  /** CPUs that are online. */
  readonly cpus: number;
  readonly totalMemory: Bytes;
  /** Bytes in a page. */
  readonly pageSize: number;
  /** Memory nodes of the group in which ours are made, as `cpuset.mems` has them; a v1 cpuset takes no process without any. */
  readonly memoryNodes: string;
  /** `fs.nr_open`: nobody’s hard limit on open files can be above it. */
  readonly maxOpenFiles: number;
  /** `kernel.core_pattern`. */
  readonly corePattern: string;
  /** The master’s own. */
  readonly niceness: number;
  /** `kernel.sched_autogroup_enabled`: sessions share the CPUs, and niceness counts only within one. */
  readonly groupsSessions: boolean;
  /** Control files that the groups here have; null: not known, all are taken to be there. */
  readonly files: ReadonlySet<string> | null;
  /** CPU in percent of one core that the groups around ours leave, of v1: there a child with more is refused. null: any. */
  readonly cpuCeiling: number | null;
  /** What holds a limit on a system other than Linux, where that is something else; see `MACOS_SUPPORT`. */
  readonly supports?: Readonly<Partial<Record<LimitName, Support>>>;
}

/** What the plan is made for, apart from its limits. */
export interface Setting {
  readonly facilities: Facilities;
  readonly machine: Machine;
  /** One for each of the limits’ io paths; see `findDevices`. */
  readonly devices: readonly DeviceLookup[];
  /** The worker runs as root, whom some limits of a process do not hold. */
  readonly isRoot: boolean;
  /** Budgets around the worker. */
  readonly quotas: readonly QuotaSpec[];
}
