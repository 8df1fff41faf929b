import type { MultilineSpec, PipelineSpec } from '@hsu-master/core';
import { FakeClock } from '@hsu-master/testkit';
import { createPipeline, type Pipeline, type PipelineContext } from '../../src/pipeline/pipeline.ts';
import type { LogRecord } from '../../src/record.ts';
import { record } from './records.ts';

/** A pipeline of nothing, but for what `differs`. */
export function pipelineSpec(differs: Partial<PipelineSpec> = {}): PipelineSpec {
  return {
    multiline: null,
    parsers: [],
    filter: null,
    sampling: [],
    rateLimit: null,
    enrichers: [],
    correlation: null,
    redaction: null,
    metadata: null,
    ...differs,
  };
}

export function multilineSpec(differs: Partial<MultilineSpec> = {}): MultilineSpec {
  return {
    presets: [],
    firstLine: null,
    continues: null,
    maxLines: 100,
    maxBytes: 65_536,
    timeout: 500,
    ...differs,
  };
}

/** A pipeline on a clock that the test moves, with what came out of it. */
export class Bench {
  readonly clock = new FakeClock();
  readonly out: LogRecord[] = [];
  readonly pipeline: Pipeline;
  #seq = 0;

  constructor(differs: Partial<PipelineSpec>, context: Partial<PipelineContext> = {}) {
    this.pipeline = createPipeline(pipelineSpec(differs), {
      clock: this.clock,
      masterId: 'm1',
      hostname: 'h1',
      late: (records) => void this.out.push(...records),
      ...context,
    });
  }

  /** Puts lines in as one batch. */
  lines(texts: readonly string[], differs: Partial<LogRecord> = {}): this {
    const batch = texts.map((text) => {
      this.#seq += 1;
      return record(text, { seq: this.#seq, ...differs });
    });
    this.out.push(...this.pipeline.push(batch));
    return this;
  }

  end(): this {
    this.out.push(...this.pipeline.end());
    return this;
  }

  get texts(): readonly string[] {
    return this.out.map(({ text }) => text);
  }
}
