import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type {
  LogSpec,
  Milliseconds,
  OutputChannels,
  OutputStream,
  RunOutput,
  WorkerId,
  WorkerSpec,
} from '@hsu-master/core';
import type {
  Native,
  NativeChannel,
  NativeChannelCounts,
  NativePump,
  NativePumpEvent,
} from '@hsu-master/native';
import { DirectOutput } from '../direct/direct-output.ts';
import {
  addWritten,
  type FileCollector,
  type FileCollectorOptions,
  fileCollector,
  hearingOf,
  NOTHING_WRITTEN,
  type OutputListener,
  type Written,
} from '../file-collector.ts';
import { lastLinesOf } from '../tail.ts';
import { within } from '../within.ts';
import { type ChannelFolder, channelFolder } from './channel-folder.ts';
import { type ChannelName, channelName } from './channel-name.ts';
import type { ChannelStore } from './channel-store.ts';
import { Compressor } from './compressor.ts';
import { type FileSettings, PLAIN } from './file-settings.ts';
import { announceEnd, type FoundRun, foundRuns, isHeldBySomebody } from './found-runs.ts';
import { newsOf } from './pump-news.ts';
import { NOWHERE, PumpedRun, type PumpedStream } from './pumped-run.ts';

export interface PumpCollectorOptions extends Omit<FileCollectorOptions, 'disk' | 'idleAfter'> {
  readonly native: Pick<Native, 'openPump'>;
  /** Where FIFOs are found again by the next master; must exist. */
  readonly runDirectory: string;
  /** How a stream’s file is written; by default plain, waiting for a slow disk, uncompressed. */
  settingsOf?(log: LogSpec, stream: OutputStream): FileSettings;
  /** Keeps FIFOs, and what is in them, while no master runs. */
  readonly store?: ChannelStore | null;
}

/** A collector whose files are written by the addon’s thread: this one only hears what it asks for. */
export interface PumpCollector extends FileCollector {
  /**
   * Carries on what an earlier master’s runs write into the FIFOs that it left, until nobody holds them; those of nobody are
   * removed. Of a worker that is not among `specs` the output is dropped.
   */
  adopt(specs: readonly WorkerSpec[]): void;
}

/** Bytes that listeners may have to be told and have not taken. */
const MAX_TAPPED = 2 ** 20;
const STREAMS = ['stdout', 'stderr'] as const;
const TAIL_LINES = 64;
/**
 * Has the output of every run written to the files that its spec names. Runs append; streams with the same path share a file in
 * the order of arrival. No failure of a disk reaches a worker: see `log.dropped`. A worker waits while a listener does not keep up.
 * Throws what making the FIFOs’ folder or the pump throws.
 */
export function pumpCollector(options: PumpCollectorOptions): PumpCollector {
  return new Pumped(options);
}

interface Place {
  readonly run: PumpedRun;
  readonly stream: PumpedStream;
}

class Pumped implements PumpCollector {
  readonly #options: PumpCollectorOptions;
  readonly #folder: ChannelFolder;
  readonly #pump: NativePump;
  /** Where no channel can be made, output comes by pipes. */
  readonly #piped: FileCollector;
  /** Of workers that append to their files themselves. */
  readonly #direct: DirectOutput;
  readonly #compressor: Compressor;
  readonly #master: string;
  readonly #listeners = new Set<OutputListener>();
  readonly #places = new Map<NativeChannel, Place>();
  /** Of runs of earlier masters, until somebody takes charge of them. */
  readonly #found = new Map<string, { readonly channels: OutputChannels; readonly isHeld: boolean }>();
  /** Of each worker its latest run. */
  readonly #latest = new Map<WorkerId, PumpedRun>();
  readonly #speaking = new Set<PumpedRun>();
  /** By channels that have ended. */
  readonly #written = new Map<WorkerId, Written>();
  readonly #drained = new Set<() => void>();
  #closed: (() => void) | null = null;
  #isClosed = false;
  /** Bytes that listeners were told since the last turn of the event loop. */
  #taken = 0;

