import type { OutputChannels } from '@hsu-master/core';
import type { NativeHandle, WindowsEngine } from '@hsu-master/native';
import type { Leader } from '../tree-run.ts';

/** The leader of a run, as the engine holds it. */
export class WindowsLeader implements Leader {
  readonly #engine: WindowsEngine;
  readonly #isClosed: () => boolean;
  channels: OutputChannels | null = null;
  /** Set once the process exists. */
  handle: NativeHandle | null = null;

  constructor(engine: WindowsEngine, isClosed: () => boolean) {
    this.#engine = engine;
    this.#isClosed = isClosed;
  }

  settle(): void {}

  /** There are no groups: each member is asked. */
  signalGroup(): boolean {
    return false;
  }

  detachOutput(): void {
    if (this.handle === null || this.#isClosed()) return;
    this.channels?.letGo();
    this.#engine.detachOutput(this.handle);
  }
}
