// Longer than other files: the one interface of the addons, with units and errors of each call.

import type { NativeProcesses, NativeProcessQuery } from './processes.ts';
import type { NativePump, NativePumpOptions } from './pump.ts';

/** One per spawned process, unique within an engine, never reused. */
export type NativeHandle = number;

/** What to run and how. The complete description: nothing is inherited but what a `null` says. */
export interface NativeSpawn {
  /** Given to execve as it is: searching PATH is the caller's. */
  readonly file: string;
  /** With `argv[0]`. */
  readonly argv: readonly string[];
  /** The complete environment, each entry `NAME=value`. */
  readonly env: readonly string[];
  /** Entered with the user's own rights. `null`: the master's. */
  readonly cwd: string | null;
  /** `null`: the master's. */
  readonly umask: number | null;
  /** Real, effective and saved; `null`: the master's. */
  readonly uid: number | null;
  readonly gid: number | null;
  /** Supplementary groups. `null`: the master's, which a changed `uid` rarely should keep. */
  readonly groups: readonly number[] | null;
  /** A `fifo` is opened for reading and writing, and given to `uid`; nothing of it is told here: see `NativePump`. */
  readonly stdout: 'capture' | 'null' | 'inherit' | { readonly fifo: string };
  readonly stderr: 'capture' | 'null' | 'inherit' | 'stdout' | { readonly fifo: string };
  /**
   * Sockets that listen, on descriptors 3 and on, as sd_listen_fds(3) has it: LISTEN_PID is added to `env`, LISTEN_FDS is the caller's.
   * Nobody else keeps them open.
   */
  readonly listens: readonly NativeListen[];
  /** Run a text without a shebang line by `/bin/sh`, as execvp would; `execed` then says so. */
  readonly shellFallback: boolean;
  /**
   * Soft limit on open files. `null`: what it was before Node raised its own: that of the nearest ancestor which has
   * our hard limit and a soft limit below it, or else 1024 (see `nofile.ts`).
   */
  readonly nofile: number | null;
  /**
   * The system kills it when the master dies, however that happens, and when the engine is closed. Not its children, and not a
   * program that exec gives other rights (set-user-ID, file capabilities): there the system takes this back.
   */
  readonly dieWithMaster: boolean;
  /** Placement and limits, in force before the program’s first instruction. `null`: the master’s own. */
  readonly limits: NativeLimits | null;
}

/** Where a socket listens, TCP. */
export interface NativeListen {
  /** IPv4 or IPv6. */
  readonly address: string;
  readonly port: number;
}

/** A port that is held, by a number that only `releasePort` takes. */
export type NativeReservation =
  | { readonly ok: true; readonly reservation: number; readonly port: number }
  /** `EADDRINUSE`: somebody has it; `EACCES`: not ours to take. */
  | { readonly ok: false; readonly errno: number; readonly code: string; readonly call: string };

/** A limit of one process, by its number in `<sys/resource.h>` of Linux, on every system. `Infinity` is unlimited. */
export interface NativeRlimit {
  readonly resource: number;
  readonly soft: number;
  readonly hard: number;
}

/** What of a process can also be changed while it runs. `null`, empty: left alone. */
export interface NativeProcessLimits {
  readonly rlimits: readonly NativeRlimit[];
  /** −20 to 19. */
  readonly nice: number | null;
  /** CPU numbers. */
  readonly affinity: readonly number[] | null;
  /** `policy` as in `<sched.h>`. */
  readonly scheduler: { readonly policy: number; readonly priority: number } | null;
  /** `class` 1 real-time, 2 best effort, 3 idle; `level` 0 to 7. */
  readonly ioPriority: { readonly class: number; readonly level: number } | null;
  /** −1000 to 1000. At spawn the process has it from birth. A living process that waits at its gate answers `EBUSY`. */
  readonly oomScoreAdj: number | null;
}

