import { compilePattern, type Pattern } from '@hsu-master/core';
import type { LogRecord } from '../record.ts';

/** What a stage makes of a record: itself or a changed copy, nothing, or several. */
export type Stage = (record: LogRecord) => LogRecord | null | readonly LogRecord[];

/** A stage that neither adds nor leaves out. */
export type Change = (record: LogRecord) => LogRecord;

/** The pattern of a spec; configurations are checked before, so a bad one is a caller’s mistake and throws. */
export function patternOf(source: string): Pattern {
  const result = compilePattern(source);
  if (!result.ok) throw new TypeError(`the pattern ${JSON.stringify(source)} ${result.reason}`);
  return result.pattern;
}

/** Whether a record is the beginning of its line, so that what stands at the beginning can be looked for. */
export function isBeginning({ piece }: LogRecord): boolean {
  return piece === 'whole' || piece === 'head';
}
