import type {
  Bytes,
  Clock,
  Milliseconds,
  Monitoring,
  MonotonicTime,
  TreeUsage,
  WallTime,
  WorkerId,
} from '@hsu-master/core';
import { Series } from './series.ts';

/** What a worker used at one moment, or over the span since the point before: then amounts are the largest, rates the mean. */
export interface UsagePoint {
  readonly at: WallTime;
  /** Of one core, since the point before; null: not known, as with the first of a run. */
  readonly cpuPercent: number | null;
  /** As the containment counts it. */
  readonly memory: Bytes | null;
  readonly rss: Bytes;
  readonly swap: Bytes | null;
  readonly readPerSecond: Bytes | null;
  readonly writtenPerSecond: Bytes | null;
  readonly processes: number;
  readonly threads: number;
  readonly descriptors: number | null;
  readonly connections: number | null;
}

/** One sample, and what it says together with the one before. */
export interface WorkerUsage {
  readonly run: number;
  readonly at: WallTime;
  readonly cpuPercent: number | null;
  readonly usage: TreeUsage;
}

/** Points at full resolution where the retention asks for more than `MOST_POINTS`, and those of the time before them. */
const FINE_POINTS = 180;
const COARSE_POINTS = 240;
const MOST_POINTS = FINE_POINTS + COARSE_POINTS;

/** CPU time is counted in ticks of 10 ms: over less than this a rate says little. */
const SHORTEST_RATE: Milliseconds = 250;

/** The clocks are read one after the other, and a millisecond apart in their resolution. */
const DRIFT: Milliseconds = 50;

type Value = Exclude<keyof UsagePoint, 'at'>;

/** The columns, and how a point for a longer span comes of several. */
const COLUMNS: readonly (readonly [Value, 'mean' | 'most'])[] = [
  ['cpuPercent', 'mean'],
  ['memory', 'most'],
  ['rss', 'most'],
  ['swap', 'most'],
  ['readPerSecond', 'mean'],
  ['writtenPerSecond', 'mean'],
  ['processes', 'most'],
  ['threads', 'most'],
  ['descriptors', 'most'],
  ['connections', 'most'],
];

type Row = (number | null)[];

/**
 * What the workers used, over restarts. Each keeps at most 420 points, whatever its interval and retention: if the retention needs more,
 * the last 180 are as sampled and 240 spans of equal length reach back to its end. A point takes 8 bytes and 4 for each of up to ten
 * numbers: at most 48 × 420 = 20160 bytes for a worker, about 15 KiB where swap, descriptors and connections are not known. Sizes
 * are kept to one part in 16 million.
 */
