import type { Clock, Milliseconds, MonotonicTime, OutputStream, WorkerId } from '@hsu-master/core';
import type { LogRecord } from '../record.ts';
import { Signal } from '../sinks/signal.ts';
import type { Begin } from './chain.ts';
import { expand, isGlob } from './glob.ts';
import { LogFollower, type Loss } from './log-follower.ts';
import { loadPositions, type Positions, savePositions } from './position-file.ts';
import { openStored } from './stored-file.ts';
import type { Place } from './stored-line.ts';
import { isAt } from './walk.ts';

/** Files that a program writes itself: one path, or several with `*`, `?`, `[abc]` and `**`. */
export interface ExternalLog {
  readonly workerId: WorkerId;
  /** Taken for that stream of the worker. */
  readonly stream: OutputStream;
  /** Absolute. */
  readonly path: string;
  /** Where files begin that are there when they are looked at for the first time; those that come later begin at their beginning. */
  readonly begin: 'beginning' | 'end';
}

export interface ExternalOptions {
  readonly clock: Clock;
  readonly logs: readonly ExternalLog[];
  /** The file that remembers how far has been read; null: nothing is remembered. */
  readonly positions: string | null;
  /** How often new files are looked for; by default every 2 s. */
  readonly lookEvery?: Milliseconds;
  /** How often positions are saved at most; by default every second. */
  readonly saveEvery?: Milliseconds;
  /** A line that has not ended is handed on after so long; by default 5 s; null: never. */
  readonly partialAfter?: Milliseconds | null;
  /** Hears of files that cannot be read and positions that cannot be saved, once each. */
  trouble?(reason: string): void;
}

export interface ExternalBatch {
  readonly log: ExternalLog;
  readonly path: string;
  /** `at` is when they were read. */
  readonly records: readonly LogRecord[];
  readonly lost: readonly Loss[];
}

/**
 * Lines of files that others write, rotate, copy and truncate. Nothing is read that is not asked for. A batch counts as taken when the
 * next one is asked for: what was taken since the last save is given again after a kill.
 */
export interface ExternalTail extends AsyncIterableIterator<ExternalBatch, void, void> {
  /** Saves how far has been taken, and closes the files. */
  close(): Promise<void>;
}

export function externalTail(options: ExternalOptions): ExternalTail {
  return new Tails(options);
}

interface Source {
  readonly log: ExternalLog;
  readonly path: string;
  readonly follower: LogFollower;
  due: MonotonicTime;
  pause: Milliseconds;
  isReady: boolean;
  /** Looks in which a name with wildcards was not there. */
  missing: number;
}

const SHORTEST = 50;
const LONGEST = 800;
/** So many looks after its name has gone a file is let go. */
const PATIENCE = 30;

class Tails implements ExternalTail {
  readonly #options: ExternalOptions;
  readonly #sources = new Map<string, Source>();
  readonly #told = new Set<string>();
  readonly #closing = new Signal();
  readonly #seq = new Map<WorkerId, number>();
  #positions: Positions | null = null;
  #isFirstLook = true;
  #lookDue: MonotonicTime = 0;
  #saveDue: MonotonicTime = 0;
  #isChanged = false;
  /** Of the batch that was handed on last. */
  #given: { path: string; place: Place | null } | null = null;
  #isClosed = false;
  #turn: Promise<unknown> = Promise.resolve();
  #round = 0;

  constructor(options: ExternalOptions) {
    this.#options = options;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<ExternalBatch, void>> {
    const next = this.#turn.then(() => this.#advance());
    this.#turn = next.catch(() => undefined);
    return next;
  }

