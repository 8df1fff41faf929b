import type { LogValue, MetadataSpec } from '@hsu-master/core';
import type { LogRecord } from '../record.ts';
import type { Change } from './stage.ts';

/** Who runs the workers. */
export interface MasterFacts {
  readonly masterId: string;
  readonly hostname: string;
}

/** Counts the lines of each stream of each run, from 1; the pieces of a long line are one. */
export function lineNumbers(): Change {
  const counts = new Map<string, { run: number; count: number }>();
  return (record) => {
    let stream = counts.get(record.stream);
    if (stream === undefined || stream.run !== record.run) {
      stream = { run: record.run, count: 0 };
      counts.set(record.stream, stream);
    }
    if (record.piece === 'whole' || record.piece === 'head') stream.count += 1;
    return { ...record, fields: { ...record.fields, line_number: stream.count } };
  };
}

/** Adds what the master knows of a line; `line_number` is added before lines are joined and left out, by `lineNumbers`. */
export function metadata(spec: MetadataSpec, facts: MasterFacts): Change {
  const same: Record<string, LogValue> = {};
  if (spec.masterId) same['master_id'] = facts.masterId;
  if (spec.hostname) same['host'] = facts.hostname;
  let shown = Number.NaN;
  let timestamp = '';
  return (record: LogRecord) => {
    const fields: Record<string, LogValue> = { ...record.fields, ...same };
    if (spec.timestamp) {
      const time = record.time ?? record.at;
      // Lines that come together have their time in common.
      if (time !== shown) timestamp = new Date(time).toISOString();
      shown = time;
      fields['timestamp'] = timestamp;
    }
    if (spec.sequence) fields['sequence'] = record.seq;
    return { ...record, fields };
  };
}
