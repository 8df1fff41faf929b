// The part of the Windows addon that no other system has: jobs, consoles, and processes that begin suspended.

import type { NativeHandle, NativeStream } from '../native.ts';
import type { WindowsSystem } from './system.ts';

/** A Job Object that this engine holds open, by a number of ours. */
export type WindowsJob = number;

/** A step of making a process, and the Win32 error that it met. */
export interface WindowsFailure {
  readonly step: 'stdio' | 'channel' | 'create' | 'park' | 'gate' | 'attributes' | 'watch' | 'job';
  readonly error: number;
  /** Its POSIX name, `'ENOENT'`; `'W1234'` where it has none. */
  readonly code: string;
  readonly call: string;
  /** What the error means, where its code does not say it. */
  readonly meaning: string | null;
}

export type WindowsResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: WindowsFailure };

/**
 * own: a console of its own without a window, so that it can be sent Ctrl-C. none: no console at all. shared: the master’s, in a process
 * group of its own, which Ctrl-C does not reach and Ctrl-Break does.
 */
export type WindowsConsole = 'own' | 'none' | 'shared';

/** What to run and how. The complete description: nothing is looked up, quoted or inherited. */
export interface WindowsSpawn {
  /** Path of the program. */
  readonly application: string;
  /** As the program will see it, quoted. */
  readonly commandLine: string;
  /** The complete environment, each entry `NAME=value`, sorted as Windows wants it. */
  readonly environment: readonly string[];
  /** `null`: the master’s. */
  readonly cwd: string | null;
  readonly stdout: 'capture' | 'null' | 'inherit' | { readonly fifo: string };
  readonly stderr: 'capture' | 'null' | 'inherit' | 'stdout' | { readonly fifo: string };
  readonly console: WindowsConsole;
  /** That it is born in, the outermost first. */
  readonly jobs: readonly WindowsJob[];
}

export interface WindowsSpawned {
  readonly handle: NativeHandle;
  readonly pid: number;
  /** Microseconds since 1970, decimal: with the pid it names the process. */
  readonly startTime: string;
}

/** What a job limits at once; what is absent is not limited. */
export interface WindowsJobLimits {
  /** All of it dies with the last handle to it. */
  readonly killOnClose?: boolean;
  /** Of one process, of all together; user time in milliseconds. */
  readonly processTime?: number;
  readonly jobTime?: number;
  /** Least and most bytes of each process. */
  readonly workingSet?: readonly [least: number, most: number];
  readonly activeProcesses?: number;
  readonly priority?: WindowsPriority;
  /** CPU numbers below 64. */
  readonly affinity?: readonly number[];
  /** Committed bytes. */
  readonly processMemory?: number;
  readonly jobMemory?: number;
  /** A crash ends the process instead of showing a dialogue. */
  readonly dieOnUnhandledException?: boolean;
}

export type WindowsPriority = 'idle' | 'below-normal' | 'normal' | 'above-normal' | 'high' | 'realtime';

/** `rate`: a hard cap in percent of all processors together, 0.01 to 100. `weight`: 1 to 9, 5 is ordinary. null: none. */
export type WindowsCpuControl = { readonly rate: number } | { readonly weight: number } | null;

/** What a job has counted since it was made. `null`: the system does not tell. */
export interface WindowsJobUsage {
  readonly userMs: number | null;
  readonly kernelMs: number | null;
  readonly totalProcesses: number | null;
  readonly activeProcesses: number | null;
  /** Ended at a limit. */
  readonly terminatedProcesses: number | null;
  readonly readOps: number | null;
  readonly writeOps: number | null;
  readonly readBytes: number | null;
  readonly writtenBytes: number | null;
  /** Committed. */
  readonly memory: number | null;
  readonly peakMemory: number | null;
}

/** JOB_OBJECT_MSG_*: what happened in a job. */
export type WindowsJobNews =
  | 'job-time'
  | 'process-time'
  | 'process-limit'
  | 'empty'
  | 'new-process'
  | 'exit-process'
  | 'abnormal-exit'
  | 'process-memory'
  | 'job-memory'
  | 'notification'
  | 'job-cycle-time';

/** Facts in the order in which they were established. */
export type WindowsEvent =
  | {
      readonly type: 'exited';
      readonly handle: NativeHandle;
      /** As the system has it, 0 to 2³² − 1; null: not to be read. */
      readonly code: number | null;
      readonly userMs: number;
      readonly kernelMs: number;
      readonly maxRssBytes: number | null;
    }
  | {
      readonly type: 'output';
      readonly handle: NativeHandle;
      readonly stream: NativeStream;
      readonly data: Buffer;
    }
  | { readonly type: 'output-end'; readonly handle: NativeHandle; readonly stream: NativeStream }
  | {
      readonly type: 'watched-exited';
      readonly watch: number;
      readonly code: number | null;
      readonly userMs: number;
      readonly kernelMs: number;
    }
  /** The system does not promise that every message comes. `pid` is 0 where it is about nobody. */
  | {
      readonly type: 'job';
      readonly job: WindowsJob;
      readonly news: WindowsJobNews;
      readonly pid: number;
    };

