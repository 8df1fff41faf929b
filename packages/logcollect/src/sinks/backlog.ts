import type { Bytes, Clock, Milliseconds, MonotonicTime } from '@hsu-master/core';
import { codeOf } from '../file/disk.ts';
import type { LogRecord } from '../record.ts';
import { Fifo } from './fifo.ts';
import type { Losses } from './losses.ts';
import type { LossCause, QueueSpec } from './queue-spec.ts';
import { Signal } from './signal.ts';
import { type Mark, Spill } from './spill.ts';
import type { SpillDisk } from './spill-disk.ts';
import { weightOf } from './weight.ts';

/** A record that waits. */
export interface Entry {
  readonly record: LogRecord;
  readonly weight: Bytes;
  /** When it came, or came back from disk. */
  readonly since: MonotonicTime;
  /** Where it lies on disk; null: in memory only. */
  readonly mark: Mark | null;
}

interface BacklogSurroundings {
  readonly clock: Clock;
  /** Whoever sends waits for this. */
  readonly wake: Signal;
  readonly losses: Readonly<Record<LossCause, Losses>>;
  news(
    news:
      | { readonly kind: 'found'; readonly records: number }
      | { readonly kind: 'spill-failing'; readonly reason: string },
  ): void;
}

/** Records on their way to the disk are gathered for so long, or until there are so many bytes of them. */
const GATHER: Milliseconds = 50;
const FRAME: Bytes = 256 * 1024;
/** After a failure of the disk it is tried again so soon. */
const DISK_RETRY: Milliseconds = 1000;

/**
 * What waits for a sink, in its order: `front` in memory, then what is on disk, then `back`, which is on its way there. Without a spill
 * there is only the front.
 */
export class Backlog {
  readonly #spec: QueueSpec;
  readonly #in: BacklogSurroundings;
  readonly #spill: Spill | null;
  readonly #front = new Fifo<Entry>();
  readonly #back = new Fifo<Entry>();
  readonly #room = new Signal();
  #frontBytes: Bytes = 0;
  #backBytes: Bytes = 0;
  /** Being written; neither in `back` nor on disk. */
  #writing: readonly Entry[] = [];
  #writer: Promise<void> | null = null;
  #opened: boolean;
  #opening: Promise<void> | null = null;
  /** It was looked once for what an earlier master left: nothing may pass that before. */
  #looked: boolean;
  #delivered: Mark | null = null;
  /** The last record that was given up as damaged; it is over when all before it are delivered. */
  #skipped: Mark | null = null;
  #diskFails = false;
  #closing = false;
  #found = 0;
  #spilled = 0;

  constructor(spec: QueueSpec, disk: SpillDisk, surroundings: BacklogSurroundings) {
    this.#spec = spec;
    this.#in = surroundings;
    this.#spill = spec.spill === null ? null : new Spill(spec.spill, disk);
    this.#opened = this.#spill === null;
    this.#looked = this.#opened;
  }

  get first(): Entry | undefined {
    return this.#front.first;
  }

  get length(): number {
    return this.#front.length;
  }

  get bytes(): Bytes {
    return this.#frontBytes;
  }

  /** Something waits behind what is in the front. */
  get hasMore(): boolean {
    return this.#behind > 0;
  }

  /** Memory is half full of what cannot go to the disk, or a quarter full of what is on its way there. */
  get isPressed(): boolean {
    const { memory } = this.#spec;
    return this.#spill === null ? this.#frontBytes > memory / 2 : this.#backBytes > memory / 4;
  }

  get isEmpty(): boolean {
    return this.#front.length === 0 && this.#behind === 0;
  }

  counters(): { found: number; waiting: number; spilled: number; memory: Bytes; disk: Bytes } {
    const inFlight = this.#writing.reduce((sum, { weight }) => sum + weight, 0);
    return {
      found: this.#found,
      waiting: this.#front.length + this.#behind,
      spilled: this.#spilled,
      memory: this.#frontBytes + this.#backBytes + inFlight,
      disk: this.#spill?.bytes ?? 0,
    };
  }

  /** Looks for what an earlier master left; what comes meanwhile waits behind it. */
  async open(): Promise<void> {
    if (this.#spill === null || this.#opened) return;
    this.#opening ??= this.#open(this.#spill).finally(() => (this.#opening = null));
    await this.#opening;
  }

  async #open(spill: Spill): Promise<void> {
    try {
      const { records, torn, damagedBytes } = await spill.open();
      this.#opened = true;
      this.#found += records;
      if (records > 0) this.#in.news({ kind: 'found', records });
      const damaged = `damaged files of an earlier master in ${this.#spec.spill?.folder}`;
      this.#in.losses.damaged.addUnknown(torn, damagedBytes, damaged);
    } catch (error) {
      this.#diskTrouble(error);
    }
    this.#looked = true;
  }

