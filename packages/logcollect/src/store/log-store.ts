import type { Bytes, Clock, LogSpec, Milliseconds, OutputStream, WallTime, WorkerId } from '@hsu-master/core';
import type { Begin } from './chain.ts';
import { type Following, Follows } from './following.ts';
import { LogFollower } from './log-follower.ts';
import { ANYTHING, type Sought } from './match.ts';
import { mergeByTime, type Timed } from './merge.ts';
import { type ReplayPace, replayed } from './replay.ts';
import { type SearchPage, type Span, search, strandsOf } from './search.ts';
import type { Place, StoredLine, StoredLog } from './stored-line.ts';
import { backwards, EVERYTHING, type WalkNotes } from './walk.ts';

/** Which logs; a stream leaves out lines of the other one where the log says which is which. */
export interface Selection {
  /** null: all. */
  readonly workers: readonly WorkerId[] | null;
  readonly stream?: OutputStream | null;
}

export interface RangeQuery extends Selection {
  /** From this time on. */
  readonly from?: WallTime;
  /** Before this time. */
  readonly to?: WallTime;
  /** By default the oldest first. */
  readonly order?: 'oldest' | 'newest';
  readonly signal?: AbortSignal;
}

export interface SearchQuery extends RangeQuery, Partial<Sought> {
  readonly limit: number;
  /** That of the page before, with otherwise the same query. */
  readonly cursor?: string | null;
}

export interface FollowQuery extends Selection {
  /** From which line of each log on: the last so many, all that are there, or those that come; by default the last. */
  readonly begin?: 'beginning' | 'end' | { readonly lines: number };
  /**
   * Whoever asks so slowly that more than so many bytes of a log are waiting, after having been at its end, loses the oldest of
   * them and is told how many; by default 64 MiB. Nothing is held in memory for it.
   */
  readonly maxLag?: Bytes;
  /** A line that has not ended is handed on as it is after so long without a byte of it; by default 1 s; null: never. */
  readonly partialAfter?: Milliseconds | null;
  readonly signal?: AbortSignal;
}

/** Reads what workers have written, from their files: the current ones, and those that were rotated and compressed. */
export interface LogStore {
  /** The last lines, oldest first, of several logs by time; at most 16 MiB of text. An unfinished last line counts. */
  tail(selection: Selection, count: number, signal?: AbortSignal): Promise<readonly StoredLine[]>;
  /**
   * Lines as they come, at most a second after they were written, those of one log in their order; through rotation, compression,
   * truncation, removal and re-creation of files. Without end: close it.
   */
  follow(query: FollowQuery): Following;
  /**
   * Lines of a time. Logs with stamps are bounded by these, which are taken for ascending, but for steps of the clock up to a
   * minute; of plain logs all lines are given of every file that was written within the range: they say nothing more exact.
   */
  range(query: RangeQuery): AsyncGenerator<StoredLine, void, void>;
  /** Finds lines. Rejects with `TypeError` for a pattern or cursor that is none, and with the signal’s reason. */
  search(query: SearchQuery): Promise<SearchPage>;
  /** Lines of a time at the pace at which they were written; lines that do not say when come along with those before them. */
  replay(query: RangeQuery, pace: ReplayPace): AsyncGenerator<StoredLine, void, void>;
}

export interface LogStoreOptions {
  readonly clock: Clock;
  /** The logs that there are; asked for each query. */
  logs(): readonly StoredLog[];
}

const TAIL_TEXT: Bytes = 16 * 1024 * 1024;
const MAX_LAG: Bytes = 64 * 1024 * 1024;
const PARTIAL_AFTER = 1000;

export function logStore(options: LogStoreOptions): LogStore {
  return new Files(options);
}

/** The logs that a worker’s spec names. */
export function storedLogs(workerId: WorkerId, log: LogSpec): StoredLog[] {
  const { captureStdout, captureStderr, stdoutFile, stderrFile, files } = log;
  const logOf = (stream: OutputStream, path: string): StoredLog => {
    const { format, prefix } = files.forms[stream];
    return {
      workerId,
      stream,
      path,
      format: format === 'plain' && prefix !== '' ? 'prefixed' : format,
      prefix,
    };
  };
  if (captureStdout && captureStderr && stdoutFile === stderrFile)
    return [{ ...logOf('stdout', stdoutFile), stream: null }];
  return [
    ...(captureStdout ? [logOf('stdout', stdoutFile)] : []),
    ...(captureStderr ? [logOf('stderr', stderrFile)] : []),
  ];
}

