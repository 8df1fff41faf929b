import type { Bytes } from '@hsu-master/core';
import type { LogLevel, LogRecord, LogValue } from '../record.ts';
import { timeOf } from './document.ts';

export const FACILITIES = [
  'kern',
  'user',
  'mail',
  'daemon',
  'auth',
  'syslog',
  'lpr',
  'news',
  'uucp',
  'cron',
  'authpriv',
  'ftp',
  'ntp',
  'audit',
  'alert',
  'clock',
  'local0',
  'local1',
  'local2',
  'local3',
  'local4',
  'local5',
  'local6',
  'local7',
] as const;
export type Facility = (typeof FACILITIES)[number];

export interface SyslogMessageSpec {
  readonly standard: 'rfc5424' | 'rfc3164';
  readonly facility: Facility;
  /** null: left out of RFC 3164, as programs do that write to the system’s own socket. */
  readonly host: string | null;
  /** Instead of the worker’s id. */
  readonly appName: string | null;
  /** Id of the element of structured data; 32473 is the number that RFC 5612 gives to examples. null: there is none. */
  readonly structuredData: string | null;
  /** Of the message in UTF-8; more is cut, and ends with `…`. */
  readonly maxBytes: Bytes;
  /** The framing has messages end at a newline: those within are written `#012`. */
  readonly oneLine: boolean;
  readonly format: (record: LogRecord) => string;
}

const SEVERITY: Readonly<Record<LogLevel, number>> = {
  emergency: 0,
  alert: 1,
  critical: 2,
  error: 3,
  warn: 4,
  notice: 5,
  info: 6,
  debug: 7,
  trace: 7,
};
/** Where a line has no level: as Docker does it. */
const SEVERITY_OF_STREAM = { stdout: 6, stderr: 3 } as const;
const MOST_PARAMETERS = 32;
const LONGEST_PARAMETER = 1024;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const CUT_MARK = Buffer.from('…');

/** One message without its framing. */
export function syslogMessage(record: LogRecord, spec: SyslogMessageSpec): Buffer {
  const severity = record.level === null ? SEVERITY_OF_STREAM[record.stream] : SEVERITY[record.level];
  const priority = FACILITIES.indexOf(spec.facility) * 8 + severity;
  const head = spec.standard === 'rfc5424' ? head5424(record, spec) : head3164(record, spec);
  const text = escaped(spec.format(record), spec.oneLine);
  return cut(Buffer.from(`<${priority}>${head}${text}`), spec.maxBytes);
}

function head5424(record: LogRecord, spec: SyslogMessageSpec): string {
  const time = new Date(timeOf(record)).toISOString();
  const host = printable(spec.host ?? '', 255);
  const app = printable(spec.appName ?? record.workerId, 48);
  const data = spec.structuredData === null ? '-' : structuredData(record, spec.structuredData);
  return `1 ${time} ${host} ${app} ${record.run} ${record.stream} ${data} `;
}

/** The time is local and without a year: that is the standard. */
function head3164(record: LogRecord, spec: SyslogMessageSpec): string {
  const time = new Date(timeOf(record));
  const two = (number: number) => String(number).padStart(2, '0');
  const day = String(time.getDate()).padStart(2, ' ');
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(':');
  const host = spec.host === null ? '' : `${printable(spec.host.split('.')[0] ?? '', 255)} `;
  const tag = printable(spec.appName ?? record.workerId, 32).replaceAll(/[[\]:]/g, '_');
  return `${MONTHS[time.getMonth()]} ${day} ${clock} ${host}${tag}[${record.run}]: `;
}

function structuredData(record: LogRecord, id: string): string {
  const own: [string, LogValue][] = [
    ['worker', record.workerId],
    ['seq', record.seq],
  ];
  if (record.piece !== 'whole') own.push(['piece', record.piece]);
  const parameters = [...own, ...Object.entries(record.fields).slice(0, MOST_PARAMETERS)].map(
    ([key, value]) => `${parameterName(key)}="${parameterValue(value)}"`,
  );
  return `[${id} ${parameters.join(' ')}]`;
}

function parameterName(key: string): string {
  return key.replaceAll(/[^!#-<>-\\^-~]/g, '_').slice(0, 32) || '_';
}

function parameterValue(value: LogValue): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return escaped(text.slice(0, LONGEST_PARAMETER), true).replaceAll(/["\\\]]/g, '\\$&');
}

/** Visible ASCII, since the header has no other; a dash where nothing is left. */
function printable(text: string, length: number): string {
  return text.replaceAll(/[^\x21-\x7e]/g, '_').slice(0, length) || '-';
}

/** NUL ends messages in many receivers, and a newline does where the framing says so: rsyslog’s way to write them. */
function escaped(text: string, oneLine: boolean): string {
  const clean = text.includes('\0') ? text.replaceAll('\0', '#000') : text;
  return oneLine && clean.includes('\n') ? clean.replaceAll('\n', '#012') : clean;
}

function cut(bytes: Buffer, limit: Bytes): Buffer {
  if (bytes.length <= limit) return bytes;
  let end = Math.max(0, limit - CUT_MARK.length);
  // Not within a character.
  while (end > 0 && ((bytes[end] as number) & 0xc0) === 0x80) end -= 1;
  return Buffer.concat([bytes.subarray(0, end), CUT_MARK]);
}
