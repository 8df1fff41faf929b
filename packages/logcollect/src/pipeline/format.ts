import type { WallTime } from '@hsu-master/core';
import type { LogRecord } from '../record.ts';
import { harmless } from '../terminal/escapes.ts';

export const FORMATS = ['plain', 'enhanced_plain', 'json', 'structured_json'] as const;
export type Format = (typeof FORMATS)[number];

/** How a record is written as text. */
export interface FormatSpec {
  readonly format: Format;
  /** Text before each line of a text format, with placeholders; null: none. */
  readonly prefix: string | null;
  /** `harmless` takes out what would move a terminal’s cursor, clear its screen or talk to it. JSON never has any of it. */
  readonly controls: 'keep' | 'harmless';
}

export interface FormatContext {
  readonly hostname: string;
  readonly masterId: string;
  /** How far the zone in which times are written is ahead of UTC at that time, in minutes; by default this process’s zone. */
  readonly offset?: (at: WallTime) => number;
}

/** Writes a record as a text without a newline at its end; records of several lines have newlines within. */
export type Formatter = (record: LogRecord) => string;

/** Ends a piece of a line that goes on. */
const MARK = '…';

/**
 * The forms are those in which the log pump writes files: `[2025-08-02T17:38:32.000+03:00][echotest][stdout] text` is
 * `enhanced_plain`; JSON begins with `time`, `worker` and `stream` and has the text as `message`.
 */
export function formatter(spec: FormatSpec, context: FormatContext): Formatter {
  const time = timeText(context.offset ?? localOffset);
  if (spec.format === 'json') return asJson(time);
  if (spec.format === 'structured_json') return asStructuredJson(time);
  const placeholders = placeholdersOf(context, time);
  const prefix = spec.prefix === null || spec.prefix === '' ? null : template(spec.prefix, placeholders);
  const isEnhanced = spec.format === 'enhanced_plain';
  return (record) => {
    let before = prefix === null ? '' : prefix(record);
    if (isEnhanced) before = `${before}[${time(record.at)}][${record.workerId}][${record.stream}] `;
    const text = isCut(record) ? record.text + MARK : record.text;
    if (spec.controls === 'keep' && (before === '' || !text.includes('\n'))) return before + text;
    const lines = text
      .split('\n')
      .map((line) => (spec.controls === 'harmless' ? harmless(line, false) : line));
    return lines.map((line) => before + line).join('\n');
  };
}

/** Whether the line goes on in the next record. */
function isCut({ piece }: LogRecord): boolean {
  return piece === 'head' || piece === 'part';
}

/** The line with what the master knows of it. */
function asJson(time: (at: WallTime) => string): Formatter {
  return (record) =>
    JSON.stringify({
      time: time(record.at),
      worker: record.workerId,
      stream: record.stream,
      cut: isCut(record) ? true : undefined,
      message: record.text,
    });
}

/** All that is known of the line; keys without a value are left out. `logged_at` is the time that the line itself says. */
function asStructuredJson(time: (at: WallTime) => string): Formatter {
  return (record) => {
    const { level, message, text, fields, damaged } = record;
    let hasFields = false;
    for (const _ in fields) {
      hasFields = true;
      break;
    }
    return JSON.stringify({
      time: time(record.at),
      worker: record.workerId,
      run: record.run,
      stream: record.stream,
      seq: record.seq,
      cut: isCut(record) ? true : undefined,
      logged_at: record.time === null ? undefined : time(record.time),
      level: level ?? undefined,
      message,
      text: text === message ? undefined : text,
      damaged: damaged ? true : undefined,
      fields: hasFields ? fields : undefined,
    });
  };
}

function localOffset(at: WallTime): number {
  return -new Date(at).getTimezoneOffset();
}

/** RFC 3339 with milliseconds and the offset of the zone. The text of a second is made once. */
function timeText(offset: (at: WallTime) => number): (at: WallTime) => string {
  let second = Number.NaN;
  let shown = '';
  let zone = '';
  return (at) => {
    const wanted = Math.floor(at / 1000);
    if (wanted !== second) {
      second = wanted;
      const minutes = Math.round(offset(at));
      const ahead = Math.abs(minutes);
      zone = `${minutes < 0 ? '-' : '+'}${two(Math.floor(ahead / 60))}:${two(ahead % 60)}`;
      shown = new Date(wanted * 1000 + minutes * 60_000).toISOString().slice(0, -4);
    }
    return `${shown}${String(Math.floor(at - wanted * 1000)).padStart(3, '0')}${zone}`;
  };
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

type Placeholders = ReadonlyMap<string, (record: LogRecord) => string>;

/** What a prefix can name in braces; `process_id` is what the original’s second version calls the worker. */
export const PLACEHOLDERS = [
  'worker_id',
  'process_id',
  'stream',
  'timestamp',
  'level',
  'sequence',
  'run',
  'host',
  'master_id',
] as const;

function placeholdersOf({ hostname, masterId }: FormatContext, time: (at: WallTime) => string): Placeholders {
  const byName: Readonly<Record<(typeof PLACEHOLDERS)[number], (record: LogRecord) => string>> = {
    worker_id: ({ workerId }) => workerId,
    process_id: ({ workerId }) => workerId,
    stream: ({ stream }) => stream,
    timestamp: ({ at }) => time(at),
    level: ({ level }) => level ?? '-',
    sequence: ({ seq }) => String(seq),
    run: ({ run }) => String(run),
    host: () => hostname,
    master_id: () => masterId,
  };
  return new Map(Object.entries(byName));
}

/** Text with placeholders; braces around an unknown name stay as they are. */
function template(text: string, placeholders: Placeholders): (record: LogRecord) => string {
  const parts = text.split(/(\{\w+\})/).map((part) => {
    const named = /^\{(\w+)\}$/.exec(part);
    return (named === null ? undefined : placeholders.get(named[1] as string)) ?? (() => part);
  });
  return (record) => parts.map((part) => part(record)).join('');
}
