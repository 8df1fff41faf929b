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
  /** Bytes that listeners have missed. */
  missed: number;
  ended: boolean;
}

/** What a run asks of its collector. */
export interface Opener {
  /** null: no channels can be made. */
  open(run: PumpedRun): readonly PumpedStream[] | null;
  /** Takes the output by pipes instead. */
  pipe(run: PumpedRun): RunOutput;
}

/** For what is adopted: it has its channel already. */
export const NOWHERE: RunOutput = {
  openChannels: () => null,
  write: (_stream, _chunk, done) => done(),
  end: () => {},
};

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

  /** `missed`: since the stream was opened. A promise: when all have taken it. */
  hear(
    one: PumpedStream,
    bytes: Uint8Array,
    missed: number,
    listeners: ReadonlySet<OutputListener>,
  ): Promise<unknown> | null {
    const gap = missed - one.missed;
    one.missed = missed;
    const waiting: Promise<void>[] = [];
    for (const listener of listeners) {
      if (listener.wants?.(this.workerId) === 'none') continue;
      let heard = this.#hearing.get(listener);
      if (heard === undefined) {
        heard = listener.open(this.workerId, this.run);
        this.#hearing.set(listener, heard);
      }
      if (gap > 0) heard.missed?.(one.stream, gap);
      const taken = heard.chunk(one.stream, bytes);
      if (taken !== undefined) waiting.push(taken);
    }
    return waiting.length === 0 ? null : Promise.all(waiting);
  }

  hearEnd(one: PumpedStream, missed: number): void {
    one.ended = true;
    for (const heard of this.#hearing.values()) {
      if (missed > one.missed) heard.missed?.(one.stream, missed - one.missed);
      heard.end(one.stream);
    }
    if (one.stream === 'stderr') for (const resolve of this.stderrEnded.splice(0)) resolve();
  }
}
