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
// Each is bounded in length, so that no text makes it slow. ISO 8601, the most common by far, is read by hand below.
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

/** The number that so many digits make; NaN where there is another character. */
function digits(text: string, from: number, count: number): number {
  let value = 0;
  for (let at = from; at < from + count; at += 1) {
    const digit = text.charCodeAt(at) - 0x30;
    // Also where the text is over, since NaN is in no range.
    if (!(digit >= 0 && digit <= 9)) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}

const COLON = 0x3a;

/** `2025-08-02T17:38:32.123+03:00`, with the variations that are about: blanks, slashes, commas, no seconds, no zone. */
function isoAt(text: string, from: number, context: TimeContext): FoundTime | null {
  const separator = text[from + 4];
  if ((separator !== '-' && separator !== '/') || text[from + 7] !== separator) return null;
  const between = text[from + 10];
  if (between !== 'T' && between !== ' ' && between !== 't' && between !== '_') return null;
  if (text.charCodeAt(from + 13) !== COLON) return null;
  const [year, month, day] = [digits(text, from, 4), digits(text, from + 5, 2), digits(text, from + 8, 2)];
  const [hour, minute] = [digits(text, from + 11, 2), digits(text, from + 14, 2)];
  let end = from + 16;
  let second = 0;
  let milliseconds = 0;
  if (text.charCodeAt(end) === COLON) {
    second = digits(text, end + 1, 2);
    end += 3;
    const point = text[end];
    if ((point === '.' || point === ',') && digits(text, end + 1, 1) >= 0) {
      let at = end + 1;
      for (let worth = 100; at <= end + 9 && digits(text, at, 1) >= 0; at += 1, worth /= 10)
        milliseconds += digits(text, at, 1) * worth;
      end = at;
    }
  }
  const zone = zoneAt(text, end);
  const parts: Parts = {
    year,
    month: month - 1,
    day,
    hour,
    minute,
    second,
    milliseconds: Math.floor(milliseconds + 1e-6),
  };
  return timeOf(parts, zone, context);
}

interface Zone {
  /** What it is ahead of UTC, in milliseconds; null: none is named. */
  readonly offset: number | null;
  readonly end: number;
}

/** `Z`, `UTC`, `+03:00`, `-0130`, `+03`, which a blank may stand before. */
function zoneAt(text: string, from: number): Zone {
  const none = { offset: null, end: from };
  const at = text[from] === ' ' ? from + 1 : from;
  const sign = text[at];
  if (sign === 'Z' || sign === 'z') return isWordAt(text, at + 1) ? none : { offset: 0, end: at + 1 };
  if (sign === 'U')
    return text.startsWith('UTC', at) && !isWordAt(text, at + 3) ? { offset: 0, end: at + 3 } : none;
  if (sign !== '+' && sign !== '-') return none;
  const hours = digits(text, at + 1, 2);
  if (!(hours <= 23)) return none;
  const colon = text.charCodeAt(at + 3) === COLON ? 1 : 0;
  const minutes = digits(text, at + 3 + colon, 2);
  const named = minutes <= 59;
  const end = named ? at + 5 + colon : at + 3;
  if (isWordAt(text, end)) return none;
  return { offset: (sign === '-' ? -1 : 1) * (hours * 60 + (named ? minutes : 0)) * 60_000, end };
}

/** Whether something stands there that a time does not end before. */
function isWordAt(text: string, at: number): boolean {
  return at < text.length && /[\w:]/.test(text[at] as string);
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
  const parts = {
    month,
    day: Number(day),
    hour: Number(hour),
    minute: Number(minute),
    second: Number(second),
    milliseconds: millisecondsOf(fraction),
  };
  const zone = { offset: null, end: SYSLOG.lastIndex };
  const result = timeOf({ year, ...parts }, zone, context);
  // At the turn of the year a line of December is read in January.
  const isAhead = result !== null && written === undefined && result.time > context.at + 86_400_000;
  return isAhead ? timeOf({ year: year - 1, ...parts }, zone, context) : result;
}

const NO_CONTEXT: TimeContext = { at: 0, local: localTime };

function commonAt(text: string, from: number): FoundTime | null {
  COMMON.lastIndex = from;
  const found = COMMON.exec(text);
  if (found === null) return null;
  const [, day, name, year, hour, minute, second, fraction, zone] = found;
  const month = MONTHS.indexOf((name as string).toLowerCase());
  const parts = {
    year: Number(year),
    month,
    day: Number(day),
    hour: Number(hour),
    minute: Number(minute),
    second: Number(second),
    milliseconds: millisecondsOf(fraction),
  };
  return timeOf(parts, { ...zoneAt(zone as string, 0), end: COMMON.lastIndex }, NO_CONTEXT);
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
  /** From 0. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly milliseconds: number;
}

function millisecondsOf(fraction: string | undefined): number {
  return fraction === undefined ? 0 : Number(fraction.slice(0, 3).padEnd(3, '0'));
}

/** null where one of the parts is out of its range; NaN is in none. */
function timeOf(parts: Parts, zone: Zone, context: TimeContext): FoundTime | null {
  const { year, month, day, hour, minute, second, milliseconds } = parts;
  const isRight =
    month >= 0 &&
    month <= 11 &&
    day >= 1 &&
    day <= 31 &&
    hour <= 23 &&
    minute <= 59 &&
    second <= 60 &&
    year >= 0;
  if (!isRight) return null;
  const time =
    zone.offset === null
      ? context.local(year, month, day, hour, minute, second)
      : Date.UTC(year, month, day, hour, minute, second) - zone.offset;
  return { time: time + milliseconds, end: zone.end };
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
