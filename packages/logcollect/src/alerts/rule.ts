import type { LogAlertRule, WorkerId } from '@hsu-master/core';

export type { LogAlertRule as AlertRule } from '@hsu-master/core';

/** That a rule holds for a worker, or does no longer. */
export interface LogAlert {
  readonly kind: 'raised' | 'again' | 'cleared';
  readonly rule: LogAlertRule;
  readonly workerId: WorkerId;
  /** Of the last line that counted. */
  readonly run: number;
  /** Lines that counted since it was raised, with those that raised it. */
  readonly lines: number;
  /** The beginning of the last line that counted. */
  readonly line: string;
  /** One line for people. */
  readonly message: string;
}
