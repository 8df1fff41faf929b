import type { Milliseconds } from '../units.ts';
import { isWatchedByNature, type LimitFamily, type LimitName } from './names.ts';

/** Numbers in base units: bytes, milliseconds, percent of one core. What is not given is not limited. */
export type LimitValues = Readonly<Partial<Record<LimitName, number>>>;

/**
 * What an exceeded limit leads to. none: nothing is even said · log: an event · alert: the configured alerts as well · throttle: the
 * tree is held to a share of one core until the excess ends · graceful_shutdown, immediate_kill: ended, not started again by
 * itself · restart: ended and started again by the rule for resource violations · restart_adjusted: the same with a raised limit.
 */
export type LimitPolicy =
  | 'none'
  | 'log'
  | 'alert'
  | 'throttle'
  | 'graceful_shutdown'
  | 'immediate_kill'
  | 'restart'
  | 'restart_adjusted';

/** One step of an escalation. */
export interface EscalationStep {
  readonly policy: LimitPolicy;
  /** How long the excess lasts after the step before (the first: after it counts) until this one is taken. */
  readonly after: Milliseconds;
}

/** How an excess is judged and answered. */
export interface LimitResponse {
  /** Share of the limit above which a warning is published, 0 to 1; null: none. */
  readonly warning: number | null;
  /** An excess that ends within this is none. */
  readonly spikeTolerance: Milliseconds;
  /** An excess counts once it has lasted this long; at least `spikeTolerance`. */
  readonly sustained: Milliseconds;
  /** In order; empty: `none`. */
  readonly steps: readonly EscalationStep[];
  /** `restart_adjusted` multiplies the limit by `factor` each time, up to `cap` times what was written. */
  readonly adjust: { readonly factor: number; readonly cap: number };
}

export interface Scheduler {
  readonly policy: 'other' | 'batch' | 'idle' | 'fifo' | 'round-robin';
  /** 1 to 99 for fifo and round-robin, else 0. */
  readonly priority: number;
}

export interface Monitoring {
  readonly enabled: boolean;
  readonly interval: Milliseconds;
  /** How long samples are kept. */
  readonly retention: Milliseconds;
}

/** Where alerts go besides event and log. */
export interface AlertSpec {
  /** Program and arguments; hears of the alert through its environment. */
  readonly exec: readonly [string, ...string[]] | null;
  /** Receives the alert as a JSON POST. */
  readonly webhook: string | null;
  readonly timeout: Milliseconds;
  /** The same limit alerts at most once in this time. */
  readonly every: Milliseconds;
}

/** All limits of one worker, or of a quota that several share. */
export interface LimitsSpec {
  readonly values: LimitValues;
  /** CPU numbers; null: any. Where given, `values['cpu.affinity']` is their count. */
  readonly affinity: readonly number[] | null;
  /** Where given, `values['cpu.scheduler']` is its priority. */
  readonly scheduler: Scheduler | null;
  /** Absolute paths whose devices the io limits are for; the working directory where none are given. */
  readonly ioPaths: readonly string[];
  /** Absolute path that `storage.max_temp_size` watches. */
  readonly tempDirectory: string | null;
  /** A limit that cannot be enforced fails the start. */
  readonly required: boolean;
  readonly responses: Readonly<Record<LimitFamily, LimitResponse>>;
  /** What `throttle` leaves the tree, in percent of one core; null: as `throttleShare` says. */
  readonly throttlePercent: number | null;
  readonly monitoring: Monitoring;
  readonly alerts: AlertSpec | null;
}

/** A budget that several workers share: a parent of their containments. */
export interface QuotaSpec {
  readonly kind: 'namespace' | 'group';
  readonly id: string;
  readonly limits: LimitsSpec;
}

/** Which budget. */
export type QuotaName = Pick<QuotaSpec, 'kind' | 'id'>;

/** How far one limit holds on this host. */
export interface LimitReport {
  readonly limit: LimitName;
  /** The budget around the worker whose limit it is; absent: the worker’s own. */
  readonly quota?: QuotaName;
  readonly status: 'enforced' | 'watched' | 'impossible';
  /** By what: `cgroup2 memory.max`, `rlimit RLIMIT_AS`, `sampling every 10s`; empty where impossible. */
  readonly mechanism: string;
  /** Why not better, or what is particular; may be empty. */
  readonly reason: string;
}

/** A limit of which less came than was asked for. */
export type LimitLoss = LimitReport & { readonly status: 'watched' | 'impossible' };

/** Whether a limit is not enforced although some system could. */
export function isLoss(report: LimitReport): report is LimitLoss {
  return report.status === 'impossible' || (report.status === 'watched' && !isWatchedByNature(report.limit));
}
