import type { LogRecord, LogValue } from '../record.ts';

/** A record as the object that services get; keys without a value are left out. `time` is what the line says, else when it was read. */
export function documentOf(record: LogRecord, host: string): { readonly [key: string]: LogValue } {
  const { workerId, run, stream, seq, level, message, text, fields, piece, damaged } = record;
  return {
    time: isoTime(record),
    worker: workerId,
    run,
    stream,
    seq,
    ...(level === null ? {} : { level }),
    message,
    ...(message === text ? {} : { text }),
    ...(Object.keys(fields).length === 0 ? {} : { fields }),
    ...(piece === 'whole' ? {} : { piece }),
    ...(damaged ? { damaged } : {}),
    host,
  };
}

export function timeOf({ time, at }: LogRecord): number {
  return time ?? at;
}

export function isoTime(record: LogRecord): string {
  const time = new Date(timeOf(record));
  // A parser may have read a time that no date can be.
  return (Number.isNaN(time.getTime()) ? new Date(record.at) : time).toISOString();
}
