import {
  type Bytes,
  type Clock,
  type EventDraft,
  isSame,
  type Milliseconds,
  type OutputStream,
  type WorkerId,
  type WorkerSpec,
} from '@hsu-master/core';
import type { AlertRule, LogAlert } from '../alerts/rule.ts';
import { AlertWatch } from '../alerts/watch.ts';
import type { FileCollector, Hearing, OutputListener, RunListener, Written } from '../file-collector.ts';
import { type LogCounters, LogMetrics } from '../metrics.ts';
import type { LogRecord } from '../record.ts';
import type { SinkQueue } from '../sinks/queue.ts';
import type { QueueCounters, SinkNews } from '../sinks/queue-spec.ts';
import { within } from '../within.ts';
import type { Pressed } from './intake.ts';
import { eventOfSink } from './sink-events.ts';
import { WorkerLines } from './worker-lines.ts';

/** A sink, and whose lines go there. */
export interface Outlet {
  /** null: of all workers. */
  readonly workers: ReadonlySet<WorkerId> | null;
  readonly streams: readonly OutputStream[];
  readonly queue: Pick<SinkQueue, 'name' | 'offer' | 'isPressed' | 'counters' | 'close'>;
}

/** Hears the lines of workers as they leave the pipeline. Must not throw. */
export type RecordListener = (record: LogRecord) => void;

export interface LogStreamOptions {
  readonly clock: Clock;
  readonly hostname: string;
  readonly masterId: string;
  readonly workers: readonly Pick<WorkerSpec, 'id' | 'log'>[];
  readonly rules: readonly AlertRule[];
  /** An alert was raised, goes on, or is cleared. */
  alert(alert: LogAlert): void;
  publish(event: EventDraft, workerId: WorkerId | null, run: number | null): void;
}

/** What is otherwise from now on. */
export interface LogChange extends Pick<LogStreamOptions, 'workers' | 'rules'> {
  readonly outlets: readonly Outlet[];
}

/** Where the lines of one worker go. */
interface Ways {
  stdout: readonly Outlet['queue'][];
  stderr: readonly Outlet['queue'][];
  readonly pressed: Pressed[];
  isWatched: boolean;
}

export interface LogStreamCounters extends LogCounters {
  /** Streams whose bytes come to JavaScript at all. */
  readonly heardStreams: number;
  /** What is in each worker’s own files, also where nobody hears it. */
  readonly written: Readonly<Record<WorkerId, Written>>;
  /** Bytes that could not be heard, by worker. */
  readonly missed: Readonly<Record<WorkerId, Bytes>>;
  readonly sinks: Readonly<Record<string, QueueCounters>>;
}

type Source = Pick<FileCollector, 'subscribe' | 'retune' | 'heardStreams' | 'written'>;

interface Subscriber {
  readonly workers: ReadonlySet<WorkerId> | null;
  readonly hear: RecordListener;
}

/**
 * The way of lines from the collector through the pipelines of their workers to sinks, alerts and subscribers. Hears only workers of
 * whom somebody wants something: what nobody asks for is never seen here.
 */
export class LogStream implements OutputListener {
  readonly metrics: LogMetrics;
  readonly #options: LogStreamOptions;
  readonly #specs: Map<WorkerId, Pick<WorkerSpec, 'id' | 'log'>>;
  #watch: AlertWatch | null;
  #rules: readonly AlertRule[];
  /** Where the lines of each worker go. */
  readonly #ways = new Map<WorkerId, Ways>();
  readonly #lines = new Map<WorkerId, WorkerLines>();
  /** Of runs that may still say something. */
  readonly #former = new Set<WorkerLines>();
  /** Workers that were removed since the last change. */
  readonly #gone = new Set<WorkerId>();
  readonly #subscribers = new Set<Subscriber>();
  #outlets: readonly Outlet[] = [];
  #source: Source | null = null;
  #unsubscribe: () => void = () => undefined;
  #closed: Promise<void> | null = null;

