import type { EnricherSpec, LogValue } from '@hsu-master/core';
import type { LogRecord } from '../record.ts';
import { valueAt } from './parse/known-keys.ts';
import { levelOfValue } from './parse/level.ts';
import { parseJson } from './parse/parsers.ts';
import { type TimeContext, timeOfValue } from './parse/time.ts';
import { type Change, patternOf } from './stage.ts';

/** What adds fields to a record. A record that has nothing of the kind passes as it is. */
export function enricher(spec: EnricherSpec, local: TimeContext['local']): Change {
  switch (spec.type) {
    case 'regex':
      return byPattern(spec, local);
    case 'json_extract':
      return fromJson(spec);
    case 'static':
      return (record) => ({ ...record, fields: { ...record.fields, ...spec.fields } });
  }
}

/** Named groups become fields; those named level, time and message say what the line did not say otherwise. */
function byPattern(spec: EnricherSpec & { type: 'regex' }, local: TimeContext['local']): Change {
  const pattern = patternOf(spec.pattern);
  return (record) => {
    const searched = textAt(record, spec.source);
    const found = searched === null ? null : pattern.exec(searched);
    if (found === null) return record;
    let { level, time, message } = record;
    const fields: Record<string, LogValue> = { ...record.fields };
    for (const [index, value] of found.groups.entries()) {
      const name = pattern.names[index] ?? null;
      if (name === null || value === null) continue;
      if (name === 'level' && levelOfValue(value) !== null) level ??= levelOfValue(value);
      else if (name === 'time') time ??= timeOfValue(value, { at: record.at, local });
      else if (name === 'message') message = value;
      else fields[name] = value;
    }
    return { ...record, level, time, message, fields };
  };
}

function fromJson({ paths, source }: EnricherSpec & { type: 'json_extract' }): Change {
  const wanted = Object.entries(paths);
  return (record) => {
    const found: Record<string, LogValue> = {};
    let parsed: LogValue | undefined;
    for (const [field, path] of wanted) {
      // A parser may have taken the line apart already.
      let value = source === null ? valueAt(record.fields, path) : undefined;
      if (value === undefined) {
        if (parsed === undefined) parsed = jsonAt(record, source);
        value = valueAt(parsed, path);
      }
      if (value !== undefined) found[field] = value;
    }
    for (const _ in found) return { ...record, fields: { ...record.fields, ...found } };
    return record;
  };
}

/** The object in a line or field, which other text may stand before; an empty one where there is none. */
function jsonAt(record: LogRecord, source: string | null): LogValue {
  const at = source === null ? undefined : valueAt(record.fields, source.split('.'));
  if (typeof at === 'object' && at !== null) return at;
  const text = source === null ? record.text : at;
  if (typeof text !== 'string') return {};
  const from = text.indexOf('{');
  return from === -1 ? {} : (parseJson(text.slice(from, text.lastIndexOf('}') + 1)) ?? {});
}

function textAt(record: LogRecord, source: string | null): string | null {
  if (source === null) return record.text;
  if (source === 'message') return record.message;
  const value = Object.hasOwn(record.fields, source)
    ? record.fields[source]
    : valueAt(record.fields, source.split('.'));
  return typeof value === 'string' ? value : null;
}
