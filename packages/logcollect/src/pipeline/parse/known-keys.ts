import type { LogLevel, LogValue, ParserSpec, WallTime } from '@hsu-master/core';
import type { LogRecord } from '../../record.ts';
import { levelOfValue } from './level.ts';
import { type TimeContext, timeOfValue } from './time.ts';

type Fields = Readonly<Record<string, LogValue>>;

const LEVELS = ['level', 'severity', 'lvl', 'log.level', 'loglevel', 'levelname', 'log_level'];
const TIMES = ['time', 'ts', 'timestamp', '@timestamp', 'datetime', 't'];
const MESSAGES = ['msg', 'message', '@message', 'event'];

type Role = 'level' | 'time' | 'message';

/** Which keys of a structured line are its level, time and message. */
export interface KnownKeys {
  /** By key; of several that are there the one of the lowest rank is taken. */
  readonly roles: ReadonlyMap<string, { readonly role: Role; readonly rank: number }>;
  /** Those that lead into objects, in the order of their ranks. */
  readonly paths: readonly { readonly path: readonly string[]; readonly role: Role; readonly rank: number }[];
}

export function knownKeys(spec: ParserSpec & { type: 'json' | 'logfmt' }): KnownKeys {
  const roles = new Map<string, { role: Role; rank: number }>();
  const paths: { path: readonly string[]; role: Role; rank: number }[] = [];
  const add = (role: Role, first: string | null, usual: readonly string[]) => {
    for (const [rank, key] of (first === null ? usual : [first, ...usual]).entries()) {
      if (!roles.has(key)) roles.set(key, { role, rank });
      if (key.includes('.')) paths.push({ path: key.split('.'), role, rank });
    }
  };
  add('level', spec.levelKey, LEVELS);
  add('time', spec.timeKey, TIMES);
  add('message', spec.messageKey, MESSAGES);
  return { roles, paths };
}

/** What a line says of itself; null where it does not. */
interface Said {
  level: LogLevel | null;
  time: WallTime | null;
  message: string | null;
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
  const context = { at: record.at, local };
  const said: Said = { level: null, time: null, message: null };
  const ranks = { level: Infinity, time: Infinity, message: Infinity };
  const used: Record<Role, string | null> = { level: null, time: null, message: null };
  for (const key in parsed) {
    const known = keys.roles.get(key);
    if (known === undefined || known.rank >= ranks[known.role]) continue;
    if (!read(said, known.role, parsed[key] as LogValue, context)) continue;
    ranks[known.role] = known.rank;
    used[known.role] = key;
  }
  for (const { path, role, rank } of keys.paths) {
    if (rank >= ranks[role]) continue;
    const value = valueAt(parsed, path);
    if (value === undefined || !read(said, role, value, context)) continue;
    ranks[role] = rank;
    used[role] = null;
  }
  const isLevel = record.level === null;
  const isTime = record.time === null;
  const isMessage = record.message === record.text;
  const fields: Record<string, LogValue> = { ...record.fields };
  for (const key in parsed) {
    const isUsed =
      (isLevel && key === used.level) || (isTime && key === used.time) || (isMessage && key === used.message);
    if (!isUsed) set(fields, key, parsed[key] as LogValue);
  }
  return {
    ...record,
    level: record.level ?? said.level,
    time: record.time ?? said.time,
    message: isMessage ? (said.message ?? record.message) : record.message,
    fields,
  };
}

function read(said: Said, role: Role, value: LogValue, context: TimeContext): boolean {
  if (role === 'message') {
    if (typeof value !== 'string') return false;
    said.message = value;
    return true;
  }
  if (role === 'level') {
    const level = levelOfValue(value);
    said.level = level ?? said.level;
    return level !== null;
  }
  const time = timeOfValue(value, context);
  said.time = time ?? said.time;
  return time !== null;
}

/** `__proto__` as a key of a worker’s line is a key like others. */
function set(fields: Record<string, LogValue>, key: string, value: LogValue): void {
  if (key === '__proto__') Object.defineProperty(fields, key, { value, enumerable: true });
  else fields[key] = value;
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
