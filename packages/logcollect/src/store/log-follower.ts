import type { Bytes, Milliseconds, MonotonicTime } from '@hsu-master/core';
import { type Begin, Chain } from './chain.ts';
import { LineCutter, type RawLine } from './lines.ts';
import { type Finding, LineReader, type Place, type StoredLine, type StoredLog } from './stored-line.ts';

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

/** Files that it has left and remembers. */
const LEFT = 8;

/** The lines of one log as they come. Calls of `look` and `read` must not overlap. */
export class LogFollower {
  readonly log: StoredLog;
  readonly #options: FollowerOptions;
  readonly #chain: Chain;
  readonly #reader: LineReader;
  #cutter: LineCutter | null = null;
  #finding: Finding | null = null;
  #grownAt: MonotonicTime = 0;
  #isReady = false;
  /** The end of the file before this one, where a line goes on from there. */
  #before: Place | null = null;
  readonly #left: Place[] = [];

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
      const { part, file, head, how } = step;
      if (how !== 'on') this.#leave(how === 'joined');
      if (how === 'apart' && this.#cutter !== null) items.push(...this.#lines(this.#cutter.end()));
      if (how === 'apart' || this.#cutter === null) this.#cutter = new LineCutter(part.at);
      else if (how === 'joined') this.#cutter.moveTo(part.at);
      this.#finding = { file, head };
      this.#grownAt = now;
      items.push(...this.#lines(this.#cutter.push(part.bytes)));
      if (items.length > 0) return items;
    }
    return this.#isStale(now) ? this.#lines(this.#cutter?.release() ?? []) : [];
  }

  #leave(joins: boolean): void {
    const [finding, cutter] = [this.#finding, this.#cutter];
    this.#before = null;
    if (finding === null || cutter === null) return;
    const end = placeIn(finding, Math.max(0, cutter.place + cutter.held));
    if (joins) this.#before = end;
    this.#left.unshift(end);
    this.#left.length = Math.min(this.#left.length, LEFT);
  }

  #isStale(now: MonotonicTime): boolean {
    const { partialAfter } = this.#options;
    return partialAfter !== null && (this.#cutter?.held ?? 0) > 0 && now - this.#grownAt >= partialAfter;
  }

  #lines(raw: readonly RawLine[]): FollowItem[] {
    const finding = this.#finding;
    if (finding === null) return [];
    return raw.map((line) => ({ kind: 'line', line: this.#reader.read(line, finding) }));
  }

  /** Where whoever has taken all lines goes on; null: there is no file yet. */
  place(): Place | null {
    const [finding, cutter] = [this.#finding, this.#cutter];
    if (finding === null || cutter === null) return this.#chain.place();
    const offset = cutter.place;
    // The line that has not ended begins in the file before.
    if (offset < 0 && this.#before !== null)
      return { ...this.#before, offset: Math.max(0, this.#before.offset + offset) };
    return placeIn(finding, Math.max(0, offset));
  }

  /** The ends of files that it has left, the last ones, by device and inode. */
  endOf(identity: string): Place | null {
    return this.#left.find(({ file }) => file === identity) ?? null;
  }

  async close(): Promise<void> {
    await this.#chain.close();
  }
}

function placeIn({ file, head }: Finding, offset: Bytes): Place {
  return { file: file.source, head, written: file.written, offset };
}
