import {
  type Bytes,
  type Clock,
  type LogLevel,
  type Milliseconds,
  type MonotonicTime,
  rankOf,
  type WorkerId,
} from '@hsu-master/core';
import type { LogRecord } from './record.ts';

/** What one worker’s output amounts to since this master began. */
export interface WorkerLogCounters {
  readonly workerId: WorkerId;
  readonly lines: number;
  /** Of their texts, without newlines. */
  readonly bytes: Bytes;
  /** Lines by their level; those without one are not among them. */
  readonly levels: Readonly<Partial<Record<LogLevel, number>>>;
  /** Lines of level error and above. */
  readonly errors: number;
  /** Of the last minute: lines of level error and above per second, and their share of all lines, 0 to 1. */
  readonly errorRate: number;
  readonly errorShare: number;
  /** Lines that were lost, by where: `pump`, `pipeline`, or the sink’s name. */
  readonly dropped: Readonly<Record<string, number>>;
  /** How long after it was read the last line was here, and the longest of the last minute. */
  readonly lag: Milliseconds;
  readonly longestLag: Milliseconds;
}

export interface LogCounters {
  readonly workers: readonly WorkerLogCounters[];
  /** Losses of which nobody knows whose they were, by where. */
  readonly dropped: Readonly<Record<string, number>>;
}

/** The last minute is kept in this many slots of this length. */
const SLOTS = 12;
const SLOT: Milliseconds = 5000;
const ERROR_RANK = rankOf('error');

/** Counters of what passes and what is lost. Only counts: whoever publishes asks for a snapshot. */
export class LogMetrics {
  readonly #clock: Clock;
  readonly #workers = new Map<WorkerId, Counts>();
  readonly #lost = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A line has arrived. */
  count(record: LogRecord): void {
    this.#of(record.workerId).count(record, this.#clock.now(), this.#clock.wallNow());
  }

  /** Lines of a worker, null: of an unknown one, were lost. */
  drop(workerId: WorkerId | null, lines: number, where: string): void {
    const lost = workerId === null ? this.#lost : this.#of(workerId).dropped;
    lost.set(where, (lost.get(where) ?? 0) + lines);
  }

  /** The worker is no longer there. */
  forget(workerId: WorkerId): void {
    this.#workers.delete(workerId);
  }

  snapshot(): LogCounters {
    const now = this.#clock.now();
    const workers = [...this.#workers].map(([workerId, counts]) => counts.snapshot(workerId, now));
    return { workers, dropped: Object.fromEntries(this.#lost) };
  }

  #of(workerId: WorkerId): Counts {
    let counts = this.#workers.get(workerId);
    if (counts === undefined) {
      counts = new Counts();
      this.#workers.set(workerId, counts);
    }
    return counts;
  }
}

interface Slot {
  /** Number of the five seconds it is about. */
  number: number;
  lines: number;
  errors: number;
  lag: Milliseconds;
}

class Counts {
  readonly dropped = new Map<string, number>();
  readonly #levels = new Map<LogLevel, number>();
  readonly #slots: Slot[] = [];
  #lines = 0;
  #bytes: Bytes = 0;
  #errors = 0;
  #lag: Milliseconds = 0;
  #since: MonotonicTime | null = null;

  count({ text, level, at }: LogRecord, now: MonotonicTime, wallNow: number): void {
    this.#since ??= now;
    const slot = this.#slotAt(now);
    this.#lines += 1;
    this.#bytes += Buffer.byteLength(text);
    slot.lines += 1;
    this.#lag = Math.max(0, wallNow - at);
    slot.lag = Math.max(slot.lag, this.#lag);
    if (level === null) return;
    this.#levels.set(level, (this.#levels.get(level) ?? 0) + 1);
    if (rankOf(level) < ERROR_RANK) return;
    this.#errors += 1;
    slot.errors += 1;
  }

  snapshot(workerId: WorkerId, now: MonotonicTime): WorkerLogCounters {
    const recent = this.#slots.filter(({ number }) => number > Math.floor(now / SLOT) - SLOTS);
    const lines = recent.reduce((sum, slot) => sum + slot.lines, 0);
    const errors = recent.reduce((sum, slot) => sum + slot.errors, 0);
    // Of a worker that has not been here for a minute: over the time that it has.
    const seconds = Math.min((SLOTS * SLOT) / 1000, Math.max(1, (now - (this.#since ?? now)) / 1000));
    return {
      workerId,
      lines: this.#lines,
      bytes: this.#bytes,
      levels: Object.fromEntries(this.#levels),
      errors: this.#errors,
      errorRate: errors / seconds,
      errorShare: lines === 0 ? 0 : errors / lines,
      dropped: Object.fromEntries(this.dropped),
      lag: this.#lag,
      longestLag: recent.reduce((longest, { lag }) => Math.max(longest, lag), 0),
    };
  }

  #slotAt(now: MonotonicTime): Slot {
    const number = Math.floor(now / SLOT);
    const index = number % SLOTS;
    const slot = this.#slots[index];
    if (slot?.number === number) return slot;
    const fresh = { number, lines: 0, errors: 0, lag: 0 };
    this.#slots[index] = fresh;
    return fresh;
  }
}
