import type { OutputChannels } from '@hsu-master/core';
import type { NativeEngine, NativeHandle } from '@hsu-master/native';
import type { Leader } from './tree-run.ts';

/** The leader of a run, as the engine holds it. */
export class EngineLeader implements Leader {
  readonly #engine: NativeEngine;
  /** Set with the handle. */
  channels: OutputChannels | null = null;
  readonly #isClosed: () => boolean;
  /** Set once the process exists. */
  handle: NativeHandle | null = null;

  constructor(engine: NativeEngine, isClosed: () => boolean) {
    this.#engine = engine;
    this.#isClosed = isClosed;
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

/** What the engine is to give a process as a captured stream. */
export function asStream(fifo: string | null | undefined): 'capture' | { readonly fifo: string } {
  return fifo === null || fifo === undefined ? 'capture' : { fifo };
}
