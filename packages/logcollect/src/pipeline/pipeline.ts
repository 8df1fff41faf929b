import type { Clock, PipelineSpec } from '@hsu-master/core';
import type { LogRecord } from '../record.ts';
import { correlation } from './correlate.ts';
import { enricher } from './enrich.ts';
import { filter } from './filter.ts';
import { lineNumbers, type MasterFacts, metadata } from './metadata.ts';
import { type Joiner, joiner } from './multiline.ts';
import { parser } from './parse/parsers.ts';
import { localTime, type TimeContext } from './parse/time.ts';
import { type RateLimit, rateLimit } from './rate-limit.ts';
import { redaction } from './redact/redact.ts';
import { sampling } from './sampling.ts';
import { type Stage, wholeLine } from './stage.ts';

export interface PipelineContext extends MasterFacts {
  readonly clock: Pick<Clock, 'now' | 'after' | 'random'>;
  /** Called with records that come by time alone: joined lines that nothing was added to, and what was left out. */
  late(records: readonly LogRecord[]): void;
  /** Times without a zone; by default those of this process’s zone. */
  readonly local?: TimeContext['local'];
}

/** What a stage was given and what it handed on. */
export interface StageCount {
  readonly stage: string;
  readonly in: number;
  readonly out: number;
}

/** The stages of one worker. */
export interface Pipeline {
  /** What becomes of a batch, in its order. Records that were held may come before. */
  push(batch: readonly LogRecord[]): readonly LogRecord[];
  /** What is still held; call it when no more will come. */
  end(): readonly LogRecord[];
  counts(): readonly StageCount[];
}

/**
 * Compiles a spec for one worker: its streams and runs are kept apart within. Throws `TypeError` for a pattern that
 * `compilePattern` refuses. Stages stand in the order of the spec’s keys; those that are not asked for cost nothing.
 */
export function createPipeline(spec: PipelineSpec, context: PipelineContext): Pipeline {
  return new Compiled(spec, context);
}

interface Counted {
  readonly stage: string;
  readonly run: Stage;
  in: number;
  out: number;
}

class Compiled implements Pipeline {
  readonly #stages: Counted[] = [];
  readonly #joiner: { readonly joiner: Joiner; readonly next: number } | null;
  readonly #limit: { readonly limit: RateLimit; readonly next: number } | null;

  constructor(spec: PipelineSpec, context: PipelineContext) {
    const { clock } = context;
    const local = context.local ?? localTime;
    const late = (next: () => number) => (records: readonly LogRecord[]) => {
      const done = this.#through(records, next());
      if (done.length > 0) context.late(done);
    };
    if (spec.metadata?.lineNumber === true) this.#add('line-numbers', lineNumbers());
    if (spec.multiline === null) this.#joiner = null;
    else {
      const join = joiner(
        spec.multiline,
        clock,
        late(() => this.#joiner?.next ?? 0),
      );
      this.#add('multiline', (record) => join.push(record));
      this.#joiner = { joiner: join, next: this.#stages.length };
    }
    for (const each of spec.parsers) this.#add(each.type, parser(each, local));
    const levels = spec.parsers.some(({ type }) => type === 'level');
    if (spec.filter !== null) {
      // Without its level no line could be held back for it.
      if (spec.filter.minLevel !== null && !levels)
        this.#add('level', parser({ type: 'level', pattern: null }, local));
      this.#add('filter', wholeLine(filter(spec.filter)));
    }
    if (spec.sampling.length > 0) {
      const sample = sampling(spec.sampling, () => clock.random());
      this.#add('sampling', wholeLine(sample));
    }
    if (spec.rateLimit === null) this.#limit = null;
    else {
      const limit = rateLimit(
        spec.rateLimit,
        clock,
        late(() => this.#limit?.next ?? 0),
      );
      this.#add(
        'rate-limit',
        wholeLine((record) => limit.push(record)),
      );
      this.#limit = { limit, next: this.#stages.length };
    }
    for (const each of spec.enrichers) this.#add(each.type, enricher(each, local));
    if (spec.correlation !== null) this.#add('correlation', correlation(spec.correlation));
    if (spec.redaction !== null) this.#add('redaction', redaction(spec.redaction));
    if (spec.metadata !== null) this.#add('metadata', metadata(spec.metadata, context));
  }

  push(batch: readonly LogRecord[]): readonly LogRecord[] {
    return this.#through(batch, 0);
  }

  end(): readonly LogRecord[] {
    const held = this.#joiner === null ? [] : this.#through(this.#joiner.joiner.flush(), this.#joiner.next);
    const told = this.#limit === null ? [] : this.#through(this.#limit.limit.flush(), this.#limit.next);
    return [...held, ...told];
  }

  counts(): readonly StageCount[] {
    return this.#stages.map(({ stage, in: taken, out }) => ({ stage, in: taken, out }));
  }

  #add(stage: string, run: Stage): void {
    this.#stages.push({ stage, run, in: 0, out: 0 });
  }

  #through(batch: readonly LogRecord[], from: number): readonly LogRecord[] {
    if (from >= this.#stages.length) return batch;
    const done: LogRecord[] = [];
    for (const record of batch) this.#one(record, from, done);
    return done;
  }

  #one(record: LogRecord, from: number, done: LogRecord[]): void {
    const stages = this.#stages;
    let now = record;
    for (let at = from; at < stages.length; at += 1) {
      const stage = stages[at] as Counted;
      stage.in += 1;
      const result = stage.run(now);
      if (result === null) return;
      if (isSeveral(result)) {
        stage.out += result.length;
        for (const each of result) this.#one(each, at + 1, done);
        return;
      }
      stage.out += 1;
      now = result;
    }
    done.push(now);
  }
}

function isSeveral(result: LogRecord | readonly LogRecord[]): result is readonly LogRecord[] {
  return Array.isArray(result);
}
