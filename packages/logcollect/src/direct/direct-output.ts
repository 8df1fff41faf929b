import type {
  Bytes,
  Clock,
  EventDraft,
  LogSpec,
  Milliseconds,
  OutputChannels,
  OutputStream,
  RunOutput,
  WorkerId,
  WorkerSpec,
} from '@hsu-master/core';
import {
  addWritten,
  hearingOf,
  NOTHING_WRITTEN,
  type OutputListener,
  type RunListener,
  type Written,
} from '../file-collector.ts';
import { lastLinesOf } from '../tail.ts';
import { within } from '../within.ts';
import { DirectFile } from './direct-file.ts';

export interface DirectOptions {
  readonly clock: Clock;
  /** Those who may hear it; looked at again each time. */
  readonly listeners: ReadonlySet<OutputListener>;
  publish(event: EventDraft, workerId: WorkerId, run: number): void;
  /** By pipes instead, where a file cannot be opened: what becomes of the output is told there. */
  pipe(spec: WorkerSpec, run: number): RunOutput;
}

/** One stream of one run in its file. */
interface Strand {
  readonly stream: OutputStream;
  readonly run: DirectRun;
  readonly file: DirectFile;
  readonly from: Bytes;
  /** Heard so far. */
  heard: Bytes;
  /** Where the run was over; null: it is not. */
  until: Bytes | null;
  isEnded: boolean;
}

interface DirectRun {
  readonly workerId: WorkerId;
  readonly run: number;
  readonly hearing: Map<OutputListener, RunListener>;
  /** Called when its stderr has ended. */
  readonly stderrEnded: (() => void)[];
  strands: Strand[];
  piped: RunOutput | null;
}

const HEARD: Milliseconds = 100;
const UNHEARD: Milliseconds = 1000;
const CHUNK: Bytes = 64 * 1024;
/** Who is further behind misses what is older; it stays in the files. */
const MOST_BEHIND: Bytes = 64 * 1024 * 1024;
const TAIL_BYTES: Bytes = 4096;
const TAIL_LINES = 64;
const STREAMS = ['stdout', 'stderr'] as const;

/**
 * The output of workers that append to their files themselves: what they write needs nobody, and nothing is lost whatever becomes of
 * the master. Here the files are rotated, by copying and emptying, and read for those who listen.
 */
