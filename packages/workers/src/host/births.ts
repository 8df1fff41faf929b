import type { NativeEngine, NativeHandle, NativeSpawn, NativeSpawnResult } from '@hsu-master/native';

/** How many processes may be in the making before somebody waits for them: enough to keep both threads at work. */
const MOST = 16;

type Outcome = (result: NativeSpawnResult, handle: NativeHandle) => void;

/**
 * Processes in the making. While the engine’s thread makes some, ours prepares the next; what became of them is taken when this
 * stretch of synchronous code is over, or when they are many.
 */
export class Births {
  readonly #engine: NativeEngine;
  readonly #awaited = new Map<NativeHandle, Outcome>();
  #scheduled = false;

  constructor(engine: NativeEngine) {
    this.#engine = engine;
  }

  get count(): number {
    return this.#awaited.size;
  }

  /** Tells `outcome` later, or, where many are in the making, of those before. Throws what the engine refuses to take. */
  begin(options: NativeSpawn, outcome: Outcome): void {
    this.#awaited.set(this.#engine.submit(options), outcome);
    if (this.#awaited.size >= MOST) this.settle();
    else if (!this.#scheduled) {
      this.#scheduled = true;
      queueMicrotask(() => {
        this.#scheduled = false;
        this.settle();
      });
    }
  }

  /** Waits for all that are in the making. */
  settle(): void {
    if (this.#awaited.size === 0) return;
    for (const { handle, result } of this.#engine.collect()) {
      const outcome = this.#awaited.get(handle);
      this.#awaited.delete(handle);
      outcome?.(result, handle);
    }
  }

  /** The engine is about to be closed: what is in the making never runs, and nobody is told. */
  forget(): void {
    this.#awaited.clear();
  }
}
