import type { Milliseconds } from '../units.ts';

export const LOG_FORMATS = ['plain', 'enhanced_plain', 'json', 'structured_json'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

/** How each line is written to a worker’s own file. `plain` without a prefix keeps every byte. */
export interface LogFileForm {
  readonly format: LogFormat;
  /** Before each line, where the format is no JSON; empty: nothing. */
  readonly prefix: string;
}

/** What happens while the disk, or whoever takes the lines, does not keep up: the worker waits, or output is lost and counted. */
export type LogOverflow = 'block' | 'drop-oldest' | 'drop-newest';

/** How a worker’s own files are written. Streams with one file have one form. */
export interface LogFilesSpec {
  readonly forms: Readonly<Record<'stdout' | 'stderr', LogFileForm>>;
  readonly overflow: LogOverflow;
  /** Seconds of local time after which a new file is begun, 86400: at midnight; 0: by size only. */
  readonly rotateEvery: number;
  /** Of rotated files. */
  readonly compression: 'none' | 'gzip' | 'zstd';
  /** Rotated files that were last written longer ago are removed; null: at any age. */
  readonly maxAge: Milliseconds | null;
  /**
   * `fifo`: the master carries the output. `file`: the worker appends to the file itself, byte for byte, and needs no master for it;
   * the file is rotated by copying and emptying it.
   */
  readonly channel: 'fifo' | 'file';
}

const PLAIN: LogFileForm = Object.freeze({ format: 'plain', prefix: '' });

/** Byte for byte, rotated by size, waiting for a slow disk. */
export const PLAIN_FILES: LogFilesSpec = Object.freeze({
  forms: Object.freeze({ stdout: PLAIN, stderr: PLAIN }),
  overflow: 'block',
  rotateEvery: 0,
  compression: 'none',
  maxAge: null,
  channel: 'fifo',
});