  constructor(options: PumpCollectorOptions) {
    this.#options = options;
    this.#folder = channelFolder(options.runDirectory, options.clock.wallNow());
    this.#master = Math.floor(options.clock.wallNow()).toString(36);
    this.#piped = fileCollector(options);
    this.#direct = new DirectOutput({
      clock: options.clock,
      listeners: this.#listeners,
      publish: (event, workerId, run) => options.publish(event, workerId, run),
      pipe: (spec, run) => this.#piped.open(spec, run),
    });
    this.#pump = options.native.openPump({
      maxTappedBytes: MAX_TAPPED,
      onEvents: (events) => {
        for (const event of events) this.#hear(event);
      },
    });
    this.#compressor = new Compressor(this.#pump);
  }

  open(spec: WorkerSpec, run: number): RunOutput {
    if (spec.log.files.channel === 'file') {
      this.#forget(this.#latest.get(spec.id));
      this.#latest.delete(spec.id);
      return this.#direct.open(spec, run);
    }
    this.#direct.forget(spec.id);
    const pumped = new PumpedRun(this.#pump, spec.id, run, {
      open: (asking) => (this.#isClosing ? null : this.#openStreams(asking, spec)),
      pipe: () => this.#piped.open(spec, run),
    });
    this.#forget(this.#latest.get(spec.id));
    this.#latest.set(spec.id, pumped);
    return pumped;
  }

  resume(spec: WorkerSpec, run: number): OutputChannels | null {
    const key = `${spec.id}.${run}`;
    const found = this.#found.get(key)?.channels ?? null;
    if (this.#found.get(key)?.isHeld === false) this.#tellUnread(spec.id, run);
    this.#found.delete(key);
    if (found !== null || spec.log.files.channel !== 'file') return found;
    return this.#direct.open(spec, run).openChannels();
  }

  adopt(specs: readonly WorkerSpec[]): void {
    const logs = new Map(specs.map(({ id, log }) => [id, log]));
    for (const found of foundRuns(this.#folder.path)) {
      const { workerId, run } = found;
      const log = logs.get(workerId) ?? null;
      // Asked before they are opened here.
      const isHeld =
        log === null || found.channels.some(({ name }) => isHeldBySomebody(join(this.#folder.path, name)));
      const adopted = new PumpedRun(this.#pump, workerId, run, {
        open: (asking) => this.#openFound(asking, log, found),
        pipe: () => NOWHERE,
      });
      const channels = adopted.openChannels();
      // Those of a worker come in the order of its runs.
      this.#latest.set(workerId, adopted);
      if (channels !== null) this.#found.set(`${workerId}.${run}`, { channels, isHeld });
    }
    this.#pump.carryOn();
    this.#options.store?.settle(new Set(readdirSync(this.#folder.path)));
  }

  #openFound(asking: PumpedRun, log: LogSpec | null, { channels }: FoundRun): readonly PumpedStream[] {
    const streams = channels.flatMap(({ whose, name }) => {
      try {
        const stream = this.#openStream(log, whose, name);
        announceEnd(stream.fifo);
        return [stream];
      } catch {
        // It is no FIFO, or there are no descriptors: who writes to it waits, and the next master tries again.
        return [];
      }
    });
    this.#take(asking, streams);
    return streams;
  }

  #tellUnread(workerId: WorkerId, run: number): void {
    const reason = 'no-reader: it ended while no master ran, and what nobody had read by then is lost';
    this.#options.publish({ type: 'log.dropped', payload: { bytes: 0, reason } }, workerId, run);
  }

  subscribe(listener: OutputListener): () => void {
    const unsubscribe = this.#piped.subscribe(listener);
    this.#listeners.add(listener);
    this.retune();
    return () => {
      unsubscribe();
      if (this.#listeners.delete(listener)) this.retune();
    };
  }

  retune(): void {
    if (this.#isClosed) return;
    for (const [channel, { run }] of this.#places)
      this.#pump.tap(channel, hearingOf(this.#listeners, run.workerId));
    this.#direct.retune();
  }

  get heardStreams(): number {
    const living = [...this.#places.values()].filter(({ stream }) => !stream.ended);
    const heard = living.filter(({ run }) => hearingOf(this.#listeners, run.workerId) !== 'none');
    return heard.length + this.#piped.heardStreams + this.#direct.heardStreams;
  }

  written(): ReadonlyMap<WorkerId, Written> {
    const written = new Map(this.#written);
    const add = (id: WorkerId, counts: Written) =>
      written.set(id, addWritten(written.get(id) ?? NOTHING_WRITTEN, counts));
    if (!this.#isClosed)
      for (const [channel, { run, stream }] of this.#places) {
        const counts = stream.ended ? null : this.#pump.counts(channel);
        if (counts !== null) add(run.workerId, counts);
      }
    for (const part of [this.#piped.written(), this.#direct.written()])
      for (const [id, counts] of part) add(id, counts);
    return written;
  }

  lastLines(workerId: WorkerId, count: number, stream: OutputStream): readonly string[] {
    if (this.#direct.has(workerId)) return this.#direct.lastLines(workerId, count, stream);
    const run = this.#latest.get(workerId) ?? null;
    if (run === null || run.isPiped) return this.#piped.lastLines(workerId, count, stream);
    const channel = run?.find(stream)?.channel;
    if (channel === undefined || this.#isClosed) return [];
    return lastLinesOf(this.#pump.tail(channel), Math.min(count, TAIL_LINES));
  }

  async lastWords(workerId: WorkerId, run: number, timeout: Milliseconds): Promise<string | null> {
    if (this.#direct.has(workerId)) return this.#direct.lastWords(workerId, run, timeout);
    const isAsked = (one: PumpedRun | undefined) => one?.workerId === workerId && one.run === run;
    const latest = this.#latest.get(workerId);
    if (latest?.isPiped === true) return this.#piped.lastWords(workerId, run, timeout);
    const said = isAsked(latest) ? latest : [...this.#speaking].find(isAsked);
    const stderr = said?.find('stderr');
    if (said === undefined || stderr === undefined) return null;
    if (!stderr.ended) {
      const { promise, resolve } = Promise.withResolvers<void>();
      said.stderrEnded.push(resolve);
      await within(this.#options.clock, timeout, promise);
    }
    if (this.#isClosed) return null;
    return lastLinesOf(this.#pump.tail(stderr.channel), 1)[0] ?? null;
  }

  async drained(timeout: Milliseconds): Promise<void> {
    const { clock } = this.#options;
    const others = Promise.all([this.#piped.drained(timeout), this.#direct.drained(timeout)]);
    if (this.#speaking.size > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#drained.add(resolve);
      await within(clock, timeout, promise);
      this.#drained.delete(resolve);
    }
    await others;
  }

  async close(timeout: Milliseconds = 2000): Promise<void> {
    if (this.#isClosing) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#closed = resolve;
    await within(this.#options.clock, timeout, this.#compressor.close());
    this.#pump.stop();
    const others = [this.#piped.close(timeout), this.#direct.close(timeout)];
    await Promise.all([within(this.#options.clock, timeout, promise), ...others]);
    this.#isClosed = true;
    this.#pump.close();
    this.#folder.release();
  }

  get #isClosing(): boolean {
    return this.#closed !== null;
  }

  #openStreams(asking: PumpedRun, { id, log }: WorkerSpec): readonly PumpedStream[] | null {
    const streams: PumpedStream[] = [];
    try {
      for (const stream of STREAMS) {
        if (!(stream === 'stdout' ? log.captureStdout : log.captureStderr)) continue;
        const whose = { workerId: id, run: asking.run, stream, master: this.#master };
        streams.push(this.#openStream(log, whose, channelName(whose)));
      }
    } catch {
      for (const { channel } of streams) this.#pump.discard(channel);
      return null;
    }
    this.#take(asking, streams);
    return streams;
  }

  #openStream(log: LogSpec | null, { workerId, run, stream }: ChannelName, name: string): PumpedStream {
    const { stdoutFile, stderrFile, maxSize = 0, maxFiles = 0 } = log ?? {};
    const fifo = join(this.#folder.path, name);
    const settings = (log === null ? null : this.#options.settingsOf?.(log, stream)) ?? PLAIN;
    const { format, prefix, overflow, rotateEvery, compression } = settings;
    const channel = this.#pump.open({
      fifo,
      file: (stream === 'stdout' ? stdoutFile : stderrFile) ?? null,
      maxSize,
      maxFiles,
      rotateEvery,
      overflow,
      format,
      labels: { worker: workerId, run, stream, prefix },
    });
    const hearing = hearingOf(this.#listeners, workerId);
    if (hearing !== 'none') this.#pump.tap(channel, hearing);
    return { stream, channel, fifo, compression, missed: 0, ended: false };
  }

  #take(run: PumpedRun, streams: readonly PumpedStream[]): void {
    for (const stream of streams) {
      this.#places.set(stream.channel, { run, stream });
      this.#options.store?.keep(stream.fifo);
    }
    if (streams.length > 0) this.#speaking.add(run);
  }

  /** An earlier run of a worker: nobody asks for its last lines once the next one has begun. */
  #forget(run: PumpedRun | undefined): void {
    if (!run?.ended || this.#isClosed) return;
    for (const { channel } of run.streams) {
      this.#places.delete(channel);
      this.#pump.forget(channel);
    }
  }

  /** Not at once: what the pump then told would be heard before anything else has its turn. */
  #acknowledge(bytes: number): void {
    if (this.#taken === 0) {
      setImmediate(() => {
        const taken = this.#taken;
        this.#taken = 0;
        if (!this.#isClosed) this.#pump.acknowledge(taken);
      });
    }
    this.#taken += bytes;
  }

  #hear(event: NativePumpEvent): void {
    switch (event.type) {
      case 'pump-closed':
        this.#closed?.();
        return;
      case 'replaced':
        this.#compressor.hear(event);
        return;
      case 'rotated':
        this.#compressor.rotated(event.file, this.#places.get(event.channel)?.stream.compression ?? 'none');
        this.#publish(event, event.channel);
        return;
      case 'tapped': {
        const { data, channel, missed } = event;
        const place = this.#places.get(channel);
        const taken = place?.run.hear(place.stream, data, missed, this.#listeners) ?? null;
        if (taken === null) this.#acknowledge(data.length);
        else void taken.then(() => this.#acknowledge(data.length));
        return;
      }
      case 'channel-end':
        this.#ended(event.channel, event.counts);
        return;
      default:
        this.#publish(event, event.channel);
    }
  }

  #publish(event: NativePumpEvent, channel: NativeChannel): void {
    const news = newsOf(event, this.#isClosing);
    const run = this.#places.get(channel)?.run;
    if (news !== null && run !== undefined) this.#options.publish(news, run.workerId, run.run);
  }

  #ended(channel: NativeChannel, counts: NativeChannelCounts): void {
    const place = this.#places.get(channel);
    if (place === undefined || place.stream.ended) return;
    const { run, stream } = place;
    const before = this.#written.get(run.workerId) ?? NOTHING_WRITTEN;
    this.#written.set(run.workerId, addWritten(before, counts));
    const missed = counts.untappedBytes;
    this.#options.store?.forget(stream.fifo);
    run.hearEnd(stream, missed);
    if (!run.ended) return;
    if (this.#latest.get(run.workerId) !== run) this.#forget(run);
    if (!this.#speaking.delete(run) || this.#speaking.size > 0) return;
    for (const resolve of this.#drained) resolve();
  }
}
