import type {
  Bytes,
  Clock,
  EventDraft,
  Milliseconds,
  OutputCollector,
  OutputStream,
  RunOutput,
  WorkerId,
  WorkerSpec,
} from '@hsu-master/core';
import { type Disk, realDisk } from './file/disk.ts';
import { LogFile, type Source } from './file/log-file.ts';
import { Tail } from './tail.ts';
import { within } from './within.ts';

/** Whether output is heard: `wait`: all of it, the worker waits for who hears it; `lose`: what can be taken, the rest is counted. */
export type Hearing = 'none' | 'lose' | 'wait';

/** Hears the output of runs, as it arrives. */
export interface OutputListener {
  /** Of which workers; by default all of all. Asked when a run begins, and by `retune`. */
  wants?(workerId: WorkerId): Hearing;
  /** Called at the first output of a run that it can hear. */
  open(workerId: WorkerId, run: number): RunListener;
}

/** Hears the output of one run. Must not throw, and must not keep the bytes: they belong to somebody else afterwards. */
export interface RunListener {
  /** A promise: when it has taken them; who wrote them may have to wait for that. */
  chunk(stream: OutputStream, bytes: Uint8Array): Promise<void> | undefined | void;
  /** So many bytes before the next chunk, or before the end, could not be heard. Only where it wanted `lose`. */
  missed?(stream: OutputStream, bytes: Bytes): void;
  end(stream: OutputStream): void;
}

/** What became of the output of one worker. */
export interface Written {
  /** That are in its files. */
  readonly bytes: Bytes;
  /** null: nobody has counted, since the worker writes its file itself. */
  readonly lines: number | null;
  /** That could not be written. */
  readonly droppedBytes: Bytes;
  /** null: not counted where output comes by pipes. */
  readonly droppedLines: number | null;
}

export const NOTHING_WRITTEN: Written = { bytes: 0, lines: 0, droppedBytes: 0, droppedLines: 0 };

/** Both together. */
export function addWritten(one: Written, other: Written): Written {
  const sum = (a: number | null, b: number | null) => (a === null || b === null ? null : a + b);
  return {
    bytes: one.bytes + other.bytes,
    lines: sum(one.lines, other.lines),
    droppedBytes: one.droppedBytes + other.droppedBytes,
    droppedLines: sum(one.droppedLines, other.droppedLines),
  };
}

export interface FileCollectorOptions {
  readonly clock: Clock;
  /** Publishes `log.rotated` and `log.dropped` about a run. */
  publish(event: EventDraft, workerId: WorkerId, run: number): void;
  /** The file system; by default the real one. */
  readonly disk?: Disk;
  /** A file nobody wrote to for so long is closed until there is more; by default 30 s. */
  readonly idleAfter?: Milliseconds;
}

export interface FileCollector extends OutputCollector {
  /** Lets a listener hear the output that it wants from now on; the returned function ends that. */
  subscribe(listener: OutputListener): () => void;
  /** Asks the listeners again what they want. */
  retune(): void;
  /** Streams whose bytes come to JavaScript because somebody wants them. */
  readonly heardStreams: number;
  /** What each worker has written since this began, whether anybody listens or not. */
  written(): ReadonlyMap<WorkerId, Written>;
  /** The last lines of the worker’s latest run, oldest first: at most `count`, 64 and 4 KiB. */
  lastLines(workerId: WorkerId, count: number, stream: OutputStream): readonly string[];
  /** The last line that a run wrote to stderr, as soon as that has ended, at the latest after `timeout`; null where it wrote none. */
  lastWords(workerId: WorkerId, run: number, timeout: Milliseconds): Promise<string | null>;
  /** Resolves when no run has more to say, at the latest after `timeout`: a process that could not be ended goes on speaking. */
  drained(timeout: Milliseconds): Promise<void>;
  /** Writes what waits and closes the files; gives up on a disk that does not answer within `timeout`, by default 2 s. */
  close(timeout?: Milliseconds): Promise<void>;
}

/** What the most attentive of them wants of a worker. */
export function hearingOf(listeners: Iterable<OutputListener>, workerId: WorkerId): Hearing {
  let most: Hearing = 'none';
  for (const listener of listeners) {
    const wanted = listener.wants?.(workerId) ?? 'wait';
    if (wanted === 'wait') return 'wait';
    if (wanted === 'lose') most = 'lose';
  }
  return most;
}

const TAIL_BYTES = 4096;
const TAIL_LINES = 64;
const NEWLINE = 0x0a;

/** What is kept of a run beside its files. */
interface Said {
  readonly workerId: WorkerId;
  readonly run: number;
  readonly tails: Partial<Record<OutputStream, Tail>>;
  /** Streams that have not ended. */
  readonly open: Set<OutputStream>;
  /** Called when its stderr has ended. */
  readonly stderrEnded: (() => void)[];
}

/**
 * Writes the output of every run to the files that its spec names. Runs append; streams with the same path share a file in the
 * order of arrival. A file is opened at its first byte. No failure of the disk reaches a worker: see `log.dropped`.
 */
export function fileCollector(options: FileCollectorOptions): FileCollector {
  return new Files(options);
}

class Files implements FileCollector {
  readonly #options: FileCollectorOptions;
  readonly #idleAfter: Milliseconds;
  readonly #files = new Map<string, LogFile>();
  readonly #listeners = new Set<OutputListener>();
  /** Of each worker its latest run. */
  readonly #latest = new Map<WorkerId, Said>();
  /** Runs with a stream that has not ended. */
  readonly #speaking = new Set<Said>();
  readonly #written = new Map<WorkerId, Written>();
  #drained = new Set<() => void>();
  #cancelSweep: (() => void) | null = null;
  #closed = false;

