import type { LogLevel, LogRecord, LogValue } from '../record.ts';
import { deliveryOf, objectIn } from './answers.ts';
import { timeOf } from './document.ts';
import type { HttpClient } from './http.ts';
import type { Sink } from './sink.ts';

export interface OtlpSpec {
  /** Attributes of every resource. */
  readonly resource: Readonly<Record<string, string>>;
  readonly host: string;
}

/** As OpenTelemetry’s log data model maps syslog’s. */
const SEVERITY: Readonly<Record<LogLevel, number>> = {
  trace: 1,
  debug: 5,
  info: 9,
  notice: 10,
  warn: 13,
  error: 17,
  critical: 18,
  alert: 19,
  emergency: 21,
};

/** The protocol forbids to repeat after these only is it allowed. */
const AGAIN = [429, 502, 503, 504];

type AnyValue = { readonly [kind: string]: unknown };

/** Sends OTLP over HTTP in its JSON encoding. Each worker is a resource, `service.name` its id. */
export function otlpSink(name: string, spec: OtlpSpec, client: HttpClient): Sink {
  return {
    name,
    async send(batch, signal) {
      const body = JSON.stringify({ resourceLogs: resourceLogs(batch, spec) });
      const answer = await client.post({ path: '', type: 'application/json', body }, signal);
      const delivery = deliveryOf(answer, batch.length, client);
      if (answer.kind === 'unanswered') return delivery;
      if (delivery.kind === 'later' && !AGAIN.includes(answer.status))
        return { kind: 'partly', refused: batch.length, reason: delivery.reason };
      if (delivery.kind !== 'taken') return delivery;
      const told = objectIn(answer.body)?.partialSuccess as
        | { readonly rejectedLogRecords?: unknown; readonly errorMessage?: unknown }
        | undefined;
      const refused = Number(told?.rejectedLogRecords ?? 0);
      if (!(refused > 0)) return delivery;
      const said = typeof told?.errorMessage === 'string' ? told.errorMessage : 'rejected';
      const reason = client.quote(`${client.shown}: ${said}`);
      return { kind: 'partly', refused: Math.min(refused, batch.length), reason };
    },
    async close() {
      await Promise.resolve(client.close());
    },
  };
}

function resourceLogs(batch: readonly LogRecord[], spec: OtlpSpec): readonly object[] {
  const workers = Map.groupBy(batch, ({ workerId }) => workerId);
  return [...workers].map(([workerId, records]) => ({
    resource: {
      attributes: attributesOf({ 'service.name': workerId, 'host.name': spec.host, ...spec.resource }),
    },
    scopeLogs: [{ scope: { name: 'hsu-master' }, logRecords: records.map(logRecord) }],
  }));
}

function logRecord(record: LogRecord): object {
  const { level, message, text, stream, run, seq, fields } = record;
  const trace = hexOf(fields.trace_id ?? fields.traceId, 32);
  const span = hexOf(fields.span_id ?? fields.spanId, 16);
  return {
    timeUnixNano: nanos(timeOf(record)),
    observedTimeUnixNano: nanos(record.at),
    ...(level === null ? {} : { severityNumber: SEVERITY[level], severityText: level }),
    body: { stringValue: message },
    attributes: attributesOf({
      'log.iostream': stream,
      'hsu.run': run,
      'hsu.seq': seq,
      ...(message === text ? {} : { 'log.record.original': text }),
      ...fields,
    }),
    ...(trace === null ? {} : { traceId: trace }),
    ...(span === null ? {} : { spanId: span }),
  };
}

function nanos(time: number): string {
  return `${Math.trunc(time)}000000`;
}

function hexOf(value: LogValue | undefined, length: number): string | null {
  const isId = typeof value === 'string' && value.length === length && /^[0-9a-f]+$/i.test(value);
  return isId && !/^0+$/.test(value) ? value.toLowerCase() : null;
}

function attributesOf(values: { readonly [key: string]: LogValue }): readonly object[] {
  return Object.entries(values).map(([key, value]) => ({ key, value: anyValue(value) }));
}

function anyValue(value: LogValue): AnyValue {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  // 64-bit integers are strings in this encoding.
  if (typeof value === 'number') {
    return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  }
  if (value === null) return {};
  if (Array.isArray(value))
    return { arrayValue: { values: value.map((item) => anyValue(item as LogValue)) } };
  return { kvlistValue: { values: attributesOf(value as { readonly [key: string]: LogValue }) } };
}
