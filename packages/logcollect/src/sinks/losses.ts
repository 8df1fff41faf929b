import type { Bytes, Clock, Milliseconds, MonotonicTime, WorkerId } from '@hsu-master/core';
import type { LogRecord } from '../record.ts';

/** An outage is over when nothing was lost for so long. */
const QUIET: Milliseconds = 10_000;

/** What is said of losses: once when they begin, without a count, and once when they are over, with it. */
export interface LossNews {
  readonly kind: 'losing' | 'lost';
  readonly reason: string;
  /** 0 while it is going on. */
  readonly records: number;
  /** Of their texts, in UTF-16 units, or of the files where they cannot be read. */
  readonly bytes: Bytes;
  /** Whose they were; null for those that could not be read. */
  readonly workers: ReadonlyMap<WorkerId | null, number>;
}

interface Outage {
  readonly reason: string;
  records: number;
  bytes: number;
  readonly workers: Map<WorkerId | null, number>;
  last: MonotonicTime;
}

/** Counts what is lost for one cause, and says so once per outage. */
export class Losses {
  readonly #clock: Clock;
  readonly #say: (news: LossNews) => void;
  #total = 0;
  #outage: Outage | null = null;
  #cancel: () => void = () => undefined;

  constructor(clock: Clock, say: (news: LossNews) => void) {
    this.#clock = clock;
    this.#say = say;
  }

  /** Records since the beginning. */
  get total(): number {
    return this.#total;
  }

  add(records: Iterable<LogRecord>, reason: string): void {
    for (const { workerId, text } of records) this.#count(workerId, 1, text.length, reason);
  }

  /** Of records of which only their number is known. */
  addUnknown(records: number, bytes: Bytes, reason: string): void {
    if (records > 0 || bytes > 0) this.#count(null, records, bytes, reason);
  }

  /** Says what has not been said. */
  end(): void {
    this.#cancel();
    const outage = this.#outage;
    this.#outage = null;
    if (outage === null) return;
    const { reason, records, bytes, workers } = outage;
    this.#say({ kind: 'lost', reason, records, bytes, workers });
  }

  #count(workerId: WorkerId | null, records: number, bytes: Bytes, reason: string): void {
    const outage = this.#outage ?? this.#begin(reason);
    outage.last = this.#clock.now();
    this.#total += records;
    outage.records += records;
    outage.bytes += bytes;
    if (records > 0) outage.workers.set(workerId, (outage.workers.get(workerId) ?? 0) + records);
  }

  #begin(reason: string): Outage {
    const outage = { reason, records: 0, bytes: 0, workers: new Map(), last: this.#clock.now() };
    this.#outage = outage;
    this.#look(QUIET);
    this.#say({ kind: 'losing', reason, records: 0, bytes: 0, workers: new Map() });
    return outage;
  }

  #look(delay: Milliseconds): void {
    this.#cancel = this.#clock.after(delay, () => {
      if (this.#outage === null) return;
      const rest = this.#outage.last + QUIET - this.#clock.now();
      if (rest > 0) this.#look(rest);
      else this.end();
    });
  }
}
