import type {
  Bytes,
  MonotonicTime,
  ProcessIdentity,
  RunRecord,
  WorkerId,
  WorkerMemo,
} from '@hsu-master/core';
import { parseLine, seedOf } from './line.ts';
import { readText } from './synced-file.ts';

/** Version of the file’s form. 1: runs only, and lines that do not name their boot. */
export const FORM = 2;

/** The first line. `reader` is the least form that whoever reads the file has to know. */
export interface Header {
  readonly form: number;
  readonly reader?: number;
  readonly bootId: string;
}

/** The other lines: a run began, or (null) its tree is empty; what is remembered of a worker; what the operator wants. */
export type Entry =
  | RunRecord
  | { readonly workerId: WorkerId; readonly run: number; readonly process: null }
  | { readonly workerId: WorkerId; readonly memo: WorkerMemo | null }
  | { readonly workerId: WorkerId; readonly wish: 'up' | 'down' };

export interface BootLogText {
  readonly entries: readonly Entry[];
  /** Why some lines are not believed, and how many; null: all are, or none was meant to be. */
  readonly refused: { readonly records: number | null; readonly reason: string } | null;
  /** Its length, where lines may be added to it as it is; null: it is to be written anew. */
  readonly length: Bytes | null;
  readonly isMissing: boolean;
}

const NOTHING: BootLogText = { entries: [], refused: null, length: null, isMissing: false };

/**
 * Reads what earlier masters of this boot wrote. Each line counts for itself: a damaged one takes no other with it. Those of another boot
 * are void.
 * @param now what runs of form 1, which does not say when they began, count from
 * @throws where the file cannot be read, or only a newer version knows what it says
 */
export function readBootLog(file: string, bootId: string, now: MonotonicTime): BootLogText {
  const text = readText(file);
  if (text === null) return { ...NOTHING, isMissing: true };
  if (text === '') return { ...NOTHING, refused: { records: null, reason: 'the file is empty' } };
  const [first = '', ...rest] = text.split('\n');
  // What follows the last line’s end is a line that was not written to its end.
  if (rest.at(-1) === '') rest.pop();
  const header = parseLine(first) as Header | null;
  if (header !== null && header.bootId !== bootId) return NOTHING;
  if (header !== null && (header.reader ?? header.form) > FORM) {
    throw new Error(
      `${file} was written by a newer version (form ${header.form}), whose workers may still run; start that version, or end them and remove the file`,
    );
  }
  if (header?.form === 1) return believed(rest.map((line) => firstForm(parseLine(line), now)));
  const seed = seedOf(bootId);
  const believable = believed(rest.map((line) => parseLine(line, seed) as Entry | null));
  if (header === null) {
    const records = 1 + (believable.refused?.records ?? 0);
    return { ...believable, refused: { records, reason: 'its first line is damaged' } };
  }
  const isWhole = header.form === FORM && believable.refused === null && text.endsWith('\n');
  return isWhole ? { ...believable, length: Buffer.byteLength(text) } : believable;
}

/** The highest number of a run of each worker that is named anywhere in the log, also by lines that others have overruled since. */
export function runsNamed(entries: readonly Entry[]): ReadonlyMap<WorkerId, number> {
  const runs = new Map<WorkerId, number>();
  for (const entry of entries) {
    const run = 'run' in entry ? entry.run : 'memo' in entry ? (entry.memo?.run ?? 0) : 0;
    runs.set(entry.workerId, Math.max(run, runs.get(entry.workerId) ?? 0));
  }
  return runs;
}

function believed(lines: readonly (Entry | null)[]): BootLogText {
  const entries = lines.filter((entry) => entry !== null);
  const records = lines.length - entries.length;
  const reason = records === 1 ? 'a line is damaged or incomplete' : 'lines are damaged or incomplete';
  return { ...NOTHING, entries, refused: records === 0 ? null : { records, reason } };
}

interface FirstForm {
  readonly workerId: WorkerId;
  readonly run: number;
  readonly mark: string;
  readonly process: ProcessIdentity | null;
}

function firstForm(line: object | null, now: MonotonicTime): Entry | null {
  if (line === null) return null;
  const { workerId, run, mark, process } = line as FirstForm;
  if (process === null) return { workerId, run, process };
  return { workerId, run, process, mark, at: now, command: null, limits: null };
}
