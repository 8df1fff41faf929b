import type { UnmanagedSpec } from '../discovery/spec.ts';
import type { LimitsSpec, QuotaSpec } from '../limits/spec.ts';
import type { ListenSpec } from '../listen/spec.ts';
import type { LogFilesSpec } from '../logs/files.ts';
import type { PipelineSpec } from '../logs/pipeline.ts';
import type { RestartPolicy } from '../restart/policy.ts';
import type { Bytes, Milliseconds } from '../units.ts';

/** Unique within a master: 1 to 64 characters of `A-Za-z0-9_-`, also unique when case is ignored. */
export type WorkerId = string;

/** A signal by its POSIX name, `SIGTERM`. */
export type SignalName = `SIG${string}`;

/** What to execute, completely resolved: nothing is looked up in the master’s own environment afterwards. */
export interface Command {
  /** Program and arguments. The program is an absolute path, a path relative to the working directory, or a name for PATH. */
  readonly argv: readonly [string, ...string[]];
  /** Absolute working directory. */
  readonly cwd: string;
  /** Added to (and overriding) the environment that the master was given. */
  readonly env: Readonly<Record<string, string>>;
  /** File mode creation mask, or null for the master’s own. */
  readonly umask: number | null;
  /** User and group by name or number, or null for the master’s own. */
  readonly user: string | null;
  readonly group: string | null;
  /** Supplementary groups; null means those of `user` (or the master’s own where no user is given). */
  readonly groups: readonly string[] | null;
}

/** When a dependency counts as there. `completed` is an exit with a success code. */
export type DependencyCondition = 'started' | 'ready' | 'completed';

export interface Dependency {
  readonly id: WorkerId;
  readonly condition: DependencyCondition;
  /** Whether this worker is restarted whenever the dependency’s process ends or is replaced. */
  readonly restart: boolean;
}

/** What one check asks. */
export type Check =
  | { readonly type: 'process' }
  | {
      readonly type: 'http';
      readonly url: string;
      readonly method: string;
      readonly headers: Readonly<Record<string, string>>;
    }
  | { readonly type: 'tcp'; readonly host: string; readonly port: number }
  | GrpcCheck
  | { readonly type: 'exec'; readonly argv: readonly [string, ...string[]] };

/** A call over gRPC, without TLS. */
export interface GrpcCheck {
  readonly type: 'grpc';
  readonly host: string;
  /** null: the port that the worker was given. */
  readonly port: number | null;
  readonly call: GrpcCall;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * health: grpc.health.v1 must say that the service serves; `service` empty is the whole program. ping: proto.CoreService/Ping, or where
 * that is missing any answer of grpc.health.v1. serving: the same the other way round. method: a call of an empty message must succeed.
 */
export type GrpcCall =
  | { readonly kind: 'health'; readonly service: string }
  | { readonly kind: 'ping' }
  | { readonly kind: 'serving' }
  | { readonly kind: 'method'; readonly service: string; readonly method: string };

/** A check with its rhythm and thresholds. */
export interface Probe {
  readonly check: Check;
  /** From the start of one check to the start of the next; two never overlap. */
  readonly interval: Milliseconds;
  readonly timeout: Milliseconds;
  /** From the start of the process to the first check. */
  readonly initialDelay: Milliseconds;
  /** Failures in a row that make the verdict bad, at least 1. */
  readonly failureThreshold: number;
  /** Successes in a row that make the verdict good, at least 1. */
  readonly successThreshold: number;
}

/**
 * startup: may we judge yet; while it has not passed, the other two do not run, and its failure restarts the worker.
 * liveness: must it be restarted. readiness: may it get work and may dependents start.
 */
export interface Probes {
  readonly startup: Probe | null;
  readonly liveness: Probe | null;
  readonly readiness: Probe | null;
}

/** Where a worker’s output goes. */
export interface LogSpec {
  readonly captureStdout: boolean;
  readonly captureStderr: boolean;
  /** Absolute paths of the two current files. The same path twice joins both streams in one file. */
  readonly stdoutFile: string;
  readonly stderrFile: string;
  /** A file is rotated before it would grow past this. */
  readonly maxSize: Bytes;
  /** Rotated files kept beside the current one. */
  readonly maxFiles: number;
  /** How the two files are written. */
  readonly files: LogFilesSpec;
  /** What is done with lines on their way to readers and sinks; null: they go on as they come. */
  readonly pipeline: PipelineSpec | null;
}

/** How a run is ended. */
export interface StopSpec {
  readonly signal: SignalName;
  /** Time between asking and killing. */
  readonly grace: Milliseconds;
}

/** For programs that put themselves in the background. */
export interface MainProcessSpec {
  readonly pidFile: string;
  readonly timeout: Milliseconds;
}

/** Where others find the worker’s process: files `<id>.pid` and `<id>.port`, and `<id>.identity` to tell whether they are still true. */
export interface ProcessFileSpec {
  readonly directory: string;
}

/** A worker’s complete, frozen description. */
export interface WorkerSpec {
  readonly id: WorkerId;
  readonly name: string;
  readonly description: string;
  /** null: none is given. Workers are chosen by it, and it may have a budget. */
  readonly namespace: string | null;
  readonly group: string | null;
  readonly enabled: boolean;
  readonly command: Command;
  readonly restart: RestartPolicy;
  readonly stop: StopSpec;
  readonly dependsOn: readonly Dependency[];
  readonly probes: Probes;
  /** null: the process that was started is the main process. */
  readonly mainProcess: MainProcessSpec | null;
  /** What to do when the program leaves its place and descendants live on without `mainProcess` saying so. */
  readonly onDaemonize: 'kill' | 'adopt';
  /** The TCP port that it is given; null: none. */
  readonly listen: ListenSpec | null;
  /** null: none are written. */
  readonly processFile: ProcessFileSpec | null;
  readonly log: LogSpec;
  /** null: none are given, and usage is sampled only when somebody asks. */
  readonly limits: LimitsSpec | null;
  /** Budgets shared with other workers, the outermost first. */
  readonly quotas: readonly QuotaSpec[];
  /** null: the master starts it. Else somebody else does, and of `command` only what its directory and environment are matters. */
  readonly unmanaged: UnmanagedSpec | null;
}

/** Whether becoming ready takes a probe’s word, or a started process is ready at once. */
export function hasReadiness(spec: Pick<WorkerSpec, 'probes'>): boolean {
  return spec.probes.readiness !== null || spec.probes.startup !== null;
}
