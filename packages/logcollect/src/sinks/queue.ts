import type { Bytes, Clock, Milliseconds } from '@hsu-master/core';
import { codeOf } from '../file/disk.ts';
import type { LogRecord } from '../record.ts';
import { Backlog, type Entry, laterMark } from './backlog.ts';
import { Losses } from './losses.ts';
import type { LossCause, QueueCounters, QueueSpec, SinkNews } from './queue-spec.ts';
import { Signal } from './signal.ts';
import type { Delivery, Refused, Sink } from './sink.ts';
import type { Mark } from './spill.ts';
import { realSpillDisk, type SpillDisk } from './spill-disk.ts';

export interface QueueSurroundings {
  readonly clock: Clock;
  /** Must not throw. */
  news(news: SinkNews): void;
  /** The file system of the spill; by default the real one. */
  readonly disk?: SpillDisk;
}

/** After a refusal of everything (credentials, address) it is asked again so seldom. */
const AFTER_NEVER: Milliseconds = 300_000;
/** What a sink that does not heed its signal is waited for at the end. */
const LAST_WAIT: Milliseconds = 2000;

/**
 * The way to one sink: takes records at once and without ever waiting, sends them in batches and in their order, one batch at a time,
 * repeats what failed, and keeps on disk what memory does not hold. Each record is delivered, refused, dropped with a count, or kept for
 * the next master.
 */
export class SinkQueue {
  readonly name: string;
  readonly #sink: Sink;
  readonly #spec: QueueSpec;
  readonly #in: QueueSurroundings;
  readonly #backlog: Backlog;
  readonly #losses: Readonly<Record<LossCause, Losses>>;
  readonly #end = new AbortController();
  readonly #wake = new Signal();
  /** Ends a pause when the queue is to be closed. */
  readonly #hurry = new Signal();
  readonly #running: Promise<void>;
  #flight: readonly Entry[] = [];
  /** The last record from disk that this flight has settled. */
  #settled: Mark | null = null;
  /** No batch is larger; halved when one was too big, and grows back. */
  #most: number;
  #closing = false;
  #closed: Promise<void> | null = null;
  #failures = 0;
  #failingSince = 0;
  #trouble: string | null = null;
  #count = { offered: 0, delivered: 0, repeated: 0, batches: 0, failures: 0 };

