import type { LogLevel, LogValue, OutputStream, WallTime, WorkerId } from '@hsu-master/core';

export type { LogLevel, LogValue } from '@hsu-master/core';

/** One line on its way: what the worker wrote, and what stages have found out about it. Stages return changed copies. */
export interface LogRecord {
  readonly workerId: WorkerId;
  readonly run: number;
  readonly stream: OutputStream;
  /** When the master read it. */
  readonly at: WallTime;
  /** Grows by one for each line of a worker in this master’s life. */
  readonly seq: number;
  /** Without its newline; bytes that are no UTF-8 are replaced, and `damaged` says so. */
  readonly text: string;
  readonly damaged: boolean;
  /** A line longer than the bound was cut; `head` and `part` are followed by the rest, `tail` is the last piece. */
  readonly piece: 'whole' | 'head' | 'part' | 'tail';
  readonly level: LogLevel | null;
  /** As the line itself says; null where it does not. */
  readonly time: WallTime | null;
  /** The message proper, where a parser found one; else the text. */
  readonly message: string;
  /** What parsers and enrichers found. */
  readonly fields: { readonly [key: string]: LogValue };
}
