import type { LogRecord } from '../../src/record.ts';

/** A record of a line from stdout of the worker "web", but for what `differs`. */
export function record(text: string, differs: Partial<LogRecord> = {}): LogRecord {
  return {
    workerId: 'web',
    run: 1,
    stream: 'stdout',
    at: Date.UTC(2025, 7, 2, 14, 38, 32),
    seq: 1,
    text,
    damaged: false,
    piece: 'whole',
    level: null,
    time: null,
    message: text,
    fields: {},
    ...differs,
  };
}