export interface NativeLimits extends NativeProcessLimits {
  /** Directory of the cgroup v2 that the process begins in: by CLONE_INTO_CGROUP, or else by writing to its cgroup.procs. */
  readonly cgroup: string | null;
  /**
   * Whether it is yet to be made: only for one in which memory is no shorter than for the master, until the program runs. Where its
   * name is taken the process is not made: step `cgroup`, call `mkdir`, `EEXIST`.
   */
  readonly makeCgroup: boolean;
  /**
   * Files into which the child writes `0` with the master’s rights before it waits at its gate: those of v1 hierarchies. `tasks`
   * does the same as cgroup.procs for a process of one thread, without the lock over all processes that older kernels take.
   */
  readonly joins: readonly string[];
  readonly noNewPrivs: boolean;
}

/** Where one tree is to be found. */
export interface NativeTree {
  /** Its cgroup v2 directory, with or without controllers; members of its descendants count. */
  readonly cgroup: string | null;
  /** Directories of v1 controllers by their name: memory, cpuacct, cpu, pids, blkio. */
  readonly controllers: Readonly<Record<string, string>>;
  /** Members known otherwise. */
  readonly pids: readonly number[];
}

export interface NativePressure {
  readonly some: number;
  readonly full: number;
}

/** One process as a sample saw it; times in milliseconds, sizes in bytes. */
export interface NativeProcessUsage {
  readonly pid: number;
  readonly startTime: string;
  readonly cpuMs: number;
  /** Of children that it waited for. */
  readonly childrenCpuMs: number;
  readonly rss: number;
  readonly virtual: number;
  readonly threads: number;
  /** From and to devices, the operations being system calls. `null`: not ours to read. */
  readonly readBytes: number | null;
  readonly writtenBytes: number | null;
  readonly readOps: number | null;
  readonly writeOps: number | null;
  readonly pss: number | null;
  readonly descriptors: number | null;
  /** TCP, being made or standing; one that several processes share counts for each. */
  readonly connections: number | null;
}

/**
 * What the cgroups of a tree count, since they were made. `null`: they do not. v1 counts input and output of groups with a
 * throttle only, since Linux 6.10.
 */
export interface NativeGroupUsage {
  readonly memory: number | null;
  readonly memoryPeak: number | null;
  readonly swap: number | null;
  readonly cpuMs: number | null;
  readonly cpuThrottled: number | null;
  readonly readBytes: number | null;
  readonly writtenBytes: number | null;
  readonly readOps: number | null;
  readonly writeOps: number | null;
  readonly processes: number | null;
  /** How often `memory.max` held it up (v1: the limit, with swap or without); passing `memory.high` is not counted. */
  readonly memoryHits: number | null;
  readonly processHits: number | null;
  readonly oomKills: number | null;
  readonly pressure: {
    readonly cpu: NativePressure | null;
    readonly memory: NativePressure | null;
    readonly io: NativePressure | null;
  } | null;
}

/** What costs more than the rest: not told unless asked for. */
export interface NativeUsageDetail {
  readonly pss: boolean;
  readonly connections: boolean;
  readonly pressure: boolean;
  readonly descriptors: boolean;
  /** The group’s `memoryPeak` and `processes`. */
  readonly peak: boolean;
}

/** Trees that are sampled again and again: at a fraction of the cost, since what is read of them stays open. */
export interface NativeSampler {
  /** The tree’s number. What it has in `pids` does not matter. */
  enter(tree: NativeTree): number;
  /** Gives back what is open of it, with the next sample at the latest. Once for each that has entered. */
  leave(tree: number): void;
  /** All trees in one call, with members that are known otherwise. One that is gone, or has left, has no processes. */
  sample(
    trees: readonly { readonly tree: number; readonly pids: readonly number[] }[],
    detail: NativeUsageDetail,
  ): NativeTreeUsage[];
  /** Living processes that no earlier call of it has seen; the first returns all. */
  newcomers(): ProcessRow[];
  close(): void;
}

export type NativeProcessCount = Exclude<
  keyof NativeProcessUsage,
  'pid' | 'startTime' | 'cpuMs' | 'childrenCpuMs'
