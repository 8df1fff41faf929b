import type { ProcessRow } from './native.ts';

/** Numbers of one row, as native/shared/hsu/glue/process_rows.h writes them. */
const width = 6;

/** The addon's flat rows as objects. */
export function decodeRows(numbers: Float64Array): ProcessRow[] {
  const rows: ProcessRow[] = [];
  for (let at = 0; at < numbers.length; at += width) {
    rows.push({
      pid: numbers[at] as number,
      ppid: numbers[at + 1] as number,
      pgid: numbers[at + 2] as number,
      sid: numbers[at + 3] as number,
      startTime: String(numbers[at + 4]),
      state: String.fromCharCode(numbers[at + 5] as number),
    });
  }
  return rows;
}