export class UsageHistory {
  readonly #clock: Clock;
  readonly #workers = new Map<WorkerId, WorkerHistory>();
  /** What was asked for last, of workers whose use is not recorded. */
  readonly #asked = new Map<WorkerId, Latest>();
  #lastOffset: Milliseconds = Number.NaN;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  record(workerId: WorkerId, run: number, monitoring: Monitoring, usage: TreeUsage): void {
    let history = this.#workers.get(workerId);
    if (history?.fits(monitoring) !== true) {
      const former = history;
      history = new WorkerHistory(monitoring);
      history.takeOver(former);
      this.#workers.set(workerId, history);
    }
    history.record(run, usage);
  }

  /** There is no such worker any more. */
  forget(workerId: WorkerId): void {
    this.#workers.delete(workerId);
    this.#asked.delete(workerId);
  }

  /** The newest sample, of a run that may be over; null: there is none. */
  latest(workerId: WorkerId): WorkerUsage | null {
    const latest = this.#workers.get(workerId)?.latest;
    return latest === undefined || latest === null ? null : this.#told(latest);
  }

  /** A sample that is not kept, seen together with the newest that is, or else with the one that was asked for before. */
  asOf(workerId: WorkerId, run: number, usage: TreeUsage): WorkerUsage {
    const recorded = ofRun(this.#workers.get(workerId)?.latest, run);
    const before = recorded ?? ofRun(this.#asked.get(workerId), run);
    if (before !== null && usage.at - before.usage.at < SHORTEST_RATE)
      return this.#told({ run, usage, cpuPercent: before.cpuPercent });
    const latest = { run, usage, cpuPercent: rate(usage, before?.usage ?? null, cpuTime) };
    if (recorded === null) this.#asked.set(workerId, latest);
    return this.#told(latest);
  }

  /** The points of `since` and later, the oldest first. */
  points(workerId: WorkerId, since: WallTime = Number.NEGATIVE_INFINITY): readonly UsagePoint[] {
    const offset = this.#offset();
    const rows = [...(this.#workers.get(workerId)?.rows(since - offset, this.#clock.now()) ?? [])];
    return rows.map(({ at, row }) => {
      const values = Object.fromEntries(COLUMNS.map(([name], index) => [name, row[index] ?? null]));
      return { at: Math.round(at + offset), ...values } as UsagePoint;
    });
  }

  /** Memory of the arrays of one worker. */
  bytes(workerId: WorkerId): Bytes {
    return this.#workers.get(workerId)?.bytes ?? 0;
  }

  /** Between the two clocks: the same from one question to the next, unless the wall clock was set or has drifted. */
  #offset(): Milliseconds {
    const offset = this.#clock.wallNow() - this.#clock.now();
    if (!(Math.abs(offset - this.#lastOffset) < DRIFT)) this.#lastOffset = offset;
    return this.#lastOffset;
  }

  #told({ run, usage, cpuPercent }: Latest): WorkerUsage {
    return { run, at: Math.round(usage.at + this.#offset()), cpuPercent, usage };
  }
}

interface Latest {
  readonly run: number;
  readonly usage: TreeUsage;
  readonly cpuPercent: number | null;
}

function ofRun(latest: Latest | null | undefined, run: number): Latest | null {
  return latest?.run === run ? latest : null;
}

class WorkerHistory {
  readonly #monitoring: Monitoring;
  readonly #fine: Series;
  /** null: the fine ones reach back to the end of the retention. */
  readonly #coarse: Series | null;
  readonly #span: Milliseconds;
  #bucket: Bucket | null = null;
  latest: Latest | null = null;

  constructor(monitoring: Monitoring) {
    this.#monitoring = monitoring;
    const needed = Math.ceil(monitoring.retention / monitoring.interval) + 1;
    const isThinned = needed > MOST_POINTS;
    this.#fine = new Series(isThinned ? FINE_POINTS : needed, COLUMNS.length);
    this.#coarse = isThinned ? new Series(COARSE_POINTS, COLUMNS.length) : null;
    this.#span = monitoring.retention / COARSE_POINTS;
  }

  get bytes(): Bytes {
    return this.#fine.bytes + (this.#coarse?.bytes ?? 0);
  }

  fits({ interval, retention }: Monitoring): boolean {
    return this.#monitoring.interval === interval && this.#monitoring.retention === retention;
  }

  takeOver(former: WorkerHistory | undefined): void {
    if (former === undefined) return;
    this.latest = former.latest;
    for (const { at, row } of former.rows(Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY))
      this.#add(at, row);
  }

  record(run: number, usage: TreeUsage): void {
    const before = this.latest?.run === run ? this.latest.usage : null;
    const row = rowOf(usage, before);
    this.latest = { run, usage, cpuPercent: row[0] ?? null };
    this.#add(usage.at, row);
  }

  *rows(since: MonotonicTime, now: MonotonicTime): ReturnType<Series['rows']> {
    const from = Math.max(since, now - this.#monitoring.retention);
    if (this.#coarse !== null) {
      for (const one of this.#coarse.rows(from)) if (one.at < this.#fine.oldest) yield one;
    }
    yield* this.#fine.rows(from);
  }

  #add(at: MonotonicTime, row: Row): void {
    this.#fine.dropBefore(at - this.#monitoring.retention);
    this.#fine.push(at, row);
    if (this.#coarse === null) return;
    this.#coarse.dropBefore(at - this.#monitoring.retention);
    this.#bucket ??= new Bucket(at);
    this.#bucket.add(row);
    if (at - this.#bucket.since < this.#span) return;
    this.#coarse.push(at, this.#bucket.row());
    this.#bucket = null;
  }
}

/** Several points that become one. */
class Bucket {
  readonly since: MonotonicTime;
  readonly #row: Row = COLUMNS.map(() => null);
  readonly #counts: number[] = COLUMNS.map(() => 0);

  constructor(since: MonotonicTime) {
    this.since = since;
  }

  add(row: Row): void {
    COLUMNS.forEach(([, how], column) => {
      const value = row[column] ?? null;
      if (value === null) return;
      const before = this.#row[column] ?? null;
      if (before === null) this.#row[column] = value;
      else this.#row[column] = how === 'mean' ? before + value : Math.max(before, value);
      this.#counts[column] = (this.#counts[column] ?? 0) + 1;
    });
  }

  row(): Row {
    return COLUMNS.map(([, how], column) => {
      const value = this.#row[column] ?? null;
      return value === null || how === 'most' ? value : value / (this.#counts[column] ?? 1);
    });
  }
}

function rowOf(usage: TreeUsage, before: TreeUsage | null): Row {
  const { memory, rss, swap, processes, threads, descriptors, connections } = usage;
  const read = rate(usage, before, (sample) => scaled(sample.readBytes));
  const written = rate(usage, before, (sample) => scaled(sample.writtenBytes));
  const cpu = rate(usage, before, cpuTime);
  return [cpu, memory, rss, swap, read, written, processes, threads, descriptors, connections];
}

/** In the unit whose growth by one in a millisecond is 100 percent. */
function cpuTime(sample: TreeUsage): number {
  return sample.cpuTime * 100;
}

/** In the unit whose growth by one in a millisecond is a byte per second. */
function scaled(bytes: Bytes | null): number | null {
  return bytes === null ? null : bytes * 1000;
}

/** Growth per millisecond; a counter that fell counts as still, since a member ended and took its part along. */
function rate(
  usage: TreeUsage,
  before: TreeUsage | null,
  counter: (sample: TreeUsage) => number | null,
): number | null {
  if (before === null || usage.at <= before.at) return null;
  const now = counter(usage);
  const then = counter(before);
  return now === null || then === null ? null : Math.max(0, now - then) / (usage.at - before.at);
}
