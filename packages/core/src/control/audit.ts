import type { WallTime } from '../units.ts';
import type { Caller } from './order.ts';

/** Something that somebody did or tried to do. Never a secret, a token or a value of an environment. */
export interface Deed {
  readonly by: Caller;
  /** `worker.stop`, `config.apply`, `token.create`; for a refusal the right that was lacking; `login` for who was not let in. */
  readonly action: string;
  /** The id of a worker, the name of a token, `master`; `workers` where it was not said which one. */
  readonly on: string;
  /** done: carried out, or taken as an order. refused: not allowed. failed: allowed, and it could not be done. */
  readonly result: 'done' | 'refused' | 'failed';
  /** A code, or a few words; null where there is nothing to add. */
  readonly why: string | null;
}

/** One line of the audit. */
export interface AuditEntry extends Deed {
  readonly at: WallTime;
}

export interface AuditQuery {
  /** At most so many, the newest, told oldest first. */
  readonly limit: number;
  /** Those of one action or one name alone; null: all. */
  readonly action: string | null;
  readonly by: string | null;
}

/** Remembers who did what, when, from where, and with which result. */
export interface Audit {
  /** Never throws and never waits: what cannot be written is told by an event. */
  record(deed: Deed): void;
  read(query: AuditQuery): Promise<readonly AuditEntry[]>;
}

/** For who needs none: tests, and applications that embed a master without surfaces. */
export const noAudit: Audit = { record: () => {}, read: () => Promise.resolve([]) };
