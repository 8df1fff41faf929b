import type { LogLevel, LogValue, ParserSpec, Pattern } from '@hsu-master/core';
import type { LogRecord } from '../../record.ts';
import { type Change, isBeginning, patternOf } from '../stage.ts';
import { type KnownKeys, knownKeys, withParsed } from './known-keys.ts';
import { levelInText, levelOfValue } from './level.ts';
import { parseLogfmt } from './logfmt.ts';
import { type TimeContext, timeInText, timeOfValue } from './time.ts';

/** What finds out level, time and message of a line. Lines that are not in the parser’s form pass as they are. */
export function parser(spec: ParserSpec, local: TimeContext['local']): Change {
  switch (spec.type) {
    case 'json':
      return structured(parseJson, knownKeys(spec), local);
    case 'logfmt':
      return structured(parseLogfmt, knownKeys(spec), local);
    case 'timestamp':
      return timestamp(spec.pattern === null ? null : patternOf(spec.pattern), local);
    case 'level':
      return level(spec.pattern === null ? null : patternOf(spec.pattern));
  }
}

function structured(
  parse: (text: string) => Readonly<Record<string, LogValue>> | null,
  keys: KnownKeys,
  local: TimeContext['local'],
): Change {
  return (record) => {
    if (record.piece !== 'whole') return record;
    const parsed = parse(record.text);
    return parsed === null ? record : withParsed(record, parsed, keys, local);
  };
}

const OPENING = 0x7b;

/** The object that a line is, or null. */
export function parseJson(text: string): Record<string, LogValue> | null {
  let at = 0;
  while (text.charCodeAt(at) === 0x20 || text.charCodeAt(at) === 0x09) at += 1;
  if (text.charCodeAt(at) !== OPENING) return null;
  try {
    // What begins with a brace and is JSON is an object.
    return JSON.parse(text) as Record<string, LogValue>;
  } catch {
    return null;
  }
}

function timestamp(pattern: Pattern | null, local: TimeContext['local']): Change {
  return (record) => {
    if (record.time !== null || !isBeginning(record)) return record;
    const context = { at: record.at, local };
    const time =
      pattern === null
        ? timeInText(record.text, context)
        : timeOfValue(group(pattern, record.text, 'time'), context);
    return time === null ? record : { ...record, time };
  };
}

function level(pattern: Pattern | null): Change {
  return (record) => {
    if (record.level !== null || !isBeginning(record)) return record;
    const level = levelOf(record, pattern);
    return level === null ? record : { ...record, level };
  };
}

function levelOf({ text }: LogRecord, pattern: Pattern | null): LogLevel | null {
  return pattern === null ? levelInText(text) : levelOfValue(group(pattern, text, 'level'));
}

/** The group of that name, else the first group, else the whole match. */
function group(pattern: Pattern, text: string, name: string): string | null {
  const found = pattern.exec(text);
  if (found === null) return null;
  const index = Math.max(pattern.names.indexOf(name), Math.min(1, pattern.names.length - 1));
  return found.groups[index] ?? null;
}
