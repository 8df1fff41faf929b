import type { Failure } from '../errors.ts';
import type { LimitReport, LimitsSpec, QuotaSpec } from '../limits/spec.ts';
import type { TreeUsage, UsageDetail } from '../limits/usage.ts';
import type { Milliseconds } from '../units.ts';
import type { Exit, ProcessIdentity } from '../worker/exit.ts';
import type { Command, SignalName, WorkerId } from '../worker/spec.ts';
import type { OutputChannels, RunOutput } from './output.ts';

/** What a host is asked to run. */
export interface SpawnRequest {
  readonly workerId: WorkerId;
  readonly run: number;
  readonly command: Command;
  /** Marks every process of the tree: goes into the environment as HSU_RUN. */
  readonly mark: string;
  readonly captureStdout: boolean;
  readonly captureStderr: boolean;
  /** Sockets that the program is given listening, on descriptors 3 and on, with LISTEN_FDS and LISTEN_PID in its environment. */
  readonly listens: readonly ListenAddress[];
  readonly output: RunOutput;
  /** Holds for the whole tree from before the program’s first instruction. null: none. */
  readonly limits: LimitsSpec | null;
  /** Budgets shared with other workers, the outermost first. */
  readonly quotas: readonly QuotaSpec[];
  /**
   * Called when the process exists but has not begun the program. What it writes down is on disk before the program starts;
   * if it throws, the program never starts and the run ends with `spawn-failed`.
   */
  record(process: ProcessIdentity): void;
}

/** A run that an earlier master started, as a host is to take charge of it. */
export interface AttachRequest {
  readonly workerId: WorkerId;
  readonly run: number;
  /** Its main process, which may be gone, and whose pid may be another’s by now. */
  readonly process: ProcessIdentity;
  /** HSU_RUN of its tree. */
  readonly mark: string;
  /** What it would be started with now; null: its worker is not configured any more. */
  readonly command: Command | null;
  /** What `OutputCollector.resume` found of its output; the host lets it go as that of a run of its own. */
  readonly channels: OutputChannels | null;
  /** The limits that hold from now on. */
  readonly limits: LimitsSpec | null;
  /** Whether it has just these already. Else the host sets what can be set while it runs, and reports of each what became of it. */
  readonly limitsHold: boolean;
  readonly quotas: readonly QuotaSpec[];
}

/** Where a socket listens, TCP. */
export interface ListenAddress {
  /** IPv4 or IPv6. */
  readonly address: string;
  readonly port: number;
}

/** A TCP port that is held for a worker, or why it cannot be. */
export type PortAnswer =
  | { readonly ok: true; readonly port: number; release(): void }
  /** `taken`: somebody else has it; another may be free. */
  | { readonly ok: false; readonly taken: boolean; readonly reason: string };

/** A process that somebody else started, as a host is to watch it. */
export interface AccompanyRequest {
  readonly process: ProcessIdentity;
  /** Set for it and what descends from it. */
  readonly limits: LimitsSpec | null;
  /** For its limits it may be brought to where the system enforces them; it is given back when it is not watched any more. */
  readonly mayMove: boolean;
}

/** What a host reports of one run: first `spawned` or `spawn-failed`; after `spawned` one `exited`; then, unless the tree was empty, one `tree-empty`. */
export type RunReport =
  | { readonly kind: 'spawned'; readonly process: ProcessIdentity; readonly warning: string | null }
  | { readonly kind: 'spawn-failed'; readonly failure: Failure; readonly transient: boolean }
  | { readonly kind: 'exited'; readonly exit: Exit; readonly remaining: readonly ProcessIdentity[] }
  | { readonly kind: 'tree-empty' };

/** A budget as its host holds it: one and the same object for all runs that share it. */
export interface HostBudget {
  /** As it is now: it can be changed. */
  readonly quota: QuotaSpec;
  /**
   * What all in it use together, as far as its limits are about it: memory that the kernel can take back is not counted in `rss`, and hits are
   * those of its own limits. null: nobody holds it.
   */
  usage(): TreeUsage | null;
}

/** One run of one process tree, as its host holds it. Calls after the tree is empty do nothing. */
export interface HostRun {
  /**
   * Sends a signal to every member of the tree; SIGCONT follows any signal but SIGKILL, so that stopped processes hear it. `grace`: how
   * long they may take before they are killed; a host that has several ways to ask takes them within it.
   */
  signalTree(signal: SignalName, grace?: Milliseconds | null): void;
  /** The members that are alive now. */
  members(): readonly ProcessIdentity[];
  /** Makes another member the one whose end is reported by the next `exited`. */
  follow(process: ProcessIdentity): boolean;
  /** The leader is gone and nobody waits for its output any more: reads what is there and lets go. */
  detachOutput(): void;
  /** What became of each limit of this run, and of each of the budgets around it; empty until it is spawned. */
  limitReports(): readonly LimitReport[];
  /** The budgets around it, the outermost first; none before it is spawned and after its tree is empty. */
  budgets(): readonly HostBudget[];
  /** Replaces the limits of the living tree. Tells what became of each; what cannot be changed while it runs is `impossible` with the reason. */
  setLimits(limits: LimitsSpec): readonly LimitReport[];
  /** Stops or resumes every member without their help. false where the tree is over. A frozen tree is resumed by `signalTree`. */
  freeze(frozen: boolean): boolean;
  /** Holds the tree to this many percent of one core, by quota or by stopping and resuming it in turns; null ends that. */
  throttle(percentOfCore: number | null): void;
}

