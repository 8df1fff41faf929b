import type { LogRecord } from '../record.ts';
import { deliveryOf, objectIn } from './answers.ts';
import { isoTime } from './document.ts';
import type { HttpClient } from './http.ts';
import type { Delivery, Sink } from './sink.ts';

export interface ElasticsearchSpec {
  /** Name of the index or data stream; `{yyyy}`, `{MM}`, `{dd}` are the record’s day in UTC, `{worker_id}` its worker in lower case. */
  readonly index: string;
  /** Documents get ids, so that what is sent twice is there once; costs the service some speed. */
  readonly ids: boolean;
  readonly pipeline: string | null;
  /** Name of this host. */
  readonly host: string;
}

/** Of the answer only what decides is asked for. */
const FILTER = 'filter_path=errors,items.*.status,items.*.error.type,items.*.error.reason';

/**
 * Sends to `_bulk` of Elasticsearch or OpenSearch, always `create`, which indices and data streams take. What is refused with 429 or 5xx
 * is tried again alone; what exists already (409) is there; everything else is refused for good.
 */
export function elasticsearchSink(name: string, spec: ElasticsearchSpec, client: HttpClient): Sink {
  const pipeline = spec.pipeline === null ? '' : `&pipeline=${encodeURIComponent(spec.pipeline)}`;
  const path = `/_bulk?${FILTER}${pipeline}`;
  return {
    name,
    async send(batch, signal) {
      const body = batch.map((record) => bulkLines(record, spec)).join('');
      const answer = await client.post({ path, type: 'application/x-ndjson', body }, signal);
      if (answer.kind === 'unanswered' || answer.status !== 200)
        return deliveryOf(answer, batch.length, client);
      return judgeItems(batch, answer.body, answer.isWhole, client);
    },
    async close() {
      await Promise.resolve(client.close());
    },
  };
}

function bulkLines(record: LogRecord, spec: ElasticsearchSpec): string {
  const { workerId, run, stream, seq, at, level, message, text, fields, piece, damaged } = record;
  // The time tells the lives of masters apart, in each of which the numbers begin anew.
  const id = spec.ids ? { _id: `${spec.host}-${workerId}-${run}-${seq}-${at}` } : {};
  const document = {
    '@timestamp': isoTime(record),
    message,
    ...(message === text ? {} : { event: { original: text } }),
    log: { ...(level === null ? {} : { level }), stream },
    service: { name: workerId },
    host: { name: spec.host },
    hsu: { run, seq, ...(piece === 'whole' ? {} : { piece }), ...(damaged ? { damaged } : {}) },
    ...(Object.keys(fields).length === 0 ? {} : { fields }),
  };
  const order = { create: { _index: indexOf(record, spec.index), ...id } };
  return `${JSON.stringify(order)}\n${JSON.stringify(document)}\n`;
}

function indexOf(record: LogRecord, pattern: string): string {
  if (!pattern.includes('{')) return pattern;
  const day = isoTime(record);
  return pattern
    .replaceAll('{yyyy}', day.slice(0, 4))
    .replaceAll('{MM}', day.slice(5, 7))
    .replaceAll('{dd}', day.slice(8, 10))
    .replaceAll('{worker_id}', record.workerId.toLowerCase());
}

interface Item {
  readonly status?: number;
  readonly error?: { readonly type?: string; readonly reason?: string };
}

function judgeItems(
  batch: readonly LogRecord[],
  body: string,
  isWhole: boolean,
  client: HttpClient,
): Delivery {
  const found = isWhole ? objectIn(body) : null;
  // `items` is left out by the filter where nothing in it is asked for.
  if (found !== null && found.errors === false) return { kind: 'taken' };
  const items = Array.isArray(found?.items) ? (found.items as readonly Record<string, Item>[]) : [];
  if (items.length !== batch.length) {
    const reason = `${client.shown} did not say what became of each record`;
    return body.length > 1_000_000 ? { kind: 'too-big', reason } : { kind: 'later', reason, after: null };
  }
  const left: LogRecord[] = [];
  const refused: LogRecord[] = [];
  let reason = '';
  batch.forEach((record, index) => {
    const { status = 0, error } = Object.values(items[index] ?? {})[0] ?? {};
    if ((status >= 200 && status <= 299) || status === 409) return;
    if (status === 429 || status >= 500) left.push(record);
    else refused.push(record);
    if (reason === '')
      reason = client.quote(`${client.shown}: ${status} ${error?.type ?? ''} ${error?.reason ?? ''}`);
  });
  if (left.length > 0) return { kind: 'rest', left, refused, reason, after: null };
  return refused.length === 0 ? { kind: 'taken' } : { kind: 'partly', refused, reason };
}
