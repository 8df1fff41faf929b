import type { Lack, Prepared } from '../peer.ts';
import type { Programs } from '../programs.ts';

/** What is given to one who keeps the output of workers. */
export interface LogAssignment {
  /** Private folder of this trial; no spaces in its path. */
  readonly dir: string;
  /** There already: every log goes into a file below it. */
  readonly logs: string;
  /** As with `Assignment`. */
  readonly workers: readonly (readonly string[])[];
  /** Whether each line begins with a time. */
  readonly stamped: boolean;
  /** Bytes; files are rotated there, and so many are kept that nothing is lost by it. For those who rotate. */
  readonly rotateAt: number;
  readonly keep: number;
  readonly containment: string;
  readonly programs: Programs;
}

/** Who starts workers and keeps their output. */
export interface Logger {
  /** Its row. */
  readonly name: string;
  /** What --peers calls it. */
  readonly peer: string;
  readonly stamps: 'never' | 'always' | 'as asked';
  missing?(): Promise<Lack | undefined>;
  makeReady?(): Promise<void>;
  version?(): Promise<string>;
  prepare(assignment: LogAssignment): Promise<Prepared>;
}
