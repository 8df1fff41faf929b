import type { Clock, Milliseconds, MonotonicTime } from '@hsu-master/core';
import { Signal } from '../sinks/signal.ts';
import type { FollowItem, LogFollower } from './log-follower.ts';
import type { StoredLine } from './stored-line.ts';

/** What was handed on and what was lost. */
export interface FollowCounts {
  lines: number;
  lostBytes: number;
  lostLines: number;
}

/** Lines as they come. Ends when it is closed or its signal is aborted; rejects where a file cannot be read. */
export interface Following extends AsyncIterableIterator<FollowItem, void, void> {
  /** Resolves when it has found where it begins: what is written afterwards is handed on. */
  readonly started: Promise<void>;
  counts(): Readonly<FollowCounts>;
  close(): Promise<void>;
}

interface Source {
  readonly follower: LogFollower;
  due: MonotonicTime;
  pause: Milliseconds;
  isReady: boolean;
  /** What is under way with it. */
  turn: Promise<unknown>;
}

/** News are looked for after these times at the earliest and at the latest. */
const SHORTEST = 50;
const LONGEST = 800;

/** Reads several logs by turns. Holds the lines of one part of a file; what is not asked for stays in the files. */
export class Follows implements Following {
  readonly #clock: Clock;
  readonly #sources: Source[] = [];
  readonly #counts: FollowCounts = { lines: 0, lostBytes: 0, lostLines: 0 };
  readonly #news = new Signal();
  #queue: FollowItem[] = [];
  #taken = 0;
  #next = 0;
  #cancelTimer: (() => void) | null = null;
  #isClosed = false;
  #failure: unknown = null;
  readonly started: Promise<void>;
  readonly #accept: (line: StoredLine) => boolean;

  constructor(
    followers: Promise<readonly LogFollower[]>,
    clock: Clock,
    signal: AbortSignal | null,
    accept: (line: StoredLine) => boolean,
  ) {
    this.#clock = clock;
    this.#accept = accept;
    this.started = this.#start(followers);
    this.started.catch((error: unknown) => this.#fail(error));
    signal?.addEventListener('abort', () => void this.close(), { once: true });
    if (signal?.aborted === true) this.#isClosed = true;
  }

  async #start(followers: Promise<readonly LogFollower[]>): Promise<void> {
    for (const follower of await followers) {
      await follower.start();
      this.#sources.push({
        follower,
        due: this.#clock.now(),
        pause: SHORTEST,
        isReady: true,
        turn: Promise.resolve(),
      });
    }
    this.#schedule();
  }

  async next(): Promise<IteratorResult<FollowItem, void>> {
    await this.started.catch(() => undefined);
    for (;;) {
      const item = this.#queue[this.#taken];
      if (this.#isClosed) break;
      if (item !== undefined) {
        this.#taken += 1;
        this.#count(item);
        return { done: false, value: item };
      }
      this.#taken = 0;
      this.#queue = await this.#read();
      if (this.#failure !== null) break;
      if (this.#queue.length === 0 && !this.#isClosed) await this.#news.wait(this.#clock, null);
    }
    if (this.#failure !== null) {
      const failure = this.#failure;
      this.#failure = null;
      await this.close();
      throw failure;
    }
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<FollowItem, void>> {
    await this.close();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  counts(): Readonly<FollowCounts> {
    return { ...this.#counts };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#news.notify();
    await this.started.catch(() => undefined);
    this.#stopTimer();
    await Promise.all(
      this.#sources.map((source) => this.#turn(source, () => source.follower.close()).catch(() => undefined)),
    );
  }

  /** The next part of one of the logs that have something. */
  async #read(): Promise<FollowItem[]> {
    const { length } = this.#sources;
    for (let tries = 0; tries < length && !this.#isClosed; tries += 1) {
      const source = this.#sources[this.#next % length] as Source;
      this.#next = (this.#next + 1) % length;
      if (!source.isReady) continue;
      try {
        const items = await this.#turn(source, () =>
          this.#isClosed ? Promise.resolve([]) : source.follower.read(this.#clock.now()),
        );
        const accepted = items.filter((item) => item.kind === 'lost' || this.#accept(item.line));
        if (accepted.length > 0) return accepted;
        if (items.length > 0) tries = -1;
        else source.isReady = false;
      } catch (error) {
        this.#fail(error);
        return [];
      }
    }
    return [];
  }

  /** One after the other. */
  #turn<T>(source: Source, work: () => Promise<T>): Promise<T> {
    const done = source.turn.then(work);
    source.turn = done.catch(() => undefined);
    return done;
  }

  #schedule(): void {
    if (this.#isClosed || this.#sources.length === 0) return;
    const due = Math.min(...this.#sources.map((source) => source.due));
    this.#cancelTimer = this.#clock.after(Math.max(1, due - this.#clock.now()), () => {
      void this.#look().then(() => this.#schedule());
    });
  }

  #stopTimer(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
  }

  async #look(): Promise<void> {
    const now = this.#clock.now();
    for (const source of this.#sources) {
      if (source.due > now) continue;
      try {
        const hasNews = await this.#turn(source, () =>
          this.#isClosed ? Promise.resolve(false) : source.follower.look(now),
        );
        source.pause = hasNews ? SHORTEST : Math.min(LONGEST, source.pause * 2);
        source.isReady ||= hasNews;
        if (hasNews) this.#news.notify();
      } catch (error) {
        this.#fail(error);
      }
      source.due = this.#clock.now() + source.pause;
    }
  }

  #count(item: FollowItem): void {
    if (item.kind === 'line') this.#counts.lines += 1;
    else {
      this.#counts.lostBytes += item.bytes;
      this.#counts.lostLines += item.lines;
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#news.notify();
  }
}