  async return(): Promise<IteratorResult<ExternalBatch, void>> {
    await this.close();
    return { done: true, value: undefined };
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#closing.notify();
    await this.#turn;
    if (this.#isChanged) await this.#save();
    for (const { follower } of this.#sources.values()) await follower.close();
    this.#sources.clear();
  }

  async #advance(): Promise<IteratorResult<ExternalBatch, void>> {
    const { clock, lookEvery = 2000, saveEvery = 1000 } = this.#options;
    this.#take();
    while (!this.#isClosed) {
      const now = clock.now();
      if (this.#positions === null) await this.#load();
      if (this.#isFirstLook || now >= this.#lookDue) {
        await this.#lookForFiles();
        this.#lookDue = now + lookEvery;
      }
      if (this.#isChanged && now >= this.#saveDue) {
        await this.#save();
        this.#saveDue = now + saveEvery;
      }
      const batch = await this.#read();
      if (batch !== null) return { done: false, value: batch };
      const dues = [...this.#sources.values()].map(({ due }) => due);
      const due = Math.min(this.#lookDue, ...dues, this.#isChanged ? this.#saveDue : Infinity);
      await this.#closing.wait(clock, Math.max(1, due - clock.now()));
    }
    return { done: true, value: undefined };
  }

  #take(): void {
    const given = this.#given;
    this.#given = null;
    if (given === null || given.place === null) return;
    this.#positions?.set(given.path, given.place);
    this.#isChanged = true;
  }

  async #load(): Promise<void> {
    const { positions } = this.#options;
    const loaded =
      positions === null ? { positions: new Map(), reason: null } : await loadPositions(positions);
    if (loaded.reason !== null) this.#tell(loaded.reason);
    this.#positions = loaded.positions;
  }

  async #save(): Promise<void> {
    const { positions } = this.#options;
    this.#isChanged = false;
    if (positions === null || this.#positions === null) return;
    try {
      await savePositions(positions, this.#positions);
    } catch (error) {
      this.#tell(error instanceof Error ? error.message : String(error));
    }
  }

  #tell(reason: string): void {
    if (this.#told.has(reason)) return;
    this.#told.add(reason);
    this.#options.trouble?.(reason);
  }

  async #lookForFiles(): Promise<void> {
    const there = new Set<string>();
    for (const log of this.#options.logs) {
      const paths = isGlob(log.path) ? await expand(log.path) : [log.path];
      for (const path of paths) {
        there.add(path);
        if (!this.#sources.has(path)) await this.#add(log, path);
      }
    }
    for (const source of this.#sources.values()) {
      source.missing = there.has(source.path) ? 0 : source.missing + 1;
      if (source.missing <= PATIENCE) continue;
      this.#sources.delete(source.path);
      this.#positions?.delete(source.path);
      this.#isChanged = true;
      await source.follower.close();
    }
    if (this.#isFirstLook) this.#forget(there);
    this.#isFirstLook = false;
  }

  /** Positions of files that nobody asks for any more. */
  #forget(there: ReadonlySet<string>): void {
    for (const path of this.#positions?.keys() ?? []) {
      if (!there.has(path)) this.#positions?.delete(path);
    }
  }

  async #add(log: ExternalLog, path: string): Promise<void> {
    try {
      const begin = await this.#beginOf(log, path);
      if (begin === null) return;
      const { workerId, stream } = log;
      const { partialAfter = 5000 } = this.#options;
      const stored = { workerId, stream, path, format: 'plain' as const, prefix: '' };
      const follower = new LogFollower(stored, { begin, maxLag: Infinity, partialAfter });
      await follower.start();
      this.#sources.set(path, { log, path, follower, due: 0, pause: SHORTEST, isReady: true, missing: 0 });
      const place = follower.place();
      if (place !== null) {
        this.#positions?.set(path, place);
        this.#isChanged = true;
      }
    } catch (error) {
      this.#tell(`${path}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** null: another source is reading that file still, under the name that it had. */
  async #beginOf(log: ExternalLog, path: string): Promise<Begin | null> {
    const saved = this.#positions?.get(path);
    if (saved !== undefined) return saved;
    const file = await openStored(path);
    if (file === null) return 'beginning';
    try {
      for (const { follower } of this.#sources.values()) {
        const end = follower.endOf(file.identity);
        if (end !== null && (await isAt(file, end))) return end;
        const place = follower.place();
        if (place !== null && (await isAt(file, place))) return null;
      }
      // Renamed while nobody was looking.
      for (const place of this.#positions?.values() ?? []) if (await isAt(file, place)) return place;
    } finally {
      await file.close();
    }
    return this.#isFirstLook ? log.begin : 'beginning';
  }

  /** Something of one of the files, by turns. */
  async #read(): Promise<ExternalBatch | null> {
    const sources = [...this.#sources.values()];
    for (let index = 0; index < sources.length && !this.#isClosed; index += 1) {
      const source = sources[(this.#round + index) % sources.length] as Source;
      const batch = await this.#readFrom(source);
      if (batch === null) continue;
      this.#round = (this.#round + index + 1) % sources.length;
      return batch;
    }
    return null;
  }

  async #readFrom(source: Source): Promise<ExternalBatch | null> {
    const { clock } = this.#options;
    const { follower, log, path } = source;
    const now = clock.now();
    try {
      if (!source.isReady && now >= source.due) {
        source.isReady = await follower.look(now);
        source.pause = source.isReady ? SHORTEST : Math.min(LONGEST, source.pause * 2);
        source.due = now + source.pause;
      }
      if (!source.isReady) return null;
      const items = await follower.read(now);
      if (items.length === 0) {
        source.isReady = false;
        return null;
      }
      this.#given = { path, place: follower.place() };
      const lost = items.filter((item) => item.kind === 'lost');
      const lines = items.filter((item) => item.kind === 'line');
      return { log, path, records: lines.map(({ line }) => this.#record(line.record)), lost };
    } catch (error) {
      this.#tell(`${path}: ${error instanceof Error ? error.message : String(error)}`);
      source.isReady = false;
      source.due = now + LONGEST;
      return null;
    }
  }

  #record(record: LogRecord): LogRecord {
    const { workerId } = record;
    const seq = (this.#seq.get(workerId) ?? 0) + 1;
    this.#seq.set(workerId, seq);
    return { ...record, at: this.#options.clock.wallNow(), seq };
  }
}
