import type { Failure } from '../errors.ts';
import type { Waiting } from '../graph/waiting.ts';
import type { LimitName } from '../limits/names.ts';
import type { Bytes, Milliseconds, WallTime } from '../units.ts';
import type { Exit, ProcessIdentity } from '../worker/exit.ts';
import type { Dependency, LogSpec, Probes, StopSpec, WorkerId } from '../worker/spec.ts';
import type { PhaseName } from '../worker/state.ts';

/** What a tree uses, as far as a list shows it. */
export interface UsageView {
  /** Of one core, since the look before; null: not known yet. */
  readonly cpuPercent: number | null;
  /** As the containment counts it, else the resident sizes. */
  readonly memory: Bytes;
  readonly processes: number;
}

/** How the last run ended. */
export interface EndView {
  readonly run: number;
  /** null: nothing was ever executed. */
  readonly exit: Exit | null;
  /** The exit in words. */
  readonly says: string;
  readonly success: boolean;
  readonly uptime: Milliseconds;
  readonly at: WallTime;
}

/** One worker as every surface tells it. */
export interface WorkerView {
  readonly id: WorkerId;
  readonly name: string;
  readonly namespace: string | null;
  readonly group: string | null;
  readonly enabled: boolean;
  readonly phase: PhaseName;
  readonly desired: 'up' | 'down';
  /** The phase and why, in a few words. */
  readonly doing: string;
  readonly ready: boolean;
  /** A probe says whether it is ready; else it is as soon as it runs. */
  readonly probed: boolean;
  readonly completed: boolean;
  readonly run: number;
  readonly process: ProcessIdentity | null;
  /** The TCP port that its process was given; null: none, or there is no process. */
  readonly port: number | null;
  /** When the present process began; null where there is none. */
  readonly startedAt: WallTime | null;
  readonly restarts: number;
  readonly failuresInARow: number;
  readonly breaker: 'closed' | 'open' | 'half-open';
  readonly nextTry: WallTime | null;
  readonly waiting: readonly Waiting[];
  readonly failure: Failure | null;
  readonly lastEnd: EndView | null;
  readonly throttled: readonly LimitName[];
  readonly degraded: readonly string[];
  /** null: not asked for, or nothing of it runs. */
  readonly usage: UsageView | null;
}

/** What a program is given. */
export interface GivenEnvironment {
  readonly argv: readonly string[];
  /** null: not told. */
  readonly variables: Readonly<Record<string, string | null>>;
}

/** What was written about a worker, as far as a reader may see it: values of the environment are left out. */
export interface WorkerDetail {
  readonly description: string;
  readonly argv: readonly string[];
  readonly cwd: string;
  /** The names of the variables that it is given; their values may be secret. */
  readonly environment: readonly string[];
  readonly user: string | null;
  readonly stop: StopSpec;
  readonly dependsOn: readonly Dependency[];
  readonly dependents: readonly WorkerId[];
  readonly probes: Probes;
  readonly log: Pick<LogSpec, 'stdoutFile' | 'stderrFile'>;
  /** The living processes of its tree. */
  readonly members: readonly ProcessIdentity[];
}

/** One living process of a worker's tree. null: the host does not tell. */
export interface ProcessView extends ProcessIdentity {
  readonly ppid: number | null;
  /** The system's letter: `R` running, `S` sleeping, `D` waiting for a device, `T` stopped, … */
  readonly state: string | null;
  /** As it calls itself where its arguments may not be read. */
  readonly argv: readonly string[];
  /** The number of its user. */
  readonly user: number | null;
  /** CPU time that it has used. */
  readonly cpu: Milliseconds | null;
  /** Its resident size. */
  readonly memory: Bytes | null;
}

/** The master itself. */
export interface MasterView {
  /** Unique for one master's life; event numbers are comparable within it. */
  readonly id: string;
  readonly version: string;
  readonly pid: number;
  readonly startedAt: WallTime;
  /** Version of Node. */
  readonly node: string;
  readonly platform: string;
  readonly configFile: string;
  readonly stateDirectory: string;
  readonly logDirectory: string;
  /** Why the native addon is not used; null where it is. */
  readonly lacksAddon: string | null;
}