  constructor(sink: Sink, spec: QueueSpec, surroundings: QueueSurroundings) {
    this.name = sink.name;
    this.#sink = sink;
    this.#spec = spec;
    this.#in = surroundings;
    this.#most = Math.max(1, spec.batchCount);
    const losses = (cause: LossCause) =>
      new Losses(surroundings.clock, (news) => surroundings.news({ sink: sink.name, cause, ...news }));
    this.#losses = { dropped: losses('dropped'), refused: losses('refused'), damaged: losses('damaged') };
    this.#backlog = new Backlog(spec, surroundings.disk ?? realSpillDisk, {
      clock: surroundings.clock,
      wake: this.#wake,
      losses: this.#losses,
      news: (news) => surroundings.news({ sink: sink.name, ...news }),
    });
    this.#running = this.#run();
  }

  /** Takes the record over: it is sent later, or dropped and counted. Never waits, never throws. */
  offer(record: LogRecord): void {
    this.#count.offered += 1;
    if (this.#closed === null) this.#backlog.add(record);
    else this.#losses.dropped.add([record], 'it is closed');
  }

  /** Whether what comes next may have to be dropped; who can wait, waits. */
  get isPressed(): boolean {
    return this.#backlog.isPressed;
  }

  counters(): QueueCounters {
    const { clock } = this.#in;
    const { found, waiting, spilled, memory, disk } = this.#backlog.counters();
    const oldest = (this.#flight[0] ?? this.#backlog.first)?.record;
    return {
      ...this.#count,
      found,
      refused: this.#losses.refused.total,
      dropped: this.#losses.dropped.total,
      damaged: this.#losses.damaged.total,
      waiting: waiting + this.#flight.length,
      spilled,
      memory: memory + weightOf(this.#flight),
      disk,
      lag: oldest === undefined ? 0 : Math.max(0, clock.wallNow() - oldest.at),
      trouble: this.#trouble,
    };
  }

  /**
   * Sends what waits, at the longest for `within`; what is left then is kept on disk for the next master, or dropped and counted where
   * there is no spill. Resolves when the sink is closed.
   */
  close(within: Milliseconds): Promise<void> {
    this.#closed ??= this.#close(within);
    return this.#closed;
  }

  async #close(within: Milliseconds): Promise<void> {
    this.#closing = true;
    this.#wake.notify();
    this.#hurry.notify();
    const cancel = this.#in.clock.after(within, () => this.#stop());
    await this.#within(within + LAST_WAIT, this.#running);
    cancel();
    this.#stop();
    const left = this.#flight;
    this.#flight = [];
    await this.#within(LAST_WAIT, this.#backlog.close(left, this.#settled));
    for (const losses of Object.values(this.#losses)) losses.end();
    await this.#within(
      LAST_WAIT,
      this.#sink.close().catch(() => undefined),
    );
  }

  async #within(span: Milliseconds, work: Promise<unknown>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = this.#in.clock.after(span, resolve);
    await Promise.race([work, promise]);
    cancel();
  }

  #stop(): void {
    this.#end.abort();
    this.#wake.notify();
    this.#hurry.notify();
  }

  get #isOver(): boolean {
    return this.#end.signal.aborted;
  }

  async #run(): Promise<void> {
    await this.#backlog.open();
    while (!this.#isOver) {
      await this.#backlog.refill(this.#most);
      if (this.#isOver) break;
      const due = this.#backlog.first === undefined ? null : this.#dueIn();
      if (due !== null && due <= 0) await this.#deliver();
      else if (this.#closing && this.#backlog.isEmpty) break;
      else await this.#wake.wait(this.#in.clock, due);
    }
  }

  /** How long a batch may wait for more. */
  #dueIn(): Milliseconds {
    const { batchBytes, batchAge } = this.#spec;
    const { length, bytes, first, hasMore } = this.#backlog;
    if (this.#closing || hasMore || length >= this.#most || bytes >= batchBytes) return 0;
    return (first?.since ?? 0) + batchAge - this.#in.clock.now();
  }

  async #deliver(): Promise<void> {
    this.#flight = this.#backlog.take(this.#most, this.#spec.batchBytes);
    this.#settled = null;
    for (let attempts = 0; this.#flight.length > 0 && !this.#isOver; attempts += 1) {
      if (attempts > 0) this.#count.repeated += this.#flight.length;
      const batch = this.#flight;
      const delivery = await this.#attempt(batch);
      // Too late: the queue is closed, and what was under way is kept elsewhere.
      if (this.#flight !== batch) return;
      const pause = this.#judge(delivery);
      if (pause !== null) await this.#rest(pause);
    }
    if (this.#flight.length === 0 && this.#settled !== null) await this.#backlog.commit(this.#settled);
  }

  async #attempt(batch: readonly Entry[]): Promise<Delivery> {
    try {
      return await this.#sink.send(records(batch), this.#end.signal);
    } catch (error) {
      return { kind: 'later', reason: `it failed: ${codeOf(error)}`, after: null };
    }
  }

  /** Waits before the next attempt. At the end of the master there is none where the records can be kept. */
  async #rest(pause: Milliseconds): Promise<void> {
    if (this.#closing && this.#spec.spill !== null) this.#stop();
    if (!this.#isOver) await this.#hurry.wait(this.#in.clock, pause);
  }

  /** Books what became of the batch. Returns how long to pause before the next attempt, null for not at all. */
  #judge(delivery: Delivery): Milliseconds | null {
    const batch = this.#flight;
    switch (delivery.kind) {
      case 'taken':
        this.#settle(batch, 0, '', []);
        return null;
      case 'partly':
        this.#settle(batch, delivery.refused, delivery.reason, []);
        return null;
      case 'rest': {
        const again = new Set(delivery.left);
        const left = batch.filter(({ record }) => again.has(record));
        const settled = batch.filter(({ record }) => !again.has(record));
        this.#settle(settled, delivery.refused, delivery.reason, left);
        const isProgress = delivery.after === 0 && left.length < batch.length;
        return left.length === 0 || isProgress ? null : this.#fail(delivery.reason, delivery.after);
      }
      case 'too-big':
        return this.#halve(delivery.reason);
      case 'later':
        return this.#fail(delivery.reason, delivery.after);
      case 'never':
        return this.#fail(delivery.reason, AFTER_NEVER);
    }
  }

  #settle(done: readonly Entry[], refused: Refused, reason: string, left: readonly Entry[]): void {
    this.#flight = left;
    for (const { mark } of done) this.#settled = laterMark(this.#settled, mark);
    this.#count.batches += 1;
    const lost = Math.min(typeof refused === 'number' ? refused : refused.length, done.length);
    this.#count.delivered += done.length - lost;
    if (typeof refused !== 'number') this.#losses.refused.add(refused, reason);
    else if (lost === done.length) this.#losses.refused.add(records(done), reason);
    else this.#losses.refused.addUnknown(lost, 0, reason);
    this.#most = Math.min(this.#spec.batchCount, this.#most * 2);
    if (left.length > 0 || this.#failures === 0) return;
    const after = this.#in.clock.now() - this.#failingSince;
    this.#in.news({ sink: this.name, kind: 'recovered', failures: this.#failures, after });
    this.#failures = 0;
    this.#trouble = null;
  }

  #halve(reason: string): null {
    const half = Math.ceil(this.#flight.length / 2);
    if (this.#flight.length === 1) {
      this.#settle(this.#flight, 1, reason, []);
      return null;
    }
    this.#backlog.putBack(this.#flight.slice(half));
    this.#flight = this.#flight.slice(0, half);
    // So that what follows is doubled to no more than this.
    this.#most = Math.max(1, Math.floor(half / 2));
    return null;
  }

  #fail(reason: string, after: Milliseconds | null): Milliseconds {
    const { clock } = this.#in;
    const { firstRetry, longestRetry } = this.#spec;
    this.#failures += 1;
    this.#count.failures += 1;
    this.#trouble = reason;
    if (this.#failures === 1) {
      this.#failingSince = clock.now();
      if (!this.#isOver) this.#in.news({ sink: this.name, kind: 'failing', reason });
    }
    const grown = Math.min(longestRetry, firstRetry * 2 ** Math.min(this.#failures - 1, 50));
    return Math.max(after ?? 0, grown * (1 - clock.random() / 2));
  }
}

function records(entries: readonly Entry[]): LogRecord[] {
  return entries.map(({ record }) => record);
}

function weightOf(entries: readonly Entry[]): Bytes {
  return entries.reduce((sum, { weight }) => sum + weight, 0);
}