>;

export interface NativeTreeUsage {
  /** How many processes it has. */
  readonly count: number;
  readonly processes: readonly NativeProcessUsage[];
  readonly group: NativeGroupUsage | null;
  /** The same with those of its processes that are to be kept. */
  only(keep: (process: NativeProcessUsage) => boolean): NativeTreeUsage;
  /** The sum over the processes of which it is known; `null`: of none. */
  total(key: NativeProcessCount): number | null;
}

export interface NativeSpawned {
  readonly handle: NativeHandle;
  readonly pid: number;
  /** Clock ticks since boot, decimal: with the pid it names the process for as long as the system is up. */
  readonly startTime: string;
}

/** A step of making a process, in no order of time. */
export type NativeStep =
  | 'pipe'
  | 'channel'
  | 'listen'
  | 'socketpair'
  | 'clone'
  | 'pidfd'
  | 'setsid'
  | 'chdir'
  | 'groups'
  | 'group'
  | 'user'
  | 'umask'
  | 'rlimit'
  | 'stdio'
  | 'exec'
  | 'gate'
  | 'cgroup'
  | 'nice'
  | 'affinity'
  | 'scheduler'
  | 'io-priority'
  | 'oom-score'
  | 'no-new-privs'
  | 'parent-death';

/** Which step failed, and what the system said: `{ step: 'chdir', errno: 2, code: 'ENOENT', call: 'chdir' }`. */
export interface NativeFailure {
  readonly step: NativeStep;
  readonly errno: number;
  readonly code: string;
  readonly call: string;
}

export type NativeSpawnResult =
  | { readonly ok: true; readonly value: NativeSpawned }
  | { readonly ok: false; readonly failure: NativeFailure };

/** What became of a launch that was submitted. */
export interface NativeCollected {
  readonly handle: NativeHandle;
  readonly result: NativeSpawnResult;
}

/** `ESRCH`: gone, reaped, or no longer the same process. */
export type NativeSignalResult =
  | { readonly ok: true }
  | { readonly ok: false; readonly errno: number; readonly code: string };

export type NativeStream = 'stdout' | 'stderr';

/**
 * Facts in the order in which they were established. Of one handle: `execed` then `exited`, or `exec-failed` alone.
 * `output` and `output-end` come independently of both, before or after.
 */
export type NativeEvent =
  | { readonly type: 'execed'; readonly handle: NativeHandle; readonly usedShell: boolean }
  /**
   * The program did not run and its process is reaped. Step `gate`: `ECANCELED` when released with `go: false`,
   * `EINTR` when something killed it before its exec.
   */
  | { readonly type: 'exec-failed'; readonly handle: NativeHandle; readonly failure: NativeFailure }
  | {
      readonly type: 'exited';
      readonly handle: NativeHandle;
      /** Both `null`: not known, because the host application reaped it or ignores SIGCHLD. */
      readonly code: number | null;
      readonly signal: string | null;
      readonly coreDumped: boolean;
      /** Of the process and all that it, and they, waited for. */
      readonly userMs: number;
      readonly systemMs: number;
      /** The largest of the same processes. `null`: less than the master's own maximum at its exec, which the system counts in. */
      readonly maxRssBytes: number | null;
      /** No process was left in its group, zombies included. */
      readonly groupEmpty: boolean;
    }
  | {
      readonly type: 'output';
      readonly handle: NativeHandle;
      readonly stream: NativeStream;
      readonly data: Buffer;
    }
  /** End of file, or detached. */
  | { readonly type: 'output-end'; readonly handle: NativeHandle; readonly stream: NativeStream }
  | { readonly type: 'watched-exited'; readonly watch: number }
  /**
   * How a watched process ended: follows `watched-exited` at once where it is our own child or nobody has reaped it yet (and Linux 5.17
   * or newer shows it to us), or once its parent has reaped it, on Linux 6.15 or newer.
   */
  | {
      readonly type: 'watched-status';
      readonly watch: number;
      readonly code: number | null;
      readonly signal: string | null;
      readonly coreDumped: boolean;
      /** Only where it was our own child. */
      readonly userMs: number | null;
      readonly systemMs: number | null;
    }
  | { readonly type: 'orphan-reaped'; readonly pid: number };

