import type { Bytes, LogValue, OutputStream, WallTime, WorkerId } from '@hsu-master/core';
import { parseJson } from '../pipeline/parse/parsers.ts';
import { localTime, type TimeContext, timeAt, timeInText } from '../pipeline/parse/time.ts';
import type { LogRecord } from '../record.ts';
import type { RawLine } from './lines.ts';
import type { Head, StoredFile } from './stored-file.ts';

export const STORED_FORMATS = ['plain', 'prefixed', 'enhanced_plain', 'json', 'structured_json'] as const;
export type StoredFormat = (typeof STORED_FORMATS)[number];

/** A log on disk: one current file and those rotated from it. */
export interface StoredLog {
  readonly workerId: WorkerId;
  /** null: both streams of the worker go there. */
  readonly stream: OutputStream | null;
  /** Absolute path of the current file. */
  readonly path: string;
  readonly format: StoredFormat;
  /** What stands before each line of a text format; empty: nothing. */
  readonly prefix: string;
}

/** A place in a log, which means the same after rotation and compression. JSON can say it. */
export interface Place {
  /** Device and inode of the file before it was compressed. */
  readonly file: string;
  readonly head: Head;
  /** When the file had last been written. */
  readonly written: WallTime;
  readonly offset: Bytes;
}

/** A line of a log. */
export interface StoredLine {
  /**
   * `text` is what the worker wrote, without what the format added. `run` and `seq` are 0 and `stream` is stdout where the log does
   * not say. `at` of a log without stamps is when its file was last written: the latest time that it can have been.
   */
  readonly record: LogRecord;
  /** `record.at` is the stamp that the line got when it was read from the worker. */
  readonly isStamped: boolean;
  readonly log: StoredLog;
  /** Where the line begins, and where what follows it does. */
  readonly from: Place;
  readonly next: Place;
}

/** Where and when a line was found. */
export interface Finding {
  readonly file: StoredFile;
  readonly head: Head;
}

interface Said {
  text: string;
  at: WallTime | null;
  stream: OutputStream | null;
  run: number;
  seq: number;
  workerId: WorkerId | null;
}

const NO_FIELDS: LogRecord['fields'] = Object.freeze({});

/** Reads the lines of one log. */
export class LineReader {
  readonly #log: StoredLog;
  readonly #context: TimeContext;

  constructor(log: StoredLog, local: TimeContext['local'] = localTime) {
    this.#log = log;
    this.#context = { at: 0, local };
  }

  read(raw: RawLine, { file, head }: Finding): StoredLine {
    const said = this.#said(raw);
    const { text } = said;
    const record: LogRecord = {
      workerId: said.workerId ?? this.#log.workerId,
      run: said.run,
      stream: said.stream ?? this.#log.stream ?? 'stdout',
      at: said.at ?? file.written,
      seq: said.seq,
      text,
      damaged: raw.damaged,
      piece: raw.piece,
      level: null,
      time: null,
      message: text,
      fields: NO_FIELDS,
    };
    const place = { file: file.source, head, written: file.written };
    return {
      record,
      isStamped: said.at !== null,
      log: this.#log,
      from: { ...place, offset: raw.from },
      next: { ...place, offset: raw.next },
    };
  }

  /** When the line was stamped, or null. */
  stampOf(raw: RawLine): WallTime | null {
    return this.#said(raw).at;
  }

  /** The time that the line’s own text begins with, or null. */
  timeIn({ record }: StoredLine): WallTime | null {
    return timeInText(record.text, { ...this.#context, at: record.at });
  }

  #said(raw: RawLine): Said {
    const plain = { text: raw.text, at: null, stream: null, run: 0, seq: 0, workerId: null };
    const { format, prefix } = this.#log;
    if (format === 'plain' || (raw.piece !== 'whole' && raw.piece !== 'head')) return plain;
    if (format === 'json' || format === 'structured_json') return this.#json(raw.text) ?? plain;
    const bare = raw.text.startsWith(prefix) ? raw.text.slice(prefix.length) : raw.text;
    if (format === 'prefixed') return { ...plain, text: bare };
    return this.#enhanced(bare) ?? plain;
  }

  /** `[2026-01-31T17:38:32.123+03:00][worker][stdout] text` */
  #enhanced(text: string): Said | null {
    const opening = text.indexOf('[');
    if (opening === -1) return null;
    const found = timeAt(text, opening + 1, this.#context);
    if (found === null || !text.startsWith('][', found.end)) return null;
    const workerEnd = text.indexOf('][', found.end + 2);
    const end = workerEnd === -1 ? -1 : text.indexOf('] ', workerEnd + 2);
    if (end === -1) return null;
    const stream = streamNamed(text.slice(workerEnd + 2, end));
    if (stream === null) return null;
    const workerId = text.slice(found.end + 2, workerEnd);
    return { text: text.slice(end + 2), at: found.time, stream, run: 0, seq: 0, workerId };
  }

  #json(text: string): Said | null {
    const object = parseJson(text);
    if (object === null) return null;
    const { time, timestamp, worker, worker_id, stream, run, seq, sequence, message, data } = object;
    const stamp = timestamp ?? time;
    const name = worker ?? worker_id;
    const at = typeof stamp === 'string' ? (timeAt(stamp, 0, this.#context)?.time ?? null) : null;
    if (at === null) return null;
    return {
      text: object['text'] === undefined ? textOf(message ?? data, text) : textOf(object['text'], text),
      at,
      stream: streamNamed(stream),
      run: typeof run === 'number' ? run : 0,
      seq: numberOf(seq ?? sequence),
      workerId: typeof name === 'string' ? name : null,
    };
  }
}

function textOf(value: LogValue | undefined, otherwise: string): string {
  if (value === undefined) return otherwise;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function numberOf(value: LogValue | undefined): number {
  return typeof value === 'number' ? value : 0;
}

function streamNamed(value: LogValue | undefined): OutputStream | null {
  return value === 'stdout' || value === 'stderr' ? value : null;
}
