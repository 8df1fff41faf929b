import type { LogRecord } from '../record.ts';
import { deliveryOf, reasonOf } from './answers.ts';
import type { HttpClient } from './http.ts';
import type { Delivery, Sink } from './sink.ts';

export interface LokiSpec {
  /** Labels that every stream has. */
  readonly labels: Readonly<Record<string, string>>;
  /** Also a label: the level. Adds up to ten streams per worker. */
  readonly levelLabel: boolean;
  /** Run, sequence number and the fields go along as structured metadata, which needs Loki 3 or a setting of Loki 2.9. */
  readonly metadata: boolean;
  readonly host: string;
  readonly format: (record: LogRecord) => string;
}

/** Loki’s own default bounds. */
const MOST_LABELS = 15;
const LONGEST_VALUE = 2048;
/** Streams whose last time is remembered. */
const MOST_STREAMS = 10_000;
const MOST_METADATA = 64;

interface Stream {
  readonly labels: Readonly<Record<string, string>>;
  readonly entries: LogRecord[];
}

/**
 * Pushes to Loki. Labels are few: worker, stream, host, static ones, the level where asked. Entries have the time at which they were read;
 * of one stream each has a later one than the last, since Loki drops an equal line of an equal time, and keeps it when it is sent again,
 * since Loki drops what it has already.
 */
export function lokiSink(name: string, spec: LokiSpec, client: HttpClient): Sink {
  const times = new Times();
  return {
    name,
    async send(batch, signal) {
      const streams = [...divide(batch, spec)].map(([key, { labels, entries }]) => ({
        stream: labels,
        values: entries.map((record) => valueOf(record, times.of(record, key), spec)),
      }));
      const body = JSON.stringify({ streams });
      const answer = await client.post({ path: '/loki/api/v1/push', type: 'application/json', body }, signal);
      if (answer.kind === 'answered' && answer.status === 400) return ignored(answer, batch.length, client);
      return deliveryOf(answer, batch.length, client);
    },
    async close() {
      await Promise.resolve(client.close());
    },
  };
}

/** Of a batch with entries that are too old, Loki takes the others, and says how many it did not. */
function ignored(answer: Parameters<typeof reasonOf>[0], records: number, client: HttpClient): Delivery {
  const told = /total ignored: (\d+) out of (\d+)/.exec(answer.body);
  const refused = told === null ? records : Math.min(records, Number(told[1]));
  return { kind: 'partly', refused, reason: reasonOf(answer, client) };
}

function divide(batch: readonly LogRecord[], spec: LokiSpec): Map<string, Stream> {
  const streams = new Map<string, Stream>();
  for (const record of batch) {
    const level = spec.levelLabel ? (record.level ?? 'unknown') : '';
    const key = `${record.workerId}\0${record.stream}\0${level}`;
    let stream = streams.get(key);
    if (stream === undefined) {
      const own = { worker: record.workerId, stream: record.stream, host: spec.host };
      const labels = boundedLabels({ ...own, ...(level === '' ? {} : { level }), ...spec.labels });
      stream = { labels, entries: [] };
      streams.set(key, stream);
    }
    stream.entries.push(record);
  }
  return streams;
}

function boundedLabels(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const pairs = Object.entries(labels).slice(0, MOST_LABELS);
  return Object.fromEntries(pairs.map(([key, value]) => [labelName(key), value.slice(0, LONGEST_VALUE)]));
}

/** A name that Loki takes. */
export function labelName(text: string): string {
  const clean = text.replaceAll(/[^a-zA-Z0-9_]/g, '_');
  return /^[a-zA-Z_]/.test(clean) ? clean : `_${clean}`;
}

function valueOf(record: LogRecord, time: bigint, spec: LokiSpec): readonly unknown[] {
  const line = spec.format(record);
  if (!spec.metadata) return [String(time), line];
  const pairs = Object.entries(record.fields)
    .slice(0, MOST_METADATA)
    .map(([key, value]) => [labelName(key), typeof value === 'string' ? value : JSON.stringify(value)]);
  const own = { run: String(record.run), seq: String(record.seq), level: record.level ?? 'unknown' };
  return [String(time), line, { ...Object.fromEntries(pairs), ...own }];
}

/** The nanosecond that each record has in its stream. */
class Times {
  readonly #last = new Map<string, bigint>();
  readonly #given = new WeakMap<LogRecord, bigint>();

  of(record: LogRecord, stream: string): bigint {
    const given = this.#given.get(record);
    if (given !== undefined) return given;
    const read = BigInt(Math.trunc(record.at)) * 1_000_000n;
    const last = this.#last.get(stream) ?? 0n;
    const time = read > last ? read : last + 1n;
    if (this.#last.size >= MOST_STREAMS && !this.#last.has(stream)) this.#last.clear();
    this.#last.set(stream, time);
    this.#given.set(record, time);
    return time;
  }
}