/** After `close()` every method but `close` throws `ERR_CLOSED`. Wrong arguments throw `TypeError` or `RangeError`. */
export interface NativeEngine {
  /** Returns once the process exists and waits at its gate; the program has not run. The same as `submit` and `collect`. */
  spawn(options: NativeSpawn): NativeSpawnResult;
  /**
   * Has the process made by another thread meanwhile; of this handle nothing is told before it is collected. With many uncollected
   * it waits for the first of them. What is uncollected when the engine is closed never runs.
   */
  submit(options: NativeSpawn): NativeHandle;
  /** Waits until each submitted process waits at its gate, or could not be made. Each is returned once. */
  collect(): readonly NativeCollected[];
  /** Opens the gate, or turns the process away without having run the program. Later calls change nothing. */
  release(handle: NativeHandle, go: boolean): void;
  /** To the leader, through its pidfd. */
  signal(handle: NativeHandle, signal: number): NativeSignalResult;
  /** To the process group, only while its leader is unreaped: after that its number may be another's. */
  signalGroup(handle: NativeHandle, signal: number): NativeSignalResult;
  /**
   * Sets the master’s own oom_score_adj, so that the kernel takes others first. From now on each child has the value from before from its
   * first instruction on, unless its limits name another. Lowering takes CAP_SYS_RESOURCE.
   */
  protect(oomScoreAdj: number): NativeSignalResult;
  /** To a process that need not be ours, only if it is still the same. Signal 0 asks whether it is. */
  signalProcess(pid: number, startTime: string, signal: number): NativeSignalResult;
  /** Tells `watched-exited` once. `null`: gone, or no longer the same process. */
  watch(pid: number, startTime: string): number | null;
  unwatch(watch: number): void;
  /**
   * Children that this process had before it had the engine (an exec kept them) are spared until this is called: who watches one
   * hears how it ended. From then on they are reaped like orphans.
   */
  reapInherited(): void;
  /** Reaps nobody any more and tells nothing that happens from now on: who ends is left to the program after an `exec`. */
  rest(): void;
  /** Delivers what the pipes hold, then closes them. Who writes to them after that gets SIGPIPE. */
  detachOutput(handle: NativeHandle): void;
  /**
   * Adopted and still living: children of the main thread, which is where a subreaper's orphans arrive. None is left out; where
   * they die faster than they can be listed, the last that died are named as well.
   */
  orphans(): number[];
  /** This many bytes of `output` have been consumed. */
  acknowledge(bytes: number): void;
  /**
   * Stops the threads, so that the event loop can end. Kills nothing; processes still at their gates leave. What is
   * alive stays our child and is not reaped any more. Pipes are closed. May be called again.
   */
  close(): void;
}

export interface NativeEngineOptions {
  /** Called with one batch at a time. What it throws is an uncaught exception. */
  onEvents(events: NativeEvent[]): void;
  /**
   * Adopt and reap what the processes leave behind. It reaps *every* child of the main thread, so the host application
   * must not use `node:child_process`. One engine of a process may; another throws `EBUSY`.
   */
  readonly subreaper: boolean;
  /** Reading stops while this much output is delivered and not acknowledged. It may be exceeded by one read, 64 KiB. */
  readonly maxUnacknowledgedBytes: number;
}

export interface ProcessRow {
  readonly pid: number;
  readonly ppid: number;
  readonly pgid: number;
  readonly sid: number;
  /** Clock ticks since boot, decimal. */
  readonly startTime: string;
  /** The system's letter: `R` running, `S` sleeping, `T` stopped, `Z` zombie, … */
  readonly state: string;
}

export interface NativeUser {
  readonly uid: number;
  readonly gid: number;
  /** All of the user's groups, the primary one among them. */
  readonly groups: readonly number[];
  readonly home: string;
  readonly name: string;
}

