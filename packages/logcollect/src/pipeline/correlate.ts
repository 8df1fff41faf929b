import type { CorrelationSpec, LogValue } from '@hsu-master/core';
import type { LogRecord } from '../record.ts';
import { type Change, patternOf } from './stage.ts';

/** Fields that hold ids of traces, spans and requests, whatever the worker calls them. */
export const CORRELATION_FIELDS = ['trace_id', 'span_id', 'request_id'] as const;
type Id = (typeof CORRELATION_FIELDS)[number];
type Ids = { [K in Id]?: string };

/** Names without their case and separators. */
const NAMES: ReadonlyMap<string, Id | 'traceparent'> = new Map<string, Id | 'traceparent'>([
  ['traceparent', 'traceparent'],
  ...['traceid', 'xtraceid', 'xb3traceid', 'ddtraceid', 'otraceid'].map(
    (name) => [name, 'trace_id'] as const,
  ),
  ...['spanid', 'xb3spanid', 'ddspanid'].map((name) => [name, 'span_id'] as const),
  ...['requestid', 'xrequestid', 'reqid', 'correlationid', 'xcorrelationid', 'httprequestid'].map(
    (name) => [name, 'request_id'] as const,
  ),
]);

const LONGEST_NAME = 32;
const TRACEPARENT = /(?<![\da-f])[\da-f]{2}-([\da-f]{32})-([\da-f]{16})-[\da-f]{2}(?![\da-f])/i;
const IN_TEXT =
  /(?<![A-Za-z])((?:x-b3-|x-|dd[._])?(?:trace|span)[-_. ]?id|(?:x-)?(?:request|req|correlation)[-_. ]?id)["']?(?:=|: ?)["']?([\w.:+/=-]{1,128})/gi;

/** Fills `trace_id`, `span_id` and `request_id` of the fields from what the record has under other names or in its text. */
export function correlation(spec: CorrelationSpec): Change {
  const patterns = spec.patterns.map(patternOf);
  const names = new Map<string, Id | 'traceparent' | null>();
  const nameOf = (key: string): Id | 'traceparent' | null => {
    if (key.length > LONGEST_NAME) return null;
    let name = names.get(key);
    if (name === undefined) {
      name = NAMES.get(key.toLowerCase().replace(/[-_. ]/g, '')) ?? null;
      // Keys come from workers: no more of them are remembered than a program has.
      if (names.size < 1000) names.set(key, name);
    }
    return name;
  };
  return (record) => {
    const ids: Ids = {};
    for (const pattern of patterns) {
      const found = pattern.exec(record.text);
      for (const [index, value] of found?.groups.entries() ?? []) {
        const id = CORRELATION_FIELDS.find((each) => each === pattern.names[index]);
        if (id !== undefined && value !== null) ids[id] ??= value;
      }
    }
    fromFields(record.fields, nameOf, ids, 0);
    // Of a line that was taken apart only the message is left to look at.
    if (ids.trace_id === undefined || ids.request_id === undefined) fromText(record.message, nameOf, ids);
    return withIds(record, ids);
  };
}

function withIds(record: LogRecord, ids: Ids): LogRecord {
  const { fields } = record;
  let changed: Record<string, LogValue> | null = null;
  for (const id of CORRELATION_FIELDS) {
    const value = ids[id];
    if (value === undefined || fields[id] === value) continue;
    changed ??= { ...fields };
    changed[id] = value;
  }
  return changed === null ? record : { ...record, fields: changed };
}

/** Objects in fields are looked into, as `req: {id: …}` and `trace: {id: …}` are customary. */
const DEPTH = 3;

function fromFields(
  fields: LogRecord['fields'],
  nameOf: (key: string) => Id | 'traceparent' | null,
  ids: Ids,
  depth: number,
  prefix = '',
): void {
  for (const key in fields) {
    const value = fields[key] as LogValue;
    if (typeof value === 'string' || typeof value === 'number') {
      const name = nameOf(prefix === '' ? key : `${prefix}${key}`) ?? (prefix === '' ? null : nameOf(key));
      if (name !== null) take(name, String(value), ids);
    } else if (typeof value === 'object' && value !== null && !Array.isArray(value) && depth < DEPTH)
      fromFields(value as LogRecord['fields'], nameOf, ids, depth + 1, `${key}.`);
  }
}

function fromText(text: string, nameOf: (key: string) => Id | 'traceparent' | null, ids: Ids): void {
  if (ids.trace_id === undefined) {
    const parent = TRACEPARENT.exec(text);
    if (parent !== null) take('traceparent', parent[0], ids);
  }
  IN_TEXT.lastIndex = 0;
  for (let found = IN_TEXT.exec(text); found !== null; found = IN_TEXT.exec(text)) {
    const name = nameOf(found[1] as string);
    if (name !== null) take(name, found[2] as string, ids);
  }
}

function take(name: Id | 'traceparent', value: string, ids: Ids): void {
  if (name === 'traceparent') {
    const parent = TRACEPARENT.exec(value);
    if (parent === null) return;
    ids.trace_id ??= (parent[1] as string).toLowerCase();
    ids.span_id ??= (parent[2] as string).toLowerCase();
    return;
  }
  // Ids of nothing are customary too.
  if (value === '' || value === '-' || /^0+$/.test(value)) return;
  ids[name] ??= name === 'request_id' ? value : value.toLowerCase();
}
