import type { CheckedProcessLimits } from './check-limits.ts';
import type { CheckedSpawn } from './check-spawn.ts';
import type { NativePeer, NativeUser } from './native.ts';
import type { FlatLook } from './processes.ts';
import type { CheckedChannel } from './pump.ts';

/** The engine as the addon has it: results are plain numbers, 0 or an errno where nothing else is said. */
export interface AddonEngine {
  /** A handle. */
  submit(options: CheckedSpawn): number;
  /** Of each: handle, step that failed or −1, errno, pid, start time. */
  collect(): Float64Array;
  release(handle: number, go: boolean): void;
  signal(handle: number, signal: number): number;
  protect(score: number): number;
  signalGroup(handle: number, signal: number): number;
  /** A watch, or a negative errno. */
  watch(pid: number, startTime: number): number;
  unwatch(watch: number): void;
  reapInherited(): void;
  rest(): void;
  detachOutput(handle: number): void;
  acknowledge(bytes: number): void;
  close(): void;
}

/** The pump as the addon has it. */
export interface AddonPump {
  /** A channel, or the call that failed and its errno. */
  open(options: CheckedChannel): number | [string, number];
  carryOn(): void;
  discard(channel: number): void;
  letGo(channel: number): void;
  forget(channel: number): void;
  counts(channel: number): Float64Array | null;
  tail(channel: number): Buffer;
  tap(channel: number, how: number): void;
  acknowledge(bytes: number): void;
  replaceRotated(path: string, device: number, inode: number, made: string, suffix: string): void;
  stop(): void;
  close(): void;
}

/** The sampler as the addon has it; see native/shared/hsu/glue/sampler_object.cc. */
export interface AddonSampler {
  enter(texts: string, numbers: Float64Array): number;
  leave(tree: number): void;
  sample(
    trees: Float64Array,
    pss: boolean,
    connections: boolean,
    pressure: boolean,
    descriptors: boolean,
    peak: boolean,
  ): Float64Array;
  newcomers(): Float64Array;
  close(): void;
}

/** What native/shared/hsu/glue/addon.cc exports. */
export interface Addon {
  readonly Engine: new (options: {
    onEvents(numbers: Float64Array, buffers: readonly Buffer[]): void;
    subreaper: boolean;
    maxUnacknowledgedBytes: number;
  }) => AddonEngine;
  readonly Pump: new (options: {
    onEvents(numbers: Float64Array, buffers: readonly Buffer[]): void;
    maxTappedBytes: number;
  }) => AddonPump;
  readonly Sampler: new () => AddonSampler;
  identify(pid: number): Float64Array | null;
  processTable(): Float64Array;
  /** Pids or null for all, fields as bits, protocols and ports, paths that each end with a NUL; see native/shared/hsu/glue/proctable_object.cc. */
  lookAtProcesses(pids: Float64Array | null, fields: number, ports: Float64Array, files: string): FlatLook;
  bootId(): string;
  environOf(pid: number, name: string): string | null | undefined;
  signalProcess(pid: number, startTime: number, signal: number): number;
  /** Step and errno of each that failed, one after the other. */
  limitProcess(pid: number, startTime: number, limits: CheckedProcessLimits): number[];
  orphans(): number[];
  lookupUser(nameOrId: string): NativeUser | null;
  lookupGroup(nameOrId: string): number | null;
  /** `inherited`: a descriptor, −1 for none. */
  lockFile(path: string, inherited: number): number | null;
  /** An errno; does not return where it succeeds. */
  exec(file: string, argv: readonly string[], env: readonly string[], kept: readonly number[]): number;
  unlockFile(lock: number): void;
  /** The reservation and its port, or the call that failed and its errno. */
  reservePort(port: number): [number, number] | [string, number];
  releasePort(reservation: number): void;
  /** Paths that each end with a NUL, and numbers; see native/shared/hsu/glue/usage_object.cc, also for what it returns. */
  sampleTrees(
    texts: string,
    numbers: Float64Array,
    pss: boolean,
    connections: boolean,
    pressure: boolean,
    descriptors: boolean,
    peak: boolean,
  ): Float64Array;
  /** `file`: empty for none. */
  sendDatagram(path: string, bytes: Uint8Array, file: string): number;
  peerCredentials(fd: number): NativePeer;
  trimMemory(): void;
  probe(): Probe;
}

/** 0: works here; else the errno of the attempt. */
export interface Probe {
  readonly pidfd: number;
  readonly clone3: number;
  readonly cloneIntoCgroup: number;
  readonly closeRange: number;
  readonly subreaper: number;
  readonly childrenList: number;
  readonly exitStatus: number;
}
