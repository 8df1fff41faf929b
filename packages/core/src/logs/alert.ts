import type { OutputStream } from '../ports/output.ts';
import type { Milliseconds } from '../units.ts';
import type { WorkerId } from '../worker/spec.ts';
import type { LogLevel } from './level.ts';

/** When many lines of one worker are worth telling somebody. */
export interface LogAlertRule {
  /** Unique; names the alert everywhere. */
  readonly name: string;
  /** Empty: all. */
  readonly workers: readonly WorkerId[];
  /** Lines count whose text matches, in the form that `compilePattern` takes; null: any text. */
  readonly pattern: string | null;
  /** Lines count that have this level or a higher one; null: with any level and without. */
  readonly minLevel: LogLevel | null;
  /** null: both. */
  readonly stream: OutputStream | null;
  /** So many lines within so long raise it; 1 to 10 000. It is cleared when the last `within` has had fewer. */
  readonly count: number;
  readonly within: Milliseconds;
  /** While it lasts it is told again so often at most; null: only once. */
  readonly every: Milliseconds | null;
  readonly exec: readonly [string, ...string[]] | null;
  readonly webhook: string | null;
  /** Of the program and of the webhook. */
  readonly timeout: Milliseconds;
}
