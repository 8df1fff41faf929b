import type { OutputChannels } from '@hsu-master/core';
import type { NativeEngine, NativeHandle, NativeLimits, NativeSpawn } from '@hsu-master/native';
import type { Births } from './births.ts';
import type { Launch, Prepared } from './prepare.ts';
import type { Leader } from './tree-run.ts';

/** The leader of a run, as the engine holds it. */
export class EngineLeader implements Leader {
  readonly #engine: NativeEngine;
  readonly #births: Births;
  /** Set with the handle. */
  channels: OutputChannels | null = null;
  readonly #isClosed: () => boolean;
  /** Set once the process exists. */
  handle: NativeHandle | null = null;

  constructor(engine: NativeEngine, births: Births, isClosed: () => boolean) {
    this.#engine = engine;
    this.#births = births;
    this.#isClosed = isClosed;
  }

  settle(): void {
    this.#births.settle();
  }

  signalGroup(signal: number): boolean {
    return this.handle !== null && !this.#isClosed() && this.#engine.signalGroup(this.handle, signal).ok;
  }

  detachOutput(): void {
    if (this.handle === null || this.#isClosed()) return;
    this.channels?.letGo();
    this.#engine.detachOutput(this.handle);
  }
}

/** A launch as the engine wants it. */
export function spawnOptions(
  launch: Launch,
  { attempt, credentials }: Prepared,
  channels: OutputChannels | null,
  limits: NativeLimits | null,
): NativeSpawn {
  const { command } = launch;
  return {
    file: attempt.file,
    argv: command.argv,
    env: Object.entries(attempt.env).map(([name, value]) => `${name}=${value}`),
    cwd: command.cwd,
    umask: command.umask,
    uid: credentials.uid,
    gid: credentials.gid,
    groups: credentials.groups,
    stdout: launch.captureStdout ? asStream(channels?.stdout) : 'null',
    stderr: launch.captureStderr ? asStream(channels?.stderr) : 'null',
    listens: launch.listens,
    shellFallback: true,
    nofile: null,
    // A helper has no run record by which the next master could find it.
    dieWithMaster: launch.workerId === null,
    limits,
  };
}

/** What the engine is to give a process as a captured stream. */
function asStream(fifo: string | null | undefined): 'capture' | { readonly fifo: string } {
  return fifo === null || fifo === undefined ? 'capture' : { fifo };
}
