import type { OutputChannels, OutputStream, RunOutput, WorkerId } from '@hsu-master/core';
import type { NativeChannel, NativePump } from '@hsu-master/native';
import type { OutputListener, RunListener } from '../file-collector.ts';

/** One opened stream of a run. */
export interface PumpedStream {
  readonly stream: OutputStream;
  readonly channel: NativeChannel;
  readonly fifo: string;
  ended: boolean;
}

/** The channels of one run, and who hears them. */
export class PumpedRun implements RunOutput {
  readonly workerId: WorkerId;
  readonly run: number;
  readonly streams: readonly PumpedStream[];
  readonly channels: OutputChannels;
  /** Called when its stderr has ended. */
  readonly stderrEnded: (() => void)[] = [];
  readonly #pump: NativePump;
  readonly #hearing = new Map<OutputListener, RunListener>();

  constructor(pump: NativePump, workerId: WorkerId, run: number, streams: readonly PumpedStream[]) {
    this.#pump = pump;
    this.workerId = workerId;
    this.run = run;
    this.streams = streams;
    const fifo = (stream: OutputStream) => this.find(stream)?.fifo ?? null;
    this.channels = {
      stdout: fifo('stdout'),
      stderr: fifo('stderr'),
      letGo: () => {
        for (const one of this.streams) if (!one.ended) pump.letGo(one.channel);
      },
    };
  }

  find(stream: OutputStream): PumpedStream | undefined {
    return this.streams.find((one) => one.stream === stream);
  }

  get ended(): boolean {
    return this.streams.every(({ ended }) => ended);
  }

  /** Its channels carry everything. */
  write(_stream: OutputStream, _chunk: Uint8Array, done: () => void): void {
    done();
  }

  /** Nothing was started. */
  end(stream: OutputStream): void {
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
