/** The engine as native/windows/src/engine_object.cc has it: results are plain numbers, 0 or a Win32 error where nothing else is said. */
export interface WindowsAddonEngine {
  /** A job’s number, or the call that failed and its error. */
  createJob(name: string): number | [string, number];
  openJob(name: string): number | [string, number];
  closeJob(job: number): void;
  limitJob(job: number, limits: FlatJobLimits): number;
  limitJobCpu(job: number, flags: number, value: number): number;
  limitJobUi(job: number, restrictions: number): number;
  limitJobNetwork(job: number, bytesPerSecond: number): number;
  assign(job: number, pid: number, startTime: number): number;
  parkJob(job: number, pid: number, startTime: number): number;
  terminateJob(job: number, code: number): number;
  /** Pids, or an error. */
  jobPids(job: number): Float64Array | number;
  jobUsage(job: number): Float64Array;
  /** Handle, pid and start time; or step and error. */
  spawn(options: CheckedWindowsSpawn): [number, number, number] | [number, number];
  /** Step and error; a step of −1: it is let go. */
  release(handle: number, go: boolean, code: number): [number, number];
  terminate(handle: number, code: number): number;
  /** A watch, or the call that failed and its error. */
  watch(pid: number, startTime: number): number | [string, number];
  unwatch(watch: number): void;
  detachOutput(handle: number): void;
  acknowledge(bytes: number): void;
  close(): void;
}

/** `JOBOBJECT_EXTENDED_LIMIT_INFORMATION`; times in units of 100 ns, sizes in bytes. */
export interface FlatJobLimits {
  readonly flags: number;
  readonly processTime: number;
  readonly jobTime: number;
  readonly leastWorkingSet: number;
  readonly mostWorkingSet: number;
  readonly activeProcesses: number;
  readonly priorityClass: number;
  readonly schedulingClass: number;
  readonly affinityLow: number;
  readonly affinityHigh: number;
  readonly processMemory: number;
  readonly jobMemory: number;
}

export interface CheckedWindowsSpawn {
  readonly application: string;
  readonly commandLine: string;
  /** Variables that each end with a NUL. */
  readonly environment: string;
  /** `''`: the master’s. */
  readonly directory: string;
  readonly stdout: number;
  readonly stderr: number;
  readonly stdoutChannel: string;
  readonly stderrChannel: string;
  readonly console: number;
  readonly jobs: readonly number[];
}

/** One text of a process, or the error; undefined: not asked for. */
export type FlatText = string | number | undefined;

/** What native/windows/src/engine_object.cc and process_glue.cc export. */
export interface WindowsAddon {
  readonly Engine: new (options: {
    onEvents(numbers: Float64Array, buffers: readonly Buffer[]): void;
    maxUnacknowledgedBytes: number;
  }) => WindowsAddonEngine;
  /** Rows as in rows.ts, and the names of the images, each ended by a NUL. */
  processTable(): [Float64Array, string];
  /** Start time; null: nobody has this pid; negative: the error that kept us from asking. */
  identify(pid: number): number | null;
  /** Start time (0: gone), command line, image, directory, environment, user. `fields` are bits in that order, from the second on. */
  look(pid: number, fields: number): [number, FlatText, FlatText, FlatText, FlatText, FlatText];
  /** Pid, protocol and port of each; their addresses, each followed by a blank. */
  listeners(): [Float64Array, string];
  /** The pid of each TCP connection. */
  connections(): Float64Array;
  terminate(pid: number, startTime: number, code: number): number;
  suspend(pid: number, startTime: number, suspended: boolean): number;
  mayEnd(pid: number, startTime: number): number;
  closeWindows(pids: readonly number[]): number;
  consolePids(): Float64Array;
  repairConsole(pid: number): number;
  enablePrivilege(name: string): number;
  bootId(): string;
  system(): WindowsFacts;
}

export interface WindowsFacts {
  readonly isWine: boolean;
  readonly isElevated: boolean;
  readonly processors: number;
}
