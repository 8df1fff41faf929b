import { type LogLevel, type LogValue, type ParserSpec, rankOf } from '@hsu-master/core';
import { valueAt } from '../pipeline/parse/known-keys.ts';
import { parser } from '../pipeline/parse/parsers.ts';
import { localTime } from '../pipeline/parse/time.ts';
import { patternOf } from '../pipeline/stage.ts';
import type { LogRecord } from '../record.ts';
import type { StoredLine } from './stored-line.ts';

/** What a field has to be. Dots of a path lead into objects, unless a field has the whole as its name. */
export type FieldFilter =
  | { readonly path: string; readonly is: 'present' | 'absent' }
  | { readonly path: string; readonly is: 'equal'; readonly value: string | number | boolean | null }
  /** In the form that `compilePattern` takes. */
  | { readonly path: string; readonly is: 'match'; readonly pattern: string };

/** Which lines are looked for: those to which everything applies that is not null or empty. */
export interface Sought {
  readonly text: string | null;
  readonly ignoreCase: boolean;
  /** In the form that `compilePattern` takes: the time it takes grows with the length of a line alone. */
  readonly pattern: string | null;
  /** Lines without a level are not found then. */
  readonly minLevel: LogLevel | null;
  readonly fields: readonly FieldFilter[];
  /** What finds out levels and fields; where there are none and they are asked for, all customary forms are tried. */
  readonly parsers: readonly ParserSpec[];
}

export const ANYTHING: Sought = {
  text: null,
  ignoreCase: false,
  pattern: null,
  minLevel: null,
  fields: [],
  parsers: [],
};

const NO_KEYS = { levelKey: null, timeKey: null, messageKey: null };
const CUSTOMARY: readonly ParserSpec[] = [
  { type: 'json', ...NO_KEYS },
  { type: 'logfmt', ...NO_KEYS },
  { type: 'timestamp', pattern: null },
  { type: 'level', pattern: null },
];

/** Answers a line with what parsers found in it where it is sought, else null. Throws `TypeError` for a pattern that is none. */
export function matcher(sought: Sought): (line: StoredLine) => StoredLine | null {
  const { text, ignoreCase, minLevel } = sought;
  const wanted = text === null ? null : ignoreCase ? text.toLowerCase() : text;
  const pattern = sought.pattern === null ? null : patternOf(sought.pattern);
  const needsParsers = minLevel !== null || sought.fields.length > 0;
  const specs = sought.parsers.length === 0 && needsParsers ? CUSTOMARY : sought.parsers;
  const parsers = specs.map((spec) => parser(spec, localTime));
  const fields = sought.fields.map(fieldTest);
  const least = minLevel === null ? 0 : rankOf(minLevel);
  return (line) => {
    const { text: own } = line.record;
    if (wanted !== null && !(ignoreCase ? own.toLowerCase() : own).includes(wanted)) return null;
    if (pattern !== null && !pattern.test(own)) return null;
    let { record } = line;
    for (const parse of parsers) record = parse(record);
    if (minLevel !== null && (record.level === null || rankOf(record.level) < least)) return null;
    if (!fields.every((test) => test(record.fields))) return null;
    return record === line.record ? line : { ...line, record };
  };
}

function fieldTest(filter: FieldFilter): (fields: LogRecord['fields']) => boolean {
  const { path } = filter;
  const steps = path.split('.');
  const value = (fields: LogRecord['fields']): LogValue | undefined =>
    Object.hasOwn(fields, path) ? fields[path] : valueAt(fields, steps);
  switch (filter.is) {
    case 'present':
      return (fields) => value(fields) !== undefined;
    case 'absent':
      return (fields) => value(fields) === undefined;
    case 'equal': {
      // Parsers of text know no numbers.
      const wanted = String(filter.value);
      return (fields) => {
        const found = value(fields);
        return (
          found !== undefined && (typeof found !== 'object' || found === null) && String(found) === wanted
        );
      };
    }
    case 'match': {
      const pattern = patternOf(filter.pattern);
      return (fields) => {
        const found = value(fields);
        if (found === undefined) return false;
        return pattern.test(typeof found === 'string' ? found : JSON.stringify(found));
      };
    }
  }
}