export class DirectOutput {
  readonly #options: DirectOptions;
  readonly #files = new Map<string, DirectFile>();
  readonly #latest = new Map<WorkerId, DirectRun>();
  readonly #strands = new Set<Strand>();
  readonly #failing = new Map<DirectFile, string>();
  readonly #drained = new Set<() => void>();
  readonly #buffer = Buffer.allocUnsafe(CHUNK);
  /** By runs that are over. */
  readonly #written = new Map<WorkerId, Written>();
  #cancel: (() => void) | null = null;
  #turn: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(options: DirectOptions) {
    this.#options = options;
  }

  /** Whether the worker’s latest run is one of these. */
  has(workerId: WorkerId): boolean {
    return this.#latest.get(workerId)?.piped === null;
  }

  /** Another kind of run has followed. */
  forget(workerId: WorkerId): void {
    this.#latest.delete(workerId);
  }

  open(spec: WorkerSpec, number: number): RunOutput {
    const run = this.#begin(spec.id, number);
    const pipe = () => (run.piped ??= this.#options.pipe(spec, number));
    return {
      openChannels: () => {
        const channels = this.#openChannels(run, spec.log);
        if (channels === null) pipe();
        return channels;
      },
      write: (stream, chunk, done) => pipe().write(stream, chunk, done),
      end: (stream) => {
        run.piped?.end(stream);
        for (const strand of run.strands) if (strand.stream === stream) strand.until ??= strand.from;
        this.#plan(0);
      },
    };
  }

  get heardStreams(): number {
    return [...this.#strands].filter((strand) => this.#isHeard(strand)).length;
  }

  /** Lines are not counted: nobody need read them. */
  written(): ReadonlyMap<WorkerId, Written> {
    const written = new Map(this.#written);
    if (!this.#isClosed) for (const strand of this.#strands) add(written, strand);
    return written;
  }

  /** Somebody wants more, or less. */
  retune(): void {
    if (this.#strands.size > 0) this.#plan(0);
  }

  lastLines(workerId: WorkerId, count: number, stream: OutputStream): readonly string[] {
    const run = this.#latest.get(workerId);
    const strand = run?.strands.find((one) => one.stream === stream) ?? run?.strands[0];
    if (strand === undefined || this.#isClosed) return [];
    return lastLinesOf(strand.file.tail(strand.from, TAIL_BYTES), Math.min(count, TAIL_LINES));
  }

  async lastWords(workerId: WorkerId, number: number, timeout: Milliseconds): Promise<string | null> {
    const run = this.#latest.get(workerId);
    const stderr = run?.strands.find(({ stream }) => stream === 'stderr');
    if (run?.run !== number || stderr === undefined) return null;
    if (!stderr.isEnded) {
      const { promise, resolve } = Promise.withResolvers<void>();
      run.stderrEnded.push(resolve);
      await within(this.#options.clock, timeout, promise);
    }
    return this.lastLines(workerId, 1, 'stderr')[0] ?? null;
  }

  async drained(timeout: Milliseconds): Promise<void> {
    if (this.#strands.size === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#drained.add(resolve);
    await within(this.#options.clock, timeout, promise);
    this.#drained.delete(resolve);
  }

  async close(timeout: Milliseconds): Promise<void> {
    if (this.#isClosed) return;
    this.#cancel?.();
    await within(this.#options.clock, timeout, this.#look());
    this.#isClosed = true;
    this.#cancel?.();
    for (const file of this.#files.values()) file.close();
  }

  #begin(workerId: WorkerId, number: number): DirectRun {
    const run: DirectRun = {
      workerId,
      run: number,
      hearing: new Map(),
      stderrEnded: [],
      strands: [],
      piped: null,
    };
    this.#latest.set(workerId, run);
    return run;
  }

  #openChannels(run: DirectRun, log: LogSpec): OutputChannels | null {
    if (this.#isClosed) return null;
    const paths = {
      stdout: log.captureStdout ? log.stdoutFile : null,
      stderr: log.captureStderr ? log.stderrFile : null,
    };
    try {
      for (const path of [paths.stdout, paths.stderr]) if (path !== null) this.#fileAt(path, log);
    } catch {
      return null;
    }
    for (const stream of STREAMS) {
      const path = paths[stream];
      // Of one file for both nobody can tell which bytes are whose.
      if (path === null || (stream === 'stderr' && path === paths.stdout)) continue;
      const file = this.#fileAt(path, log);
      const from = file.end();
      const strand = { stream, run, file, from, heard: from, until: null, isEnded: false };
      run.strands.push(strand);
      this.#strands.add(strand);
    }
    this.#plan(0);
    return {
      ...paths,
      letGo: () => {
        for (const strand of run.strands) strand.until ??= strand.file.end();
        this.#plan(0);
      },
    };
  }

  #fileAt(path: string, log: LogSpec): DirectFile {
    let file = this.#files.get(path);
    if (file === undefined) {
      file = new DirectFile(path, log, this.#options.clock);
      this.#files.set(path, file);
    }
    file.use(log);
    return file;
  }

  #isHeard({ run }: Strand): boolean {
    return hearingOf(this.#options.listeners, run.workerId) !== 'none';
  }

  #plan(delay: Milliseconds): void {
    if (this.#isClosed) return;
    this.#cancel?.();
    this.#cancel = this.#options.clock.after(delay, () => {
      this.#cancel = null;
      void this.#look().then(() => {
        if (this.#cancel === null && this.#strands.size > 0)
          this.#plan(this.heardStreams > 0 ? HEARD : UNHEARD);
      });
    });
  }

  #look(): Promise<void> {
    this.#turn = this.#turn.then(async () => {
      for (const strand of this.#strands) await this.#hear(strand);
      for (const strand of this.#strands) await this.#keep(strand);
      for (const strand of this.#strands)
        if (strand.until !== null && strand.heard >= strand.until) this.#end(strand);
      if (this.#strands.size === 0) for (const resolve of this.#drained) resolve();
    });
    return this.#turn;
  }

  /** Tells all that there is, unless nobody wants it. */
  async #hear(strand: Strand): Promise<void> {
    const { file } = strand;
    const until = strand.until ?? file.end();
    if (!this.#isHeard(strand)) {
      strand.heard = Math.max(strand.heard, until);
      return;
    }
    if (until - strand.heard > MOST_BEHIND) this.#miss(strand, until - MOST_BEHIND);
    for (;;) {
      const read = await file.read(strand.heard, until, this.#buffer).catch(() => null);
      if (read === null) break;
      if (read.at > strand.heard) this.#miss(strand, read.at);
      strand.heard = read.at + read.bytes.length;
      const taken = this.#listenersOf(strand).map((listener) => listener.chunk(strand.stream, read.bytes));
      const waiting = taken.filter((each) => each !== undefined);
      await Promise.all(waiting);
    }
    // What is gone cannot be waited for.
    if (strand.until !== null) strand.heard = Math.max(strand.heard, strand.until);
  }

  #miss(strand: Strand, to: Bytes): void {
    for (const listener of this.#listenersOf(strand)) listener.missed?.(strand.stream, to - strand.heard);
    strand.heard = to;
  }

  #listenersOf({ run }: Strand): RunListener[] {
    const listeners: RunListener[] = [];
    for (const listener of this.#options.listeners) {
      if (listener.wants?.(run.workerId) === 'none') continue;
      let heard = run.hearing.get(listener);
      if (heard === undefined) {
        heard = listener.open(run.workerId, run.run);
        run.hearing.set(listener, heard);
      }
      listeners.push(heard);
    }
    return listeners;
  }

  /** Rotates its file where that is due. */
  async #keep({ file, run }: Strand): Promise<void> {
    if (!file.isDue()) return;
    const { publish } = this.#options;
    try {
      await file.rotate();
      this.#failing.delete(file);
      publish({ type: 'log.rotated', payload: { file: file.path } }, run.workerId, run.run);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const reason = `cannot rotate ${file.path}, which grows: ${why}`;
      if (this.#failing.get(file) === reason) return;
      this.#failing.set(file, reason);
      publish({ type: 'log.dropped', payload: { bytes: 0, reason } }, run.workerId, run.run);
    }
  }

  #end(strand: Strand): void {
    strand.isEnded = true;
    add(this.#written, strand);
    this.#strands.delete(strand);
    const { run, stream } = strand;
    for (const heard of run.hearing.values()) heard.end(stream);
    const isStderr = stream === 'stderr' || run.strands.length === 1;
    if (isStderr) for (const resolve of run.stderrEnded.splice(0)) resolve();
  }
}

function add(written: Map<WorkerId, Written>, { run, file, from, until }: Strand): void {
  const counts = { ...NOTHING_WRITTEN, bytes: (until ?? file.end()) - from, lines: null };
  written.set(run.workerId, addWritten(written.get(run.workerId) ?? NOTHING_WRITTEN, counts));
}
