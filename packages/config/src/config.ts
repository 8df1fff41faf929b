// A configuration in one form, complete: whatever could be left out is filled in.
import type {
  Bytes,
  DependencyCondition,
  LimitsSpec,
  ListenSpec,
  LogAlertRule,
  LogSpec,
  MainProcessSpec,
  Milliseconds,
  OutputStream,
  PipelineSpec,
  Probes,
  RestartPolicy,
  SignalName,
  UnmanagedSpec,
} from '@hsu-master/core';
import type { Path } from './issue.ts';
import type { ListenAddress } from './schema/api.ts';
import type { LogLevel, OnMasterExit } from './schema/root.ts';
import type { WrittenTarget } from './schema/targets.ts';

/** What concerns the master itself. */
export interface MasterConfig {
  /** Accepted, but this version says the same at every level. */
  readonly logLevel: LogLevel;
  /** One deadline for stopping everything. */
  readonly forceShutdownTimeout: Milliseconds;
  /** What an ordered end does with the workers. */
  readonly onExit: OnMasterExit;
}

/** Files, absolute. */
export interface TlsConfig {
  readonly cert: string;
  readonly key: string;
  /** null: nobody is asked for a certificate. */
  readonly clientCa: string | null;
}

/** gRPC over the network. */
export interface GrpcConfig extends ListenAddress {
  readonly tls: TlsConfig | null;
  /** The original’s Status is answered without a token. */
  readonly openStatus: boolean;
  /** Requests a second for each token; 0: any number. */
  readonly rateLimit: number;
}

/** The API over the network. */
export interface ApiConfig {
  readonly listen: ListenAddress;
  readonly tls: TlsConfig | null;
  /** Beside `localhost` and addresses; `*.example.com` is any name below. */
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
  /** Requests a second for each token; 0: any number. */
  readonly rateLimit: number;
}

/** How the program is given: words, or a line for a shell with the shell’s own arguments. */
export type Program =
  | { readonly kind: 'words'; readonly words: readonly [string, ...string[]] }
  | { readonly kind: 'shell'; readonly line: string; readonly args: readonly string[] };

export interface Execution {
  readonly program: Program;
  /** As written, or null for the default: the program’s directory in the long form, the file’s in the short form. */
  readonly cwd: string | null;
  readonly env: Readonly<Record<string, string>>;
  readonly umask: number | null;
  readonly user: string | null;
  readonly group: string | null;
  readonly groups: readonly string[] | null;
}

export interface DependencyConfig {
  readonly id: string;
  /** null: ready where the dependency has a probe that says so, else started. */
  readonly condition: DependencyCondition | null;
  readonly restart: boolean;
}

/** A target of lines, paths as written. */
export interface TargetConfig {
  readonly at: Path;
  readonly streams: readonly OutputStream[];
  readonly written: WrittenTarget;
}

/** What holds for a target that does not say otherwise, as keys of its `config`. */
export interface BufferingConfig {
  readonly buffer_size?: number;
  readonly flush_interval?: string;
  readonly batch_lines?: number;
}

export interface AlertConfig {
  readonly at: Path;
  /** `workers` is empty where the worker that it stands at is meant; its program as written. */
  readonly rule: LogAlertRule;
}

/** Files as written, or null for the default names. */
export interface LogConfig extends Omit<LogSpec, 'stdoutFile' | 'stderrFile' | 'pipeline'> {
  readonly stdoutFile: string | null;
  readonly stderrFile: string | null;
  /** Complete, also where it does nothing. */
  readonly pipeline: PipelineSpec;
  /** The part of it that is for the lines of all workers. */
  readonly enhancement: PipelineSpec;
  readonly targets: {
    readonly stdout: readonly TargetConfig[];
    readonly stderr: readonly TargetConfig[];
    readonly forwarding: readonly TargetConfig[];
  };
  readonly buffering: BufferingConfig;
  readonly alerts: readonly AlertConfig[];
}

/** What is kept of all output. */
export interface KeepingConfig {
  /** Directory of the workers’ files as written; null: the usual one. */
  readonly workerDirectory: string | null;
  readonly maxTotal: Bytes | null;
  /** Of files whose workers are gone. */
  readonly maxAge: Milliseconds | null;
}

/** Where pid and port files lie, by the original’s keys; its directory as written. */
export interface ProcessFileConfig {
  /** null: the scenario decides. */
  readonly context: 'system' | 'user' | 'session' | null;
  readonly scenario: 'system' | 'user' | 'session' | 'development';
  readonly base: string | null;
  readonly app: string;
  readonly isBelow: boolean;
}

/** A unit, whichever form it was written in. */
export interface ManagedUnit {
  readonly form: 'long' | 'short';
  /** Where it was written. */
  readonly at: Path;
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly enabled: boolean;
  readonly execution: Execution;
  readonly restart: RestartPolicy;
  readonly stopSignal: SignalName;
  readonly grace: Milliseconds;
  readonly dependsOn: readonly DependencyConfig[];
  readonly restartDependents: boolean;
  readonly probes: Probes;
  readonly mainProcess: MainProcessSpec | null;
  readonly onDaemonize: 'kill' | 'adopt';
  readonly listen: ListenSpec | null;
  /** null: the master starts it. Paths as written. */
  readonly unmanaged: UnmanagedSpec | null;
  /** null: none are written. */
  readonly processFile: ProcessFileConfig | null;
  readonly log: LogConfig;
  /** Paths as written. */
  readonly limits: LimitsSpec | null;
  readonly namespace: string | null;
  readonly group: string | null;
}

/** Budgets that workers share, by the names of namespaces and groups; null: it has none. Paths as written. */
export interface Quotas {
  readonly namespaces: ReadonlyMap<string, LimitsSpec | null>;
  readonly groups: ReadonlyMap<string, LimitsSpec | null>;
}

export interface Config {
  readonly master: MasterConfig;
  readonly units: readonly ManagedUnit[];
  readonly quotas: Quotas;
  readonly keeping: KeepingConfig;
  /** For the lines of all workers; null: nothing goes anywhere but to the workers’ own files. */
  readonly aggregation: {
    readonly targets: readonly TargetConfig[];
    readonly buffering: BufferingConfig;
    readonly alerts: readonly AlertConfig[];
  } | null;
}
