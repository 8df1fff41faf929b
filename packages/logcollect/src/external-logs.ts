import { rm } from 'node:fs/promises';
import {
  type Clock,
  isSame,
  type OutputChannels,
  type OutputStream,
  type RunOutput,
  type WorkerId,
  type WorkerSpec,
} from '@hsu-master/core';
import { type FileCollector, hearingOf, type OutputListener, type RunListener } from './file-collector.ts';
import type { LogRecord } from './record.ts';
import { type ExternalBatch, type ExternalLog, type ExternalTail, externalTail } from './store/external.ts';
import { Tail } from './tail.ts';

export interface ExternalLogsOptions {
  readonly clock: Clock;
  /** Files that programs write which nobody here has started; of a worker with such files nothing else is captured. */
  readonly logs: readonly ExternalLog[];
  /** The file that remembers how far has been read, across lives of the master. */
  readonly positions: string;
  /** Hears of files that cannot be read, once each. */
  trouble(reason: string): void;
}

const TAIL_BYTES = 4096;
const TAIL_LINES = 64;
const NEWLINE = '\n';

/**
 * A collector whose listeners hear what is written to files of others, too, as if it were output of their workers. They are read only
 * while somebody wants that; who wants it all the time, over masters too, misses nothing of files that are still there.
 */
export function withExternalLogs(
  collector: FileCollector,
  options: ExternalLogsOptions,
): FileCollectorOfOthers {
  return new WithExternal(collector, options);
}

export interface FileCollectorOfOthers extends FileCollector {
  /** Other files are written by others. */
  change(logs: readonly ExternalLog[]): void;
}

class WithExternal implements FileCollectorOfOthers {
  readonly #inner: FileCollector;
  readonly #options: ExternalLogsOptions;
  readonly #listeners = new Set<OutputListener>();
  readonly #hearing = new Map<OutputListener, Map<string, RunListener>>();
  readonly #runs = new Map<WorkerId, number>();
  readonly #tails = new Map<string, Tail>();
  #logs: readonly ExternalLog[];
  #workers: ReadonlySet<WorkerId>;
  #reading: { readonly tail: ExternalTail; readonly ended: Promise<void> } | null = null;
  #turn: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(inner: FileCollector, options: ExternalLogsOptions) {
    this.#inner = inner;
    this.#options = options;
    this.#logs = options.logs;
    this.#workers = workersOf(options.logs);
  }

  change(logs: readonly ExternalLog[]): void {
    if (isSame(logs, this.#logs)) return;
    this.#logs = logs;
    this.#workers = workersOf(logs);
    // Those that stay are read on from where they were left.
    this.#turn = this.#turn.then(() => this.#endReading()).catch((error: unknown) => this.#complain(error));
    this.#tune();
  }

  open(spec: WorkerSpec, run: number): RunOutput {
    this.#runs.set(spec.id, run);
    return this.#inner.open(spec, run);
  }

  resume(spec: WorkerSpec, run: number, mark: string): OutputChannels | null {
    this.#runs.set(spec.id, run);
    return this.#inner.resume(spec, run, mark);
  }

  subscribe(listener: OutputListener): () => void {
    const unsubscribe = this.#inner.subscribe(listener);
    this.#listeners.add(listener);
    this.#tune();
    return () => {
      unsubscribe();
      this.#listeners.delete(listener);
      this.#hearing.delete(listener);
      this.#tune();
    };
  }

  retune(): void {
    this.#inner.retune();
    this.#tune();
  }

  get heardStreams(): number {
    return this.#inner.heardStreams;
  }

  written(): ReturnType<FileCollector['written']> {
    return this.#inner.written();
  }

  lastLines(workerId: WorkerId, count: number, stream: OutputStream): readonly string[] {
    if (!this.#workers.has(workerId)) return this.#inner.lastLines(workerId, count, stream);
    return this.#tails.get(`${workerId} ${stream}`)?.lines(Math.min(count, TAIL_LINES)) ?? [];
  }

  lastWords(...asked: Parameters<FileCollector['lastWords']>): Promise<string | null> {
    return this.#inner.lastWords(...asked);
  }

  drained(timeout: number): Promise<void> {
    return this.#inner.drained(timeout);
  }

  async close(timeout?: number): Promise<void> {
    this.#isClosed = true;
    this.#tune();
    await Promise.all([this.#turn, this.#inner.close(timeout)]);
  }

  /** Begins to read, or ends it, as somebody wants. */
  #tune(): void {
    const tuned = this.#turn.then(async () => {
      const isWanted =
        !this.#isClosed && [...this.#workers].some((id) => hearingOf(this.#listeners, id) !== 'none');
      if (isWanted === (this.#reading !== null)) return;
      if (isWanted) {
        const { clock, positions, trouble } = this.#options;
        const tail = externalTail({ clock, logs: this.#logs, positions, trouble });
        this.#reading = { tail, ended: this.#read(tail) };
        return;
      }
      await this.#endReading();
      // Who wants them later does not want what came meanwhile.
      if (!this.#isClosed) await rm(this.#options.positions, { force: true });
    });
    this.#turn = tuned.catch((error: unknown) => this.#complain(error));
  }

  async #endReading(): Promise<void> {
    const reading = this.#reading;
    this.#reading = null;
    await reading?.tail.close();
    await reading?.ended;
  }

  #complain(error: unknown): void {
    this.#options.trouble(error instanceof Error ? error.message : String(error));
  }

  async #read(tail: ExternalTail): Promise<void> {
    try {
      for await (const batch of tail) await this.#tell(batch);
    } catch (error) {
      this.#complain(error);
    }
  }

  async #tell({ log, records, lost }: ExternalBatch): Promise<void> {
    const { workerId, stream } = log;
    const bytes = Buffer.from(records.map(textOf).join(''));
    const key = `${workerId} ${stream}`;
    const tail = this.#tails.get(key) ?? new Tail(TAIL_BYTES);
    this.#tails.set(key, tail);
    tail.add(bytes);
    const missed = lost.reduce((sum, loss) => sum + loss.bytes, 0);
    const waiting: Promise<void>[] = [];
    for (const listener of this.#listeners) {
      if (listener.wants?.(workerId) === 'none') continue;
      const heard = this.#listenerOf(listener, workerId);
      if (missed > 0) heard.missed?.(stream, missed);
      const taken = bytes.length > 0 ? heard.chunk(stream, bytes) : undefined;
      if (taken !== undefined) waiting.push(taken);
    }
    await Promise.all(waiting);
  }

  #listenerOf(listener: OutputListener, workerId: WorkerId): RunListener {
    const run = this.#runs.get(workerId) ?? 1;
    const heard = this.#hearing.get(listener) ?? new Map<string, RunListener>();
    this.#hearing.set(listener, heard);
    const key = `${workerId} ${run}`;
    const known = heard.get(key) ?? listener.open(workerId, run);
    heard.set(key, known);
    return known;
  }
}

function workersOf(logs: readonly ExternalLog[]): ReadonlySet<WorkerId> {
  return new Set(logs.map(({ workerId }) => workerId));
}

/** Pieces of a long line follow each other without an end between them. */
function textOf({ text, piece }: LogRecord): string {
  return piece === 'head' || piece === 'part' ? text : text + NEWLINE;
}