  constructor(options: LogStreamOptions) {
    this.#options = options;
    this.metrics = new LogMetrics(options.clock);
    this.#specs = new Map(options.workers.map((spec) => [spec.id, spec]));
    const { rules, clock } = options;
    this.#rules = rules;
    this.#watch = rules.length === 0 ? null : new AlertWatch(rules, clock, (alert) => options.alert(alert));
  }

  /** Begins to hear. Before the collector takes over what an earlier master left, so that nothing of that is missed. */
  attach(source: Source, outlets: readonly Outlet[]): void {
    this.#source = source;
    this.#outlets = outlets;
    this.#unsubscribe = source.subscribe(this);
  }

  /**
   * Other workers, ways and rules. Lines go the new ways from now on, and through other pipelines from the next run of their worker on. Queues
   * that lead nowhere any more are closed by whoever made them.
   */
  change({ workers, outlets, rules }: LogChange): void {
    this.#prune();
    const { clock, alert } = this.#options;
    if (!isSame(rules, this.#rules)) {
      this.#watch?.close();
      this.#watch = rules.length === 0 ? null : new AlertWatch(rules, clock, alert);
    }
    const before = this.#rules;
    this.#outlets = outlets;
    this.#rules = rules;
    for (const spec of workers) {
      const former = this.#specs.get(spec.id);
      this.#specs.set(spec.id, spec);
      const lines = this.#lines.get(spec.id);
      if (lines === undefined) continue;
      const isWay =
        isSame(former?.log.pipeline, spec.log.pipeline) &&
        needsLevels(before, spec.id) === needsLevels(rules, spec.id);
      if (isWay) continue;
      this.#lines.delete(spec.id);
      this.#former.add(lines);
    }
    for (const [id, ways] of this.#ways) this.#lead(id, ways);
    this.#source?.retune();
  }

  /** There is no such worker any more; what it said last may still be on its way. */
  forget(workerId: WorkerId): void {
    this.#gone.add(workerId);
    const lines = this.#lines.get(workerId);
    this.#lines.delete(workerId);
    if (lines !== undefined) this.#former.add(lines);
  }

  #prune(): void {
    for (const id of this.#gone) {
      this.#specs.delete(id);
      this.#watch?.forget(id);
      this.#ways.delete(id);
    }
    this.#gone.clear();
    for (const lines of this.#former) {
      if (lines.isOpen) continue;
      lines.end();
      this.#former.delete(lines);
    }
  }

  /** Hears the lines of these workers, null: of all, from now on; the returned function ends that. */
  subscribe(workers: ReadonlySet<WorkerId> | null, hear: RecordListener): () => void {
    const subscriber = { workers, hear };
    this.#subscribers.add(subscriber);
    this.#source?.retune();
    return () => {
      if (this.#subscribers.delete(subscriber)) this.#source?.retune();
    };
  }

  wants(workerId: WorkerId): Hearing {
    const spec = this.#specs.get(workerId);
    if (spec === undefined || this.#closed !== null || !this.#isAskedFor(workerId)) return 'none';
    return spec.log.files.overflow === 'block' ? 'wait' : 'lose';
  }

  open(workerId: WorkerId, run: number): RunListener {
    return this.#linesOf(workerId).open(run);
  }

  /** What a sink’s queue tells becomes an event. */
  hearOfSink(news: SinkNews): void {
    if (news.kind === 'lost')
      for (const [workerId, lines] of news.workers) this.metrics.drop(workerId, lines, news.sink);
    const event = eventOfSink(news);
    if (event !== null) this.#options.publish(event, null, null);
  }

  counters(): LogStreamCounters {
    const missed = [...this.#lines].flatMap(([id, lines]) => (lines.missed > 0 ? [[id, lines.missed]] : []));
    return {
      ...this.metrics.snapshot(),
      heardStreams: this.#source?.heardStreams ?? 0,
      written: Object.fromEntries(this.#source?.written() ?? []) as Record<WorkerId, Written>,
      missed: Object.fromEntries(missed) as Record<WorkerId, Bytes>,
      sinks: Object.fromEntries(this.#outlets.map(({ queue }) => [queue.name, queue.counters()])),
    };
  }

  /** Hands on what is held, then gives the sinks so long to send what waits; the rest is kept on disk, or counted as lost. */
  close(time: Milliseconds): Promise<void> {
    this.#closed ??= this.#close(time);
    return this.#closed;
  }

  async #close(time: Milliseconds): Promise<void> {
    const { clock } = this.#options;
    const until = clock.now() + time;
    this.#unsubscribe();
    // Sinks go on taking meanwhile; what is passed on all at once may have to be dropped.
    const all = [...this.#former, ...this.#lines.values()];
    await within(clock, time / 2, Promise.all(all.map((lines) => lines.taken())));
    for (const lines of all) lines.end();
    this.#watch?.close();
    await Promise.all(this.#outlets.map(({ queue }) => queue.close(Math.max(0, until - clock.now()))));
  }

  #isAskedFor(workerId: WorkerId): boolean {
    const isAbout = ({ workers }: { readonly workers: ReadonlySet<WorkerId> | null }) =>
      workers === null || workers.has(workerId);
    if (this.#outlets.some(isAbout)) return true;
    for (const subscriber of this.#subscribers) if (isAbout(subscriber)) return true;
    return this.#rules.some(isAboutWorker(workerId));
  }

  /** Each once, though several outlets lead there. */
  #queuesOf(workerId: WorkerId, stream: OutputStream): ReadonlySet<Outlet['queue']> {
    const outlets = this.#outlets.filter(
      ({ workers, streams }) => (workers?.has(workerId) ?? true) && streams.includes(stream),
    );
    return new Set(outlets.map(({ queue }) => queue));
  }

  /** Queues change under the lines that are on their way. */
  #lead(workerId: WorkerId, ways: Ways): void {
    ways.stdout = [...this.#queuesOf(workerId, 'stdout')];
    ways.stderr = [...this.#queuesOf(workerId, 'stderr')];
    const all = new Set([...ways.stdout, ...ways.stderr]);
    ways.pressed.splice(0, ways.pressed.length, ...[...all].map(pressureOf));
    ways.isWatched = this.#rules.some(isAboutWorker(workerId));
  }

  #linesOf(workerId: WorkerId): WorkerLines {
    let lines = this.#lines.get(workerId);
    if (lines !== undefined) return lines;
    const { clock, hostname, masterId, publish } = this.#options;
    const ways = this.#ways.get(workerId) ?? { stdout: [], stderr: [], pressed: [], isWatched: false };
    this.#ways.set(workerId, ways);
    this.#lead(workerId, ways);
    lines = new WorkerLines({
      workerId,
      pipeline: this.#specs.get(workerId)?.log.pipeline ?? null,
      needsLevels: needsLevels(this.#rules, workerId),
      context: { clock, hostname, masterId },
      queues: ways.pressed,
      count: (record) => this.metrics.count(record),
      give: (record) => {
        for (const queue of ways[record.stream]) queue.offer(record);
        if (ways.isWatched) this.#watch?.see(record);
        for (const { workers, hear } of this.#subscribers) if (workers?.has(workerId) ?? true) hear(record);
      },
      lost: (bytes, reason, run) =>
        publish({ type: 'log.dropped', payload: { bytes, reason } }, workerId, run),
    });
    this.#lines.set(workerId, lines);
    return lines;
  }
}

function needsLevels(rules: readonly AlertRule[], workerId: WorkerId): boolean {
  return rules.filter(isAboutWorker(workerId)).some(({ minLevel }) => minLevel !== null);
}

function pressureOf(queue: Outlet['queue']): Pressed {
  return {
    get isPressed() {
      return queue.isPressed;
    },
    progress() {
      const { delivered, refused, spilled } = queue.counters();
      return delivered + refused + spilled;
    },
  };
}

function isAboutWorker(workerId: WorkerId): (rule: AlertRule) => boolean {
  return ({ workers }) => workers.length === 0 || workers.includes(workerId);
}
