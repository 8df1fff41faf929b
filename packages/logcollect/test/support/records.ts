import type { LogRecord } from '../../src/record.ts';

/** A record with what a test does not care about. */
export function record(over: Partial<LogRecord> = {}): LogRecord {
  const text = over.text ?? 'listening';
  return {
    workerId: 'web',
    run: 1,
    stream: 'stdout',
    at: Date.UTC(2026, 10, 21, 12, 0, 0, 250),
    seq: 1,
    text,
    damaged: false,
    piece: 'whole',
    level: null,
    time: null,
    message: text,
    fields: {},
    ...over,
  };
}

export function records(count: number, over: Partial<LogRecord> = {}): LogRecord[] {
  return Array.from({ length: count }, (_unused, index) =>
    record({ seq: index + 1, text: `line ${index + 1}`, message: `line ${index + 1}`, ...over }),
  );
}