  constructor(options: FileCollectorOptions) {
    this.#options = options;
    this.#idleAfter = options.idleAfter ?? 30_000;
  }

  /** What is written into pipes ends with the master that reads them. */
  resume(): null {
    return null;
  }

  open(spec: WorkerSpec, run: number): RunOutput {
    const source: Source = { workerId: spec.id, run, log: spec.log };
    const hearing = new Map<OutputListener, RunListener>();
    const said = this.#begin(spec, run);
    return {
      openChannels: () => null,
      write: (stream, chunk, done) => {
        said.tails[stream] ??= new Tail(TAIL_BYTES);
        said.tails[stream].add(chunk);
        for (const listener of this.#listeners) {
          if (listener.wants?.(spec.id) === 'none') continue;
          let heard = hearing.get(listener);
          if (heard === undefined) {
            heard = listener.open(spec.id, run);
            hearing.set(listener, heard);
          }
          void heard.chunk(stream, chunk);
        }
        this.#write(stream === 'stdout' ? spec.log.stdoutFile : spec.log.stderrFile, chunk, source, done);
      },
      end: (stream) => {
        for (const heard of hearing.values()) heard.end(stream);
        this.#ended(said, stream);
      },
    };
  }

  subscribe(listener: OutputListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  written(): ReadonlyMap<WorkerId, Written> {
    return this.#written;
  }

  /** Everything passes here anyway. */
  retune(): void {}

  get heardStreams(): number {
    const heard = [...this.#speaking].filter(
      ({ workerId }) => hearingOf(this.#listeners, workerId) !== 'none',
    );
    return heard.reduce((sum, { open }) => sum + open.size, 0);
  }

  lastLines(workerId: WorkerId, count: number, stream: OutputStream): readonly string[] {
    return this.#latest.get(workerId)?.tails[stream]?.lines(Math.min(count, TAIL_LINES)) ?? [];
  }

  async lastWords(workerId: WorkerId, run: number, timeout: Milliseconds): Promise<string | null> {
    const isAsked = (said: Said | undefined) => said?.workerId === workerId && said.run === run;
    const latest = this.#latest.get(workerId);
    const said = isAsked(latest) ? latest : [...this.#speaking].find(isAsked);
    if (said?.open.has('stderr') === true) {
      const { promise, resolve } = Promise.withResolvers<void>();
      said.stderrEnded.push(resolve);
      await within(this.#options.clock, timeout, promise);
    }
    return said?.tails.stderr?.lines(1)[0] ?? null;
  }

  async drained(timeout: Milliseconds): Promise<void> {
    if (this.#speaking.size === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#drained.add(resolve);
    await within(this.#options.clock, timeout, promise);
    this.#drained.delete(resolve);
  }

  async close(timeout: Milliseconds = 2000): Promise<void> {
    this.#closed = true;
    this.#cancelSweep?.();
    await within(
      this.#options.clock,
      timeout,
      Promise.all([...this.#files.values()].map((file) => file.close())),
    );
  }

  #begin({ id: workerId, log }: WorkerSpec, run: number): Said {
    const said: Said = { workerId, run, tails: {}, open: new Set(), stderrEnded: [] };
    if (log.captureStdout) said.open.add('stdout');
    if (log.captureStderr) said.open.add('stderr');
    if (said.open.size > 0) this.#speaking.add(said);
    this.#latest.set(workerId, said);
    return said;
  }

  #ended(said: Said, stream: OutputStream): void {
    said.open.delete(stream);
    if (stream === 'stderr') for (const resolve of said.stderrEnded.splice(0)) resolve();
    if (said.open.size > 0 || !this.#speaking.delete(said)) return;
    if (this.#speaking.size === 0) for (const resolve of this.#drained) resolve();
  }

  #write(path: string, chunk: Uint8Array, source: Source, done: () => void): void {
    if (this.#closed) {
      done();
      return;
    }
    let file = this.#files.get(path);
    if (file === undefined) {
      const options = this.#options;
      const { clock, disk = realDisk } = options;
      file = new LogFile(path, source, {
        clock,
        disk,
        publish: (event, from) => options.publish(event, from.workerId, from.run),
        relieve: () => this.#relieve(),
      });
      this.#files.set(path, file);
      this.#cancelSweep ??= clock.after(this.#idleAfter, () => this.#sweep());
    }
    const lines = lineEnds(chunk);
    const { length } = chunk;
    file.write(chunk, source, (isWritten) => {
      const counts = isWritten
        ? { ...NOTHING_WRITTEN, bytes: length, lines, droppedLines: null }
        : { ...NOTHING_WRITTEN, droppedBytes: length, droppedLines: null };
      const { workerId } = source;
      this.#written.set(workerId, addWritten(this.#written.get(workerId) ?? NOTHING_WRITTEN, counts));
      done();
    });
  }

  /** Forgets files that are idle, so that many workers that seldom write do not hold a descriptor each. */
  #sweep(): void {
    this.#cancelSweep = null;
    const { clock } = this.#options;
    const before = clock.now() - this.#idleAfter;
    for (const [path, file] of this.#files) {
      if (file.closeIfIdle(before)) this.#files.delete(path);
    }
    if (this.#files.size > 0) this.#cancelSweep = clock.after(this.#idleAfter, () => this.#sweep());
  }

  #relieve(): void {
    const now = this.#options.clock.now();
    for (const file of this.#files.values()) file.closeIfIdle(now);
  }
}

function lineEnds(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, at + 1)) count += 1;
  return count;
}
