import type {
  Exit,
  ExitUsage,
  HostBudget,
  LimitReport,
  LimitsSpec,
  Milliseconds,
  ProcessIdentity,
} from '@hsu-master/core';

/** What holds the tree of one run besides signals: a group of the system, limits, or neither. */
export interface Hold {
  /** Who is in its group. */
  pids(): readonly number[];
  isPopulated(): boolean;
  /** true: the system ends all of its group at once. */
  kill(): boolean;
  /** Stops or resumes all of its group; false: it cannot. */
  freeze(frozen: boolean): boolean;
  /** Holds its group to this many percent of one core; null ends that. false: it cannot. */
  throttle(percentOfCore: number | null): boolean;
  reports(): readonly LimitReport[];
  /** Replaces the limits, with these processes alive. */
  change(limits: LimitsSpec, members: readonly ProcessIdentity[]): readonly LimitReport[];
  /** CPU time that the tree has used so far, as far as it can be told; null: not at all. */
  cpuTime(members: readonly ProcessIdentity[]): Milliseconds | null;
  /** Who killed for want of memory, if SIGKILL came from nobody we know. */
  oomKilled(): NonNullable<Exit['oomKilled']> | null;
  /** Whether it was SIGKILL at its limit of CPU time, if that came from nobody we know. */
  ranOutOfCpuTime(usage: ExitUsage): boolean;
  /** Whose limit it was, if the system has lately refused it a process or thread. */
  forksRefused(): Exit['forksRefused'] | null;
  /** What it shares with others, the outermost first. */
  readonly budgets: readonly HostBudget[];
  /** The tree is empty. */
  release(): void;
}