  add(record: LogRecord): void {
    const entry = { record, weight: weightOf(record), since: this.#in.clock.now(), mark: null };
    if (this.#opened && this.#behind === 0 && this.#fits(entry.weight)) this.#pushFront(entry);
    else if (this.#spill === null) this.#addFull(entry);
    else this.#addBack(entry);
  }

  /** Fills the front from behind, up to `most` records where there are as many. */
  async refill(most: number): Promise<void> {
    if (this.#front.length === 0 && this.#skipped !== null) {
      await this.commit(this.#skipped);
      this.#skipped = null;
    }
    while (this.#front.length < most && this.#fits(0) && this.#spill !== null && this.#spill.unread > 0) {
      if (!(await this.#readOne(this.#spill))) return;
    }
    this.#advance();
  }

  /** Takes the first records, at most so many and so many bytes, but at least one. */
  take(count: number, bytes: Bytes): Entry[] {
    const taken: Entry[] = [];
    let weight = 0;
    while (taken.length < count) {
      const next = this.#front.first;
      if (next === undefined || (taken.length > 0 && weight + next.weight > bytes)) break;
      weight += next.weight;
      taken.push(next);
      this.#front.shift();
    }
    this.#frontBytes -= weight;
    return taken;
  }

  putBack(entries: readonly Entry[]): void {
    this.#front.unshift(entries);
    for (const { weight } of entries) this.#frontBytes += weight;
  }

  /** Everything from the disk up to this record was taken, and of that everything is delivered that was not put back. */
  async commit(mark: Mark): Promise<void> {
    this.#delivered = laterMark(this.#delivered, mark);
    const next = this.#front.first?.mark ?? null;
    if (next !== null && laterMark(this.#delivered, next) !== next) return;
    try {
      await this.#spill?.commit(this.#delivered ?? mark);
    } catch (error) {
      this.#diskTrouble(error);
    }
    this.#room.notify();
  }

  /**
   * Keeps what is left for the next master.
   * @param left what was taken and not delivered
   * @param settled the last record from the disk that was delivered
   */
  async close(left: readonly Entry[], settled: Mark | null): Promise<void> {
    this.#closing = true;
    this.#room.notify();
    await this.#writer;
    const first = [...left, ...this.#front.take()];
    const behind = this.#back.take();
    const marks = [settled, this.#delivered, this.#skipped, ...first.map(({ mark }) => mark)].filter(
      (mark) => mark !== null,
    );
    if (this.#spill === null) {
      this.#in.losses.dropped.add(recordsOf(first), 'the master ended');
      return;
    }
    try {
      const isNeeded = first.length > 0 || marks.length > 0;
      if (isNeeded) await this.#spill.keepAhead(recordsOf(first), marks.reduce(laterMark, null));
      first.length = 0;
      while (behind.length > 0) {
        const chunk = behind.slice(0, 1000);
        if (!(await this.#write(this.#spill, chunk))) break;
        behind.splice(0, chunk.length);
      }
      if (behind.length > 0)
        this.#in.losses.dropped.add(recordsOf(behind), 'the master ended and the spill is full');
    } catch (error) {
      const reason = `the master ended, and the spill cannot be written: ${codeOf(error)}`;
      this.#in.losses.dropped.add(recordsOf([...first, ...behind]), reason);
    }
  }

  get #behind(): number {
    return (this.#spill?.unread ?? 0) + this.#writing.length + this.#back.length;
  }

  #fits(weight: Bytes): boolean {
    const limit = this.#spill === null ? this.#spec.memory : this.#spec.memory / 2;
    return this.#front.length === 0 || this.#frontBytes + weight <= limit;
  }

  #pushFront(entry: Entry): void {
    this.#front.push(entry);
    this.#frontBytes += entry.weight;
    const { length } = this.#front;
    const { batchCount, batchBytes } = this.#spec;
    if (length === 1 || length === batchCount || this.#frontBytes >= batchBytes) this.#in.wake.notify();
  }

  #addFull(entry: Entry): void {
    const isDropped = this.#spec.whenFull === 'drop-newest';
    if (isDropped) {
      this.#in.losses.dropped.add([entry.record], 'more comes than goes');
      return;
    }
    while (!this.#fits(entry.weight)) {
      const oldest = this.#front.shift() as Entry;
      this.#frontBytes -= oldest.weight;
      this.#in.losses.dropped.add([oldest.record], 'more comes than goes');
    }
    this.#pushFront(entry);
  }

  #addBack(entry: Entry): void {
    const limit = this.#spec.memory / 2;
    const reason = 'more comes than the disk takes';
    while (this.#back.length > 0 && this.#backBytes + entry.weight > limit) {
      if (this.#spec.whenFull === 'drop-newest') {
        this.#in.losses.dropped.add([entry.record], reason);
        return;
      }
      const oldest = this.#back.shift() as Entry;
      this.#backBytes -= oldest.weight;
      this.#in.losses.dropped.add([oldest.record], reason);
    }
    this.#back.push(entry);
    this.#backBytes += entry.weight;
    if (this.#backBytes >= this.#frameBytes) this.#room.notify();
    if (!this.#closing) this.#writer ??= this.#writeAll().finally(() => (this.#writer = null));
  }

  /** From the back to the front directly, where nothing lies between. */
  #advance(): void {
    while (this.#looked && this.#back.length > 0 && this.#behind === this.#back.length) {
      const entry = this.#back.first as Entry;
      if (!this.#fits(entry.weight)) return;
      this.#back.shift();
      this.#backBytes -= entry.weight;
      this.#pushFront(entry);
    }
  }

  /** false: the disk refuses, and the sender is woken when it is to be tried again. */
  async #readOne(spill: Spill): Promise<boolean> {
    const { clock, wake, losses } = this.#in;
    try {
      const recovered = await spill.read();
      if (recovered === null) return false;
      const { segment, index } = recovered.mark;
      if (recovered.damaged > 0) {
        this.#skipped = { segment, index: index + recovered.damaged - 1 };
        losses.damaged.addUnknown(recovered.damaged, 0, `damaged records in ${this.#spec.spill?.folder}`);
      }
      recovered.records.forEach((record, offset) => {
        const mark = { segment, index: index + offset };
        const entry = { record, weight: weightOf(record), since: clock.now(), mark };
        this.#front.push(entry);
        this.#frontBytes += entry.weight;
      });
      this.#diskFails = false;
      return true;
    } catch (error) {
      this.#diskTrouble(error);
      clock.after(DISK_RETRY, () => wake.notify());
      return false;
    }
  }

  get #frameBytes(): Bytes {
    return Math.min(FRAME, (this.#spill?.segmentBytes ?? FRAME) / 2);
  }

  async #writeAll(): Promise<void> {
    const spill = this.#spill as Spill;
    const { clock, wake } = this.#in;
    while (!this.#closing && this.#back.length > 0) {
      if (this.#backBytes < this.#frameBytes) await this.#room.wait(clock, GATHER);
      if (this.#closing) return;
      this.#advance();
      this.#writing = this.#chunk();
      const isWritten = this.#writing.length === 0 || (await this.#tryWrite(spill, this.#writing));
      if (!isWritten) {
        this.#back.unshift(this.#writing);
        for (const { weight } of this.#writing) this.#backBytes += weight;
      }
      this.#writing = [];
      wake.notify();
      if (!isWritten && !this.#closing) await this.#room.wait(clock, DISK_RETRY);
    }
  }

  #chunk(): Entry[] {
    const chunk: Entry[] = [];
    let weight = 0;
    for (let next = this.#back.first; next !== undefined; next = this.#back.first) {
      if (chunk.length > 0 && weight + next.weight > this.#frameBytes) break;
      weight += next.weight;
      chunk.push(next);
      this.#back.shift();
    }
    this.#backBytes -= weight;
    return chunk;
  }

  async #tryWrite(spill: Spill, chunk: readonly Entry[]): Promise<boolean> {
    try {
      if (!this.#opened) await this.open();
      const isWritten = this.#opened && (await this.#write(spill, chunk));
      if (isWritten) this.#diskFails = false;
      return isWritten;
    } catch (error) {
      this.#diskTrouble(error);
      return false;
    }
  }

  /** false: there is no room, and nothing may be given up for it. */
  async #write(spill: Spill, chunk: readonly Entry[]): Promise<boolean> {
    const { losses } = this.#in;
    const reason = `the spill in ${this.#spec.spill?.folder} is full`;
    while (!(await spill.append(recordsOf(chunk)))) {
      if (spill.bytes === 0) {
        losses.dropped.add(recordsOf(chunk), `${reason}: it is smaller than this`);
        return true;
      }
      if (this.#spec.whenFull === 'drop-newest') return false;
      const dropped = await spill.dropOldest();
      if (dropped === null) {
        losses.dropped.add(recordsOf(chunk), reason);
        return true;
      }
      losses.dropped.add(dropped.records, reason);
      losses.dropped.addUnknown(dropped.unreadable, 0, reason);
    }
    this.#spilled += chunk.length;
    return true;
  }

  /** Said once, until the disk works again. */
  #diskTrouble(error: unknown): void {
    if (this.#diskFails) return;
    this.#diskFails = true;
    this.#in.news({ kind: 'spill-failing', reason: codeOf(error) });
  }
}

/** The later of two places on disk. */
export function laterMark(one: Mark | null, other: Mark | null): Mark | null {
  if (one === null || other === null) return one ?? other;
  const isLater = other.segment > one.segment || (other.segment === one.segment && other.index > one.index);
  return isLater ? other : one;
}

function recordsOf(entries: readonly Entry[]): LogRecord[] {
  return entries.map(({ record }) => record);
}