export interface NativeCapability {
  readonly feature: string;
  readonly status: 'enforced' | 'watched' | 'impossible';
  readonly reason: string;
}

/** What the addon of this OS offers. System failures that no result type names throw `Error` with `errno`, `code` and `syscall`. */
/** The process that made a connection; its ids are those of this user namespace. */
export interface NativePeer {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

export interface Native {
  openEngine(options: NativeEngineOptions): NativeEngine;
  openPump(options: NativePumpOptions): NativePump;
  /** `null`: gone, or hidden. A zombie is returned, state `Z`: the caller treats it as dead. */
  identify(pid: number): ProcessRow | null;
  /** Changes with every boot. */
  bootId(): string;
  /**
   * One pass over all processes that may be seen, not in one instant. Who was listed and gone when its row was read has state `X`
   * and nothing but its pid.
   */
  processTable(): ProcessRow[];
  /** The processes that may be seen, not in one instant, with what the query asks; all of one row is of one process. */
  lookAtProcesses(query: NativeProcessQuery): NativeProcesses;
  /**
   * One variable of a process's environment as it was at its exec. `null`: not set, gone, or not ours to read. `undefined`: it is
   * in the middle of an exec, or of its exit, and cannot be asked at this moment.
   */
  environOf(pid: number, name: string): string | null | undefined;
  /** All trees in one call. A tree that is gone has no processes. */
  sampleTrees(trees: readonly NativeTree[], detail: NativeUsageDetail): NativeTreeUsage[];
  openSampler(): NativeSampler;
  /** Changes limits of a living process, all its threads. What failed, by step; `ESRCH` once where it is gone or another. */
  limitProcess(pid: number, startTime: string, limits: NativeProcessLimits): readonly NativeFailure[];
  /** A name, or the number of an account that has an entry. */
  lookupUser(nameOrId: string): NativeUser | null;
  /** A name, or any number. */
  lookupGroup(nameOrId: string): number | null;
  /**
   * Locks the file, made if need be. `null`: held by someone else. Ends with `unlockFile` or the process. `inherited`: what it returned
   * to the program before an `exec` that kept it; the lock goes on without a moment in which it is free.
   */
  lockFile(path: string, inherited?: number): number | null;
  unlockFile(lock: number): void;
  /**
   * Runs another program in this process: its pid, parent, children and role as a subreaper stay, and so do the three standard streams
   * and the descriptors in `kept`. Threads end, helpers that die with the master with them. Returns only where it fails: the errno’s
   * name, and nothing has changed. On the main thread only.
   */
  exec(
    file: string,
    argv: readonly string[],
    env: Readonly<Record<string, string | undefined>>,
    kept: readonly number[],
  ): string;
  /**
   * Holds a TCP port on all addresses, 0: any that is free, until `releasePort` or the end of the process. The kernel gives it to nobody
   * by chance, and binding it by its number takes SO_REUSEADDR or SO_REUSEPORT; who does can listen on it while it is held. Works also
   * where only closed connections of its last owner are left.
   */
  reservePort(port: number): NativeReservation;
  releasePort(reservation: number): void;
  /**
   * Sends one datagram to the unix socket at that path, or of that name where it begins with @, without waiting; with a descriptor of
   * `file`, opened for reading only, where that is given. `null`: it was taken; else the errno: `EAGAIN` where the receiver is behind.
   */
  sendDatagram(path: string, bytes: Uint8Array, file?: string): string | null;
  /** Who is at the other end of a connected unix socket, as it was when the connection was made. Throws for what is none. */
  peerCredentials(fd: number): NativePeer;
  /** To a process that need not be ours, only if it is still the same. Signal 0 asks whether it is. */
  signalProcess(pid: number, startTime: string, signal: number): NativeSignalResult;
  /** Gives memory back to the system that the C library keeps for later; nothing where it knows no way to. */
  trimMemory(): void;
  /** Tried on this machine, not guessed. */
  capabilities(): readonly NativeCapability[];
}
