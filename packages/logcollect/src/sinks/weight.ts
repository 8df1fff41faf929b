import type { Bytes } from '@hsu-master/core';
import type { LogRecord, LogValue } from '../record.ts';

/** What a record takes in memory beside its texts. */
const FRAME: Bytes = 200;

/** About how much memory a record takes. */
export function weightOf({ text, message, fields }: LogRecord): Bytes {
  return FRAME + text.length + (message === text ? 0 : message.length) + weightOfFields(fields);
}

function weightOfFields(fields: LogRecord['fields']): Bytes {
  let sum = 0;
  for (const key in fields) sum += 16 + key.length + weightOfValue(fields[key] as LogValue);
  return sum;
}

function weightOfValue(value: LogValue): Bytes {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 8;
  if (Array.isArray(value))
    return value.reduce((sum: number, item) => sum + 8 + weightOfValue(item as LogValue), 0);
  return weightOfFields(value as LogRecord['fields']);
}