class Files implements LogStore {
  readonly #options: LogStoreOptions;

  constructor(options: LogStoreOptions) {
    this.#options = options;
  }

  async tail(
    selection: Selection,
    count: number,
    signal: AbortSignal | null = null,
  ): Promise<readonly StoredLine[]> {
    const lines: StoredLine[] = [];
    if (count <= 0) return lines;
    let text = 0;
    let whole = 0;
    for await (const { line } of this.#merged({ ...selection, order: 'newest' }, count, newNotes(), signal)) {
      lines.push(line);
      text += line.record.text.length;
      // The pieces of a long line count once.
      const { piece } = line.record;
      if (piece === 'whole' || piece === 'head') whole += 1;
      if (whole >= count || text >= TAIL_TEXT) break;
    }
    return lines.reverse();
  }

  follow(query: FollowQuery): Following {
    const { begin = 'end', maxLag = MAX_LAG, partialAfter = PARTIAL_AFTER, signal = null } = query;
    const logs = this.#select(query);
    const followers = Promise.all(
      logs.map(async (log) => {
        const from = typeof begin === 'object' ? await beginOf(log, begin.lines) : begin;
        return new LogFollower(log, { begin: from, maxLag, partialAfter });
      }),
    );
    return new Follows(followers, this.#options.clock, signal, accepting(query));
  }

  async *range(query: RangeQuery): AsyncGenerator<StoredLine, void, void> {
    const { signal = null } = query;
    for await (const { line } of this.#merged(query, Infinity, newNotes(), signal)) yield line;
  }

  async search(query: SearchQuery): Promise<SearchPage> {
    const { limit, cursor = null, signal = null } = query;
    const sought = { ...ANYTHING, ...query, limit, cursor };
    return search(this.#select(query), spanOf(query, signal), sought, accepting(query));
  }

  replay(query: RangeQuery, pace: ReplayPace): AsyncGenerator<StoredLine, void, void> {
    const { signal = null } = query;
    const lines = this.#merged({ ...query, order: 'oldest' }, Infinity, newNotes(), signal);
    return replayed(lines, pace, this.#options.clock, signal);
  }

  #merged(
    query: RangeQuery,
    keep: number,
    notes: WalkNotes,
    signal: AbortSignal | null,
  ): AsyncGenerator<Timed, void, void> {
    const span = spanOf(query, signal);
    const accepts = accepting(query);
    const accept = (line: StoredLine) => (accepts(line) ? line : null);
    const strands = strandsOf(this.#select(query), span, { accept, keep, places: {} }, notes);
    return mergeByTime(strands, span.order);
  }

  #select({ workers, stream = null }: Selection): readonly StoredLog[] {
    const wanted = workers === null ? null : new Set(workers);
    return this.#options
      .logs()
      .filter((log) => wanted === null || wanted.has(log.workerId))
      .filter((log) => stream === null || log.stream === null || log.stream === stream);
  }
}

function newNotes(): WalkNotes {
  return { scanned: 0, unreadable: [] };
}

function spanOf(query: RangeQuery, signal: AbortSignal | null): Span {
  const { from = -Infinity, to = Infinity, order = 'oldest' } = query;
  return { from, to, order, signal };
}

/** Of a log of both streams, the lines that say that they are of the other one are left out. */
function accepting({ stream = null }: Selection): (line: StoredLine) => boolean {
  return ({ log, isStamped, record }) =>
    stream === null || log.stream !== null || !isStamped || record.stream === stream;
}

/** Where the last so many lines of a log begin. */
async function beginOf(log: StoredLog, lines: number): Promise<Begin> {
  if (lines <= 0) return 'end';
  let found: Place | null = null;
  let whole = 0;
  const wanted = { accept: (line: StoredLine) => line, keep: lines };
  for await (const batch of backwards(log, EVERYTHING, newNotes(), wanted)) {
    for (const { from, record } of batch) {
      found = from;
      if (record.piece === 'whole' || record.piece === 'head') whole += 1;
      if (whole >= lines) return found;
    }
  }
  return found ?? 'beginning';
}
