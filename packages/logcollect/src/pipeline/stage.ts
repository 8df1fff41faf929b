import { compilePattern, type Pattern } from '@hsu-master/core';
import type { LogRecord } from '../record.ts';

/** What a stage makes of a record: itself or a changed copy, nothing, or several. */
export type Stage = (record: LogRecord) => LogRecord | null | readonly LogRecord[];

/** A stage that neither adds nor leaves out. */
export type Change = (record: LogRecord) => LogRecord;

/** Workers have most patterns in common, and with them what a pattern finds out about itself while it is used. */
const compiled = new Map<string, Pattern>();
const MAX_COMPILED = 1000;

/** The pattern of a spec; configurations are checked before, so a bad one is a caller’s mistake and throws. */
export function patternOf(source: string): Pattern {
  const known = compiled.get(source);
  if (known !== undefined) return known;
  const result = compilePattern(source);
  if (!result.ok) throw new TypeError(`the pattern ${JSON.stringify(source)} ${result.reason}`);
  // Patterns of configurations that are gone must not stay for ever.
  if (compiled.size >= MAX_COMPILED) compiled.clear();
  compiled.set(source, result.pattern);
  return result.pattern;
}

/** Whether a record is the beginning of its line, so that what stands at the beginning can be looked for. */
export function isBeginning({ piece }: LogRecord): boolean {
  return piece === 'whole' || piece === 'head';
}

/** A stage that decides about whole lines: the pieces of a long one go where its first piece went. */
export function wholeLine(stage: Stage): Stage {
  /** Runs whose line is being left out, by stream. */
  const leftOut = new Map<LogRecord['stream'], number>();
  return (record) => {
    const { piece, stream, run } = record;
    if (piece === 'part' || piece === 'tail') {
      const isLeftOut = leftOut.get(stream) === run;
      if (piece === 'tail') leftOut.delete(stream);
      return isLeftOut ? null : record;
    }
    const result = stage(record);
    if (piece === 'head' && result === null) leftOut.set(stream, run);
    else leftOut.delete(stream);
    return result;
  };
}
