import type { LogLevel, LogValue, ParserSpec, WallTime } from '@hsu-master/core';
import type { LogRecord } from '../../record.ts';
import { levelOfValue } from './level.ts';
import { type TimeContext, timeOfValue } from './time.ts';

type Fields = Readonly<Record<string, LogValue>>;

const LEVELS = ['level', 'severity', 'lvl', 'log.level', 'loglevel', 'levelname', 'log_level'];
const TIMES = ['time', 'ts', 'timestamp', '@timestamp', 'datetime', 't'];
const MESSAGES = ['msg', 'message', '@message', 'event'];

/** Which keys of a structured line are its level, time and message. */
export interface KnownKeys {
  readonly levels: readonly string[];
  readonly times: readonly string[];
  readonly messages: readonly string[];
}

export function knownKeys(spec: ParserSpec & { type: 'json' | 'logfmt' }): KnownKeys {
  const first = (key: string | null, usual: readonly string[]) => (key === null ? usual : [key, ...usual]);
  return {
    levels: first(spec.levelKey, LEVELS),
    times: first(spec.timeKey, TIMES),
    messages: first(spec.messageKey, MESSAGES),
  };
}

/**
 * A record with what its line says of itself. Keys that were understood as level, time or message leave the fields; what was
 * known of the record before stays.
 */
export function withParsed(
  record: LogRecord,
  parsed: Fields,
  keys: KnownKeys,
  local: TimeContext['local'],
): LogRecord {
  const used: string[] = [];
  const context = { at: record.at, local };
  let { level, time, message } = record;
  level ??= find<LogLevel>(parsed, keys.levels, used, levelOfValue);
  time ??= find<WallTime>(parsed, keys.times, used, (value) => timeOfValue(value, context));
  if (message === record.text)
    message =
      find<string>(parsed, keys.messages, used, (value) => (typeof value === 'string' ? value : null)) ??
      message;
  const fields: Record<string, LogValue> = { ...record.fields };
  for (const key in parsed) {
    if (!used.includes(key)) set(fields, key, parsed[key] as LogValue);
  }
  return { ...record, level, time, message, fields };
}

/** `__proto__` as a key of a worker’s line is a key like others. */
function set(fields: Record<string, LogValue>, key: string, value: LogValue): void {
  if (key === '__proto__') Object.defineProperty(fields, key, { value, enumerable: true });
  else fields[key] = value;
}

function find<T>(
  fields: Fields,
  keys: readonly string[],
  used: string[],
  read: (value: LogValue) => T | null,
): T | null {
  for (const key of keys) {
    const direct = Object.hasOwn(fields, key) ? fields[key] : undefined;
    const value = direct ?? (key.includes('.') ? valueAt(fields, key.split('.')) : undefined);
    if (value === undefined) continue;
    const result = read(value);
    if (result === null) continue;
    if (direct !== undefined) used.push(key);
    return result;
  }
  return null;
}

/** What stands at a path in objects and lists, or undefined. */
export function valueAt(value: LogValue, path: readonly string[]): LogValue | undefined {
  let at: LogValue | undefined = value;
  for (const step of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, step)) return undefined;
    at = (at as Readonly<Record<string, LogValue>>)[step];
  }
  return at;
}
