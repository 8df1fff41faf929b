import type { WorkerSpec } from '../worker/spec.ts';

export type OutputStream = 'stdout' | 'stderr';

/**
 * Named pipes that carry the output of one run past the master: whoever opened them reads them. The process holds them for reading
 * as well, so that it outlives the master without a signal, and its bytes too.
 */
export interface OutputChannels {
  /** Path of a FIFO where the stream is captured, else null. It is the worker’s user’s. */
  readonly stdout: string | null;
  readonly stderr: string | null;
  /** The run is over and nobody waits for its output any more: what is there is taken, what comes later is carried on. */
  letGo(): void;
}

/** Where the bytes of one run go. */
export interface RunOutput {
  /**
   * Called at most once, when a process is about to be made, by hosts that can give it channels; these then neither write nor end
   * what was started. null: all comes by `write`.
   */
  openChannels(): OutputChannels | null;
  /** Takes over a chunk. `done` is called exactly once when it no longer needs memory; until then it counts against the bound. */
  write(stream: OutputStream, chunk: Uint8Array, done: () => void): void;
  /** No more bytes of that stream will come; with channels, that nothing was started. */
  end(stream: OutputStream): void;
}

/** Opens the places where a run’s output goes. */
export interface OutputCollector {
  open(spec: WorkerSpec, run: number): RunOutput;
  /**
   * The channels of a run that an earlier master began, which are read again; what is heard of them is that worker’s and that run’s. null
   * where there are none. Called at most once per run.
   */
  resume(spec: WorkerSpec, run: number, mark: string): OutputChannels | null;
}