/** After `close()` every method but `close` throws `ERR_CLOSED`. Wrong arguments throw `TypeError` or `RangeError`. */
export interface WindowsEngine {
  /** `EEXIST` where somebody has that name. An empty name: none. */
  createJob(name: string): WindowsResult<WindowsJob>;
  /** One that an earlier master made and that is held by a process. */
  openJob(name: string): WindowsResult<WindowsJob>;
  /** Gives up the handle; its processes live on, unless it was made to kill them. */
  closeJob(job: WindowsJob): void;
  /** Replaces all of them. `null`: done; else why none of it was. */
  limitJob(job: WindowsJob, limits: WindowsJobLimits): WindowsFailure | null;
  controlCpu(job: WindowsJob, control: WindowsCpuControl): WindowsFailure | null;
  /** JOB_OBJECT_UILIMIT_*. */
  restrictUi(job: WindowsJob, restrictions: number): WindowsFailure | null;
  /** What all of it may send; null: any. */
  limitNetwork(job: WindowsJob, bytesPerSecond: number | null): WindowsFailure | null;
  /** Puts a process into the job that was started elsewhere. */
  assign(job: WindowsJob, pid: number, startTime: string): WindowsFailure | null;
  /** Gives the process a handle to the job, so that its name outlives the master. */
  parkJob(job: WindowsJob, pid: number, startTime: string): WindowsFailure | null;
  terminateJob(job: WindowsJob, code: number): WindowsFailure | null;
  /** Who is in it, the system’s own console hosts among them. */
  jobPids(job: WindowsJob): readonly number[];
  jobUsage(job: WindowsJob): WindowsJobUsage;
  /** The process exists, in its jobs, and has not begun. */
  spawn(options: WindowsSpawn): WindowsResult<WindowsSpawned>;
  /** Lets it begin, or ends it. What it is given before it begins may fail: then it begins without. Later calls change nothing. */
  release(handle: NativeHandle, go: boolean): WindowsFailure | null;
  /** Tells `watched-exited` once. `null`: gone, no longer the same process, or not ours to watch. */
  watch(pid: number, startTime: string): number | null;
  unwatch(watch: number): void;
  /** Delivers what the pipes hold, then closes them. */
  detachOutput(handle: NativeHandle): void;
  /** This many bytes of `output` have been consumed. */
  acknowledge(bytes: number): void;
  /** Ends nobody but who waits at its gate, and what is in jobs that kill on close. */
  close(): void;
}

export interface WindowsEngineOptions {
  onEvents(events: WindowsEvent[]): void;
  /** Reading stops while this much output is delivered and not acknowledged. It may be exceeded by one read of each pipe, 64 KiB. */
  readonly maxUnacknowledgedBytes: number;
}

/** One process of the table; times in milliseconds, sizes in bytes. Where Windows tells nothing it says 0. */
export interface WindowsProcess {
  readonly pid: number;
  /** 0 where the parent has ended. */
  readonly ppid: number;
  readonly startTime: string;
  /** `R`; `T`: all of its threads are stopped; `Z`: it has ended and somebody holds it. */
  readonly state: string;
  readonly session: number;
  readonly threads: number;
  readonly handles: number;
  readonly userMs: number;
  readonly kernelMs: number;
  readonly rss: number;
  readonly privateBytes: number;
  readonly virtual: number;
  readonly peakRss: number;
  readonly readOps: number;
  readonly writeOps: number;
  readonly readBytes: number;
  readonly writtenBytes: number;
  /** Of its image, `node.exe`. */
  readonly name: string;
}

export interface WindowsFeatures {
  /** Programs for Windows on another system: what it accepts and does not do is said by `capabilities`. */
  readonly isWine: boolean;
  readonly isElevated: boolean;
  /** Of all groups. */
  readonly processors: number;
}

/** What only this system has. */
export interface WindowsNative {
  openEngine(options: WindowsEngineOptions): WindowsEngine;
  readonly features: WindowsFeatures;
  processes(): readonly WindowsProcess[];
  /** How many TCP connections each pid has. */
  connections(): ReadonlyMap<number, number>;
  /** `null`: done; `ESRCH`: gone, or another. `code` becomes its exit code. */
  terminate(pid: number, startTime: string, code: number): WindowsFailure | null;
  /** Stops or resumes all its threads; what was stopped twice is resumed twice. */
  suspend(pid: number, startTime: string, suspended: boolean): WindowsFailure | null;
  /** Whether it may be ended by us. */
  mayEnd(pid: number, startTime: string): boolean;
  /** WM_CLOSE to their windows. How many were asked. */
  closeWindows(pids: readonly number[]): number;
  /** Who is on the master’s console, the master among them; empty: it has none. */
  consolePids(): ReadonlySet<number>;
  /** After a process of the shared console has ended. true: the system has forgotten it, as is to be. */
  repairConsole(deadPid: number): boolean;
  /** `SeIncreaseBasePriorityPrivilege`, …: whether the master has it; it is switched on. */
  enablePrivilege(name: string): boolean;
  /** Pipes to be controlled by, services, the end of the session. */
  readonly system: WindowsSystem;
  /** The program that sends console events; null where it is missing. */
  readonly relay: string | null;
}
