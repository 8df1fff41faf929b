import type { Bytes, Milliseconds, MonotonicTime } from '@hsu-master/core';
import { type Begin, Chain } from './chain.ts';
import { LineCutter, type RawLine } from './lines.ts';
import type { StoredFile } from './stored-file.ts';
import { LineReader, type Place, type StoredLine, type StoredLog } from './stored-line.ts';

/** What a slow reader missed of one log, or what was emptied before it was read. */
export interface Loss {
  readonly kind: 'lost';
  readonly log: StoredLog;
  readonly bytes: Bytes;
  /** Line ends among them; 0 also where nobody can know. */
  readonly lines: number;
}

export interface FollowedLine {
  readonly kind: 'line';
  readonly line: StoredLine;
}

export type FollowItem = FollowedLine | Loss;

export interface FollowerOptions {
  readonly begin: Begin;
  readonly maxLag: Bytes;
  /** A line that has not ended is handed on after so long without a byte of it; null: never. */
  readonly partialAfter: Milliseconds | null;
}

/** The lines of one log as they come. Calls of `look` and `read` must not overlap. */
export class LogFollower {
  readonly log: StoredLog;
  readonly #options: FollowerOptions;
  readonly #chain: Chain;
  readonly #reader: LineReader;
  #cutter: LineCutter | null = null;
  #file: StoredFile | null = null;
  #grownAt: MonotonicTime = 0;
  #isReady = false;

  constructor(log: StoredLog, options: FollowerOptions) {
    this.log = log;
    this.#options = options;
    this.#chain = new Chain(log.path, options.maxLag);
    this.#reader = new LineReader(log);
  }

  async start(): Promise<void> {
    await this.#chain.start(this.#options.begin);
    this.#isReady = true;
  }

  /** Looks for news; false: there is nothing to read. */
  async look(now: MonotonicTime): Promise<boolean> {
    this.#isReady = await this.#chain.look();
    return this.#isReady || this.#isStale(now);
  }

  /** What there is, as far as one part of a file goes; empty: nothing more at the moment. */
  async read(now: MonotonicTime): Promise<FollowItem[]> {
    while (this.#isReady) {
      const step = await this.#chain.read();
      if (step === null) {
        this.#isReady = false;
        break;
      }
      const items: FollowItem[] = [];
      if (step.kind === 'lost') {
        const held = this.#cutter?.held ?? 0;
        this.#cutter = null;
        return [{ kind: 'lost', log: this.log, bytes: step.bytes + held, lines: step.lines }];
      }
      const { part, file, how } = step;
      if (how === 'apart' && this.#cutter !== null) items.push(...(await this.#lines(this.#cutter.end())));
      if (how === 'apart' || this.#cutter === null) this.#cutter = new LineCutter(part.at);
      else if (how === 'joined') this.#cutter.moveTo(part.at);
      this.#file = file;
      this.#grownAt = now;
      items.push(...(await this.#lines(this.#cutter.push(part.bytes))));
      if (items.length > 0) return items;
    }
    return this.#isStale(now) ? this.#lines(this.#cutter?.release() ?? []) : [];
  }

  #isStale(now: MonotonicTime): boolean {
    const { partialAfter } = this.#options;
    return partialAfter !== null && (this.#cutter?.held ?? 0) > 0 && now - this.#grownAt >= partialAfter;
  }

  async #lines(raw: readonly RawLine[]): Promise<FollowItem[]> {
    const file = this.#file;
    if (file === null || raw.length === 0) return [];
    const finding = { file, head: await file.head() };
    return raw.map((line) => ({ kind: 'line', line: this.#reader.read(line, finding) }));
  }

  /** Where whoever has taken all lines goes on. */
  async place(): Promise<Place | null> {
    const file = this.#file;
    if (file === null || this.#cutter === null) return null;
    const head = await file.head();
    return { file: file.source, head, written: file.written, offset: Math.max(0, this.#cutter.place) };
  }

  async close(): Promise<void> {
    await this.#chain.close();
  }
}