/** A program that somebody runs and watches, besides the worker that it is about. */
export interface AttendRequest {
  readonly command: Command;
  readonly mark: string;
  /** Budgets that it shares, the outermost first. */
  readonly quotas: readonly QuotaSpec[];
  readonly output: RunOutput;
}

/** A short-lived helper process: an exec probe. */
export interface ExecRequest {
  readonly command: Command;
  readonly mark: string;
  /** After this its whole tree is killed. */
  readonly timeout: Milliseconds;
  /** Bytes kept of its joined output; the tail wins. */
  readonly maxOutput: number;
  /** It is asked to start something: what it leaves behind lives on, and nothing that it writes is kept. */
  readonly leavesDaemons?: boolean;
}

export type ExecOutcome =
  | { readonly kind: 'exited'; readonly exit: Exit; readonly output: string }
  | { readonly kind: 'timed-out'; readonly output: string }
  | { readonly kind: 'failed'; readonly failure: Failure };

/** A living tree that was there before its host, by its mark. */
export interface MarkedTree {
  readonly mark: string;
  /** The eldest of those whose parents do not bear the mark. */
  readonly process: ProcessIdentity;
}

/** How far a host can do one thing. */
export interface Capability {
  readonly feature: string;
  readonly status: 'enforced' | 'watched' | 'impossible';
  readonly reason: string;
}

/** Runs processes. Everything that differs between operating systems is behind this port. */
export interface Host {
  readonly name: string;
  capabilities(): readonly Capability[];
  /** Starts a run. Reports arrive later, never from within this call. */
  spawn(request: SpawnRequest, report: (report: RunReport) => void): HostRun;
  /**
   * Takes charge of a process tree that this host did not start, found by its main process and its mark; whoever has that pid now and
   * another start time is a stranger. Reports `exited` when the main process is gone, soon if it is gone already, code and signal null
   * where the system does not tell them; then `tree-empty` unless nothing remained. Never from within this call.
   */
  attach(request: AttachRequest, report: (report: RunReport) => void): HostRun;
  /**
   * Watches a process that somebody else started. Its descendants are members, for what they use; signals reach it alone. Reports
   * `exited`, with nothing remaining, when it is gone, soon if it is gone already. Never from within this call.
   */
  accompany(request: AccompanyRequest, report: (report: RunReport) => void): HostRun;
  /** Starts a program that is written down nowhere: it does not outlive the master, as far as the host can see to that. */
  attend(request: AttendRequest, report: (report: RunReport) => void): HostRun;
  /** Runs a helper to its end. `cancel` on the returned object kills its tree and settles the promise as timed out. */
  exec(request: ExecRequest): { readonly outcome: Promise<ExecOutcome>; cancel(): void };
  /**
   * Holds a TCP port, 0: any that is free, until it is released or the host closed: nobody gets it by chance, and a program that shares
   * addresses (SO_REUSEADDR) or ports, as servers do, can listen on it meanwhile.
   */
  reservePort(port: number): PortAnswer;
  /** Whether that very process may be signalled by this master. */
  maySignal(process: ProcessIdentity): boolean;
  /** Whether that very process is alive. */
  isAlive(process: ProcessIdentity): boolean;
  /** The living process that has this pid now. */
  identify(pid: number): ProcessIdentity | null;
  /**
   * Trees with a living process whose mark begins so, by one look at all processes. Not among them are whom this master may not signal,
   * those of other pid namespaces, and trees that this very process is part of.
   */
  findMarked(beginning: string): readonly MarkedTree[];
  /**
   * What would become of each of these limits on this host, without starting anything. `quotas` are the budgets around a worker, the
   * outermost first; for one of these `of` is `quota`.
   */
  explainLimits(
    limits: LimitsSpec,
    of: 'worker' | 'quota',
    quotas: readonly QuotaSpec[],
  ): readonly LimitReport[];
  /**
   * Replaces the limits of the budget of this kind and name, for all runs that share it now and later. Tells what became of each; what its
   * runs report of it changes at once.
   */
  setQuota(quota: QuotaSpec): readonly LimitReport[];
  /** The use of all these trees from one look at the system, in the order asked; null for one that is over. */
  sample(runs: readonly HostRun[], detail: UsageDetail): readonly (TreeUsage | null)[];
  /** Lets go of threads and handles; never ends a process. */
  close(): void;
}
