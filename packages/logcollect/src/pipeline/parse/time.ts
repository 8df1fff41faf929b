import type { WallTime } from '@hsu-master/core';

/** Points in time are written without a zone or even a year; these come from where and when the line was read. */
export interface TimeContext {
  /** When the line was read. */
  readonly at: WallTime;
  /** A time by the clock of the wall, where the line names no zone; months from 0. */
  local(
    ...parts: [year: number, month: number, day: number, hour: number, minute: number, second: number]
  ): WallTime;
}

/** By the time zone of this process. */
export function localTime(
  ...[year, month, day, hour, minute, second]: Parameters<TimeContext['local']>
): WallTime {
  return new Date(year, month, day, hour, minute, second).getTime();
}

/** A time that was found in a text, and where it ends. */
export interface FoundTime {
  readonly time: WallTime;
  readonly end: number;
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
// Each is bounded in length, so that no text makes it slow.
const ISO =
  /(\d{4})([-/])(\d{2})\2(\d{2})(?:T|t| |_)(\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(?: ?([Zz]|UTC|[+-]\d{2}(?::?\d{2})?)(?![\w:]))?/y;
const SYSLOG =
  /([A-Z][a-z]{2}) {1,2}(\d{1,2}) (?:(\d{4}) )?(\d{2}):(\d{2}):(\d{2})(?:[.,](\d{1,9}))?(?: (\d{4})(?!\d))?/y;
const COMMON = /(\d{2})\/([A-Z][a-z]{2})\/(\d{4}):(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))? ([+-]\d{4})/y;
const EPOCH = /(\d{10}(?:\d{3}|\d{6}|\d{9})?)(?:\.(\d{1,9}))?(?![\w.:-])/y;

/** The time at a place of a text in one of the customary forms: ISO 8601, RFC 3164, common log format, epoch. */
export function timeAt(text: string, from: number, context: TimeContext): FoundTime | null {
  const code = text.charCodeAt(from);
  if (code >= 0x30 && code <= 0x39) {
    const third = text.charCodeAt(from + 2);
    if (third === 0x2f) return commonAt(text, from);
    return isoAt(text, from, context) ?? epochAt(text, from);
  }
  // Letters in upper case begin a month.
  return code >= 0x41 && code <= 0x5a ? syslogAt(text, from, context) : null;
}

function isoAt(text: string, from: number, context: TimeContext): FoundTime | null {
  ISO.lastIndex = from;
  const found = ISO.exec(text);
  if (found === null) return null;
  const [, year, , month, day, hour, minute, second = '0', fraction, zone] = found;
  return timeOf(
    { year: Number(year), month: Number(month) - 1, day, hour, minute, second, fraction, zone },
    ISO.lastIndex,
    context,
  );
}

function syslogAt(text: string, from: number, context: TimeContext): FoundTime | null {
  SYSLOG.lastIndex = from;
  const found = SYSLOG.exec(text);
  if (found === null) return null;
  const [, name, day, before, hour, minute, second, fraction, after] = found;
  const month = MONTHS.indexOf((name as string).toLowerCase());
  if (month === -1) return null;
  const written = before ?? after;
  const year = written === undefined ? new Date(context.at).getFullYear() : Number(written);
  const parts = { month, day, hour, minute, second, fraction, zone: undefined };
  const result = timeOf({ year, ...parts }, SYSLOG.lastIndex, context);
  // At the turn of the year a line of December is read in January.
  const isAhead = result !== null && written === undefined && result.time > context.at + 86_400_000;
  return isAhead ? timeOf({ year: year - 1, ...parts }, SYSLOG.lastIndex, context) : result;
}

const NO_CONTEXT: TimeContext = { at: 0, local: localTime };

function commonAt(text: string, from: number): FoundTime | null {
  COMMON.lastIndex = from;
  const found = COMMON.exec(text);
  if (found === null) return null;
  const [, day, name, year, hour, minute, second, fraction, zone] = found;
  const month = MONTHS.indexOf((name as string).toLowerCase());
  const parts = { year: Number(year), month, day, hour, minute, second, fraction, zone };
  return month === -1 ? null : timeOf(parts, COMMON.lastIndex, NO_CONTEXT);
}

function epochAt(text: string, from: number): FoundTime | null {
  EPOCH.lastIndex = from;
  const found = EPOCH.exec(text);
  if (found === null) return null;
  const time = timeFromEpoch(Number(`${found[1]}.${found[2] ?? '0'}`));
  return time === null ? null : { time, end: EPOCH.lastIndex };
}

interface Parts {
  readonly year: number;
  readonly month: number;
  readonly day: string | undefined;
  readonly hour: string | undefined;
  readonly minute: string | undefined;
  readonly second: string | undefined;
  readonly fraction: string | undefined;
  readonly zone: string | undefined;
}

function timeOf(parts: Parts, end: number, context: TimeContext): FoundTime | null {
  const { year, month, fraction, zone } = parts;
  const [day, hour, minute, second] = [parts.day, parts.hour, parts.minute, parts.second].map(Number) as [
    number,
    number,
    number,
    number,
  ];
  if (month > 11 || month < 0 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60) return null;
  let time: WallTime;
  if (zone === undefined) time = context.local(year, month, day, hour, minute, second);
  else time = Date.UTC(year, month, day, hour, minute, second) - offsetOf(zone);
  if (fraction !== undefined) time += Number(fraction.slice(0, 3).padEnd(3, '0'));
  return { time, end };
}

/** What a zone is ahead of UTC, in milliseconds. */
function offsetOf(zone: string): number {
  const sign = zone[0] === '-' ? -1 : 1;
  if (sign === 1 && zone[0] !== '+') return 0;
  return sign * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3).replace(':', ''))) * 60_000;
}

/** Seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by their size; null where it is none of them. */
export function timeFromEpoch(value: number): WallTime | null {
  if (!(value >= 1e8)) return null;
  // A number of seconds with a fraction is a little less than what was written.
  const slack = 0.001;
  if (value < 1e11) return Math.floor(value * 1000 + slack);
  if (value < 1e14) return Math.floor(value);
  if (value < 1e17) return Math.floor(value / 1000 + slack);
  return value < 1e20 ? Math.floor(value / 1e6 + slack) : null;
}

/** The time that a value of a field says, or null. */
export function timeOfValue(value: unknown, context: TimeContext): WallTime | null {
  if (typeof value === 'number') return timeFromEpoch(value);
  if (typeof value !== 'string' || value.length < 8 || value.length > 64) return null;
  return timeAt(value, 0, context)?.time ?? null;
}

/** How far into a line a time is looked for. */
const REACH = 120;

/** The time that a line begins with, or has in brackets as access logs do. */
export function timeInText(text: string, context: TimeContext): WallTime | null {
  const first = text.charCodeAt(0);
  const from = first === 0x5b || first === 0x3c || first === 0x28 ? afterPriority(text) : 0;
  const found = timeAt(text, from, context);
  if (found !== null) return found.time;
  // Some lines name a level, a host or a client first.
  const reach = Math.min(text.length, REACH);
  for (let at = 1; at < reach; at += 1) {
    const before = text.charCodeAt(at - 1);
    const isStart =
      before === 0x5b || before === 0x20 || before === 0x22 || before === 0x3d || before === 0x7c;
    const code = text.charCodeAt(at);
    if (!isStart || code < 0x30 || code > 0x39) continue;
    const dated = text.charCodeAt(at + 2) === 0x2f ? commonAt(text, at) : isoAt(text, at, context);
    if (dated !== null) return dated.time;
  }
  return null;
}

/** Behind a bracket, or behind the priority that syslog writes before its time. */
function afterPriority(text: string): number {
  const end = text.charCodeAt(0) === 0x3c ? text.indexOf('>') : 0;
  return end > 4 ? 1 : end + 1;
}
