import type { LimitName } from '@hsu-master/core';

/** The v1 controllers that matter here. */
export type Controller1 = 'memory' | 'cpu' | 'cpuacct' | 'cpuset' | 'pids' | 'blkio' | 'freezer';

/** The cgroup v2 tree as far as the master may use it. */
export interface Tree2 {
  /** Directory below which the master makes its groups; exists. */
  readonly base: string;
  /** Controllers that groups below `base` can have: `cpu memory io pids cpuset`, or none on a hybrid host. */
  readonly controllers: ReadonlySet<string>;
  /** Whether groups have cgroup.kill (Linux 5.14) and cgroup.freeze (5.2). */
  readonly canKill: boolean;
  readonly canFreeze: boolean;
}

/** What the system lets this master do to its workers, found out once at start. */
export interface Facilities {
  readonly tree2: Tree2 | null;
  /** Directories below which the master makes its groups, by controller; joined controllers share one. */
  readonly trees1: ReadonlyMap<Controller1, string>;
  /** Whether `memory.memsw.limit_in_bytes` (v1) or `memory.swap.max` (v2) exists. */
  readonly countsSwap: boolean;
  /** Why a controller is not there, by its name; `''` for all that are not named. */
  readonly missing: ReadonlyMap<string, string>;
  /** Where the groups come from, for the report: `systemd scope hsu-master-1f2e.scope`, `own cgroup /user.slice/…`. */
  readonly origin: string;
  readonly rights: Rights;
  /** Limits that hold for the master and so for all workers, of its unit or container: `memory.max 512 MiB of /system.slice/x.service`. */
  readonly above: readonly string[];
}

/** What the master’s process may do, whatever cgroups say. */
export interface Rights {
  readonly uid: number;
  /** CAP_SYS_RESOURCE: raise hard limits, lower oom_score_adj. */
  readonly resource: boolean;
  /** CAP_SYS_NICE: lower niceness, real-time classes. */
  readonly nice: boolean;
  /** CPUs that the master itself may use. */
  readonly cpus: readonly number[];
  /** The master’s own limits, soft and hard, by number in `<sys/resource.h>`. */
  readonly rlimits: ReadonlyMap<number, { readonly soft: number; readonly hard: number }>;
  readonly oomScoreAdj: number;
}

/** One file of a group and what it is set to. */
export interface GroupWrite {
  /** The controller that the file belongs to; v1: whose tree holds it. */
  readonly controller: string;
  readonly file: string;
  readonly value: string;
  /** What the file is set to when the limit is lifted while the tree lives. */
  readonly neutral: string;
  /** What it is written for: where the system refuses it, these are not enforced. */
  readonly limits: readonly LimitName[];
}

/** What limits come down to for one group, in the order of writing. */
export interface GroupPlan {
  readonly writes2: readonly GroupWrite[];
  readonly writes1: readonly GroupWrite[];
}
