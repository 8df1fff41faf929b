import type { OutputChannels, OutputStream, RunOutput, WorkerId } from '@hsu-master/core';
import type { NativeChannel, NativePump } from '@hsu-master/native';
import type { OutputListener, RunListener } from '../file-collector.ts';
import type { Compression } from './compressor.ts';

/** One opened stream of a run. */
export interface PumpedStream {
  readonly stream: OutputStream;
  readonly channel: NativeChannel;
  readonly fifo: string;
  readonly compression: Compression;
  ended: boolean;
}

/** What a run asks of its collector. */
export interface Opener {
  /** null: no channels can be made. */
  open(run: PumpedRun): readonly PumpedStream[] | null;
  /** Takes the output by pipes instead. */
  pipe(run: PumpedRun): RunOutput;
}

/** The output of one run: by channels where they can be made. */
export class PumpedRun implements RunOutput {
  readonly workerId: WorkerId;
  readonly run: number;
  /** Called when its stderr has ended. */
  readonly stderrEnded: (() => void)[] = [];
  streams: readonly PumpedStream[] = [];
  readonly #pump: NativePump;
  readonly #opener: Opener;
  #piped: RunOutput | null = null;
  readonly #hearing = new Map<OutputListener, RunListener>();

  constructor(pump: NativePump, workerId: WorkerId, run: number, opener: Opener) {
    this.#pump = pump;
    this.workerId = workerId;
    this.run = run;
    this.#opener = opener;
  }

  get isPiped(): boolean {
    return this.#piped !== null;
  }

  openChannels(): OutputChannels | null {
    const streams = this.#opener.open(this);
    if (streams === null) {
      this.#piped = this.#opener.pipe(this);
      return null;
    }
    this.streams = streams;
    const fifo = (stream: OutputStream) => this.find(stream)?.fifo ?? null;
    return {
      stdout: fifo('stdout'),
      stderr: fifo('stderr'),
      letGo: () => {
        for (const one of streams) if (!one.ended) this.#pump.letGo(one.channel);
      },
    };
  }

  find(stream: OutputStream): PumpedStream | undefined {
    return this.streams.find((one) => one.stream === stream);
  }

  get ended(): boolean {
    return this.streams.every(({ ended }) => ended);
  }

  /** By hosts that have no use for channels. */
  write(stream: OutputStream, chunk: Uint8Array, done: () => void): void {
    this.#piped ??= this.#opener.pipe(this);
    this.#piped.write(stream, chunk, done);
  }

  end(stream: OutputStream): void {
    this.#piped?.end(stream);
    const one = this.find(stream);
    if (one !== undefined && !one.ended) this.#pump.discard(one.channel);
  }

  hear(stream: OutputStream, bytes: Uint8Array, listeners: ReadonlySet<OutputListener>): void {
    for (const listener of listeners) {
      let heard = this.#hearing.get(listener);
      if (heard === undefined) {
        heard = listener.open(this.workerId, this.run);
        this.#hearing.set(listener, heard);
      }
      heard.chunk(stream, bytes);
    }
  }

  hearEnd(one: PumpedStream): void {
    one.ended = true;
    for (const heard of this.#hearing.values()) heard.end(one.stream);
    if (one.stream === 'stderr') for (const resolve of this.stderrEnded.splice(0)) resolve();
  }
}
