import type { Bytes, Clock, OutputStream, PipelineSpec, WorkerId } from '@hsu-master/core';
import type { RunListener } from '../file-collector.ts';
import { type LineNumbers, type LineSplitter, lineSplitter } from '../pipeline/lines.ts';
import { createPipeline, type Pipeline } from '../pipeline/pipeline.ts';
import type { LogRecord } from '../record.ts';
import { Losses } from '../sinks/losses.ts';
import { Intake, type Pressed } from './intake.ts';

export interface WorkerLinesOptions {
  readonly workerId: WorkerId;
  readonly pipeline: PipelineSpec | null;
  /** Somebody asks for levels, whether the pipeline finds them or not. */
  readonly needsLevels: boolean;
  readonly context: { readonly clock: Clock; readonly hostname: string; readonly masterId: string };
  /** Who gets the lines, and may have no room for more at the moment. */
  readonly queues: readonly Pressed[];
  /** Called with each line as it came. */
  count(record: LogRecord): void;
  /** Called with what leaves the pipeline. */
  give(record: LogRecord): void;
  /** Bytes could not be heard: 0 when that begins, then how many. */
  lost(bytes: Bytes, reason: string, run: number): void;
}

const NOTHING: PipelineSpec = {
  multiline: null,
  parsers: [],
  filter: null,
  sampling: [],
  rateLimit: null,
  enrichers: [],
  correlation: null,
  redaction: null,
  metadata: null,
};
const LEVEL = { type: 'level', pattern: null } as const;
const NEWLINE = 0x0a;
const TOO_FAST = 'lines came faster than they could be passed on to targets; the file has them';

/** The lines of one worker, of all its runs. */
export class WorkerLines {
  /** Bytes that could not be heard. */
  missed: Bytes = 0;
  readonly #options: WorkerLinesOptions;
  readonly #numbers: LineNumbers = { next: 1 };
  readonly #pipeline: Pipeline | null;
  readonly #open = new Set<StreamLines>();
  readonly #intake: Intake;

  constructor(options: WorkerLinesOptions) {
    this.#options = options;
    this.#intake = new Intake(options.context.clock, options.queues);
    const { pipeline, needsLevels, context } = options;
    const lacksLevels = needsLevels && pipeline?.parsers.some(({ type }) => type === 'level') !== true;
    const spec = lacksLevels ? withLevels(pipeline ?? NOTHING) : pipeline;
    const late = (records: readonly LogRecord[]) => this.#give(records);
    this.#pipeline = spec === null ? null : createPipeline(spec, { ...context, late });
  }

  open(run: number): RunListener {
    const streams: Partial<Record<OutputStream, StreamLines>> = {};
    const of = (stream: OutputStream): StreamLines => (streams[stream] ??= this.#begin(run, stream));
    return {
      chunk: (stream, bytes) => {
        const lines = of(stream);
        return this.#intake.push(bytes, (slice) => this.#push(lines.push(slice)));
      },
      missed: (stream, bytes) => {
        const lines = of(stream);
        this.missed += bytes;
        this.#intake.after(() => lines.miss(bytes));
      },
      end: (stream) => {
        const lines = streams[stream];
        if (lines !== undefined) this.#intake.after(() => this.#end(lines));
      },
    };
  }

  /** Whether more may come of a run. */
  get isOpen(): boolean {
    return this.#open.size > 0;
  }

  /** Resolves when all that came has found room, or was passed on without. */
  async taken(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#intake.after(resolve);
    await promise;
  }

  /** No more will come: what is held is handed on. */
  end(): void {
    this.#intake.flush();
    for (const lines of this.#open) this.#end(lines);
    if (this.#pipeline !== null) this.#give(this.#pipeline.end());
  }

  #begin(run: number, stream: OutputStream): StreamLines {
    const { workerId, context, lost } = this.#options;
    const { clock } = context;
    const split = () => lineSplitter({ workerId, run, stream, numbers: this.#numbers });
    const losses = new Losses(clock, ({ bytes, reason }) => lost(bytes, reason, run));
    const lines = new StreamLines(split, losses, clock);
    this.#open.add(lines);
    return lines;
  }

  #end(lines: StreamLines): void {
    if (this.#open.delete(lines)) this.#push(lines.end());
  }

  #push(records: readonly LogRecord[]): void {
    if (records.length === 0) return;
    for (const record of records) this.#options.count(record);
    this.#give(this.#pipeline === null ? records : this.#pipeline.push(records));
  }

  #give(records: readonly LogRecord[]): void {
    for (const record of records) this.#options.give(record);
  }
}

/** One stream of one run. */
class StreamLines {
  readonly #split: () => LineSplitter;
  readonly #losses: Losses;
  readonly #clock: Clock;
  #splitter: LineSplitter;
  /** After a gap: up to the next newline it is the end of a line whose beginning was missed. */
  #skipping = false;

  constructor(split: () => LineSplitter, losses: Losses, clock: Clock) {
    this.#split = split;
    this.#splitter = split();
    this.#losses = losses;
    this.#clock = clock;
  }

  push(bytes: Uint8Array): readonly LogRecord[] {
    let rest = bytes;
    if (this.#skipping) {
      const newline = bytes.indexOf(NEWLINE);
      const skipped = newline === -1 ? bytes.length : newline + 1;
      this.#losses.addUnknown(0, skipped, TOO_FAST);
      if (newline === -1) return [];
      this.#skipping = false;
      rest = bytes.subarray(skipped);
    }
    return rest.length === 0 ? [] : this.#splitter.push(rest, this.#clock.wallNow());
  }

  /** What is held is the beginning of a line whose end was missed, and is no line. */
  miss(bytes: Bytes): void {
    this.#losses.addUnknown(0, bytes, TOO_FAST);
    this.#splitter = this.#split();
    this.#skipping = true;
  }

  end(): readonly LogRecord[] {
    this.#losses.end();
    return this.#splitter.end(this.#clock.wallNow());
  }
}

function withLevels(spec: PipelineSpec): PipelineSpec {
  return { ...spec, parsers: [...spec.parsers, LEVEL] };
}
