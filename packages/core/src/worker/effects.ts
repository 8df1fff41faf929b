import type { Failure } from '../errors.ts';
import type { LimitsSpec } from '../limits/spec.ts';
import type { Milliseconds } from '../units.ts';
import type { Exit, ProcessIdentity } from './exit.ts';
import type { TimerName } from './messages.ts';
import type { SignalName } from './spec.ts';

/** How a command ended for the one who waits for it. */
export type TicketOutcome =
  /** `already`: there was nothing to do. */
  | { readonly kind: 'done'; readonly already: boolean }
  /** A later command overruled it. */
  | { readonly kind: 'superseded' }
  | { readonly kind: 'failed'; readonly failure: Failure };

/** An action that was decided on and not done yet. */
export type Effect =
  | { readonly kind: 'spawn'; readonly run: number; readonly limits: LimitsSpec | null }
  /** Take charge of a run that an earlier master began. Its end is reported like that of any run. */
  | {
      readonly kind: 'attach';
      readonly run: number;
      readonly process: ProcessIdentity;
      readonly mark: string;
      /** How its main process ended, where the earlier master saw that. */
      readonly exit: Exit | null;
      readonly limits: LimitsSpec | null;
      /** Whether it has just these already. */
      readonly limitsHold: boolean;
    }
  /** Watch a process that somebody else started, as far as that may be done. */
  | {
      readonly kind: 'accompany';
      readonly run: number;
      readonly process: ProcessIdentity;
      readonly limits: LimitsSpec | null;
    }
  /** Have whoever may do it end or restart such a process; comes back as `control-failed` where that fails. */
  | { readonly kind: 'control'; readonly run: number; readonly action: 'stop' | 'restart' }
  | {
      readonly kind: 'signal-tree';
      readonly run: number;
      readonly signal: SignalName;
      /** How long it may take to end; null: it is not asked. */
      readonly grace: Milliseconds | null;
    }
  | { readonly kind: 'follow'; readonly run: number; readonly process: ProcessIdentity }
  /** Give the living tree these limits; comes back as `limits-set`. */
  | { readonly kind: 'set-limits'; readonly run: number; readonly limits: LimitsSpec }
  /** Hold the tree to a share of one core; null: let it run freely again. */
  | { readonly kind: 'throttle'; readonly run: number; readonly percent: number | null }
  /** Look which members are alive; comes back as `surveyed`. */
  | { readonly kind: 'survey'; readonly run: number }
  /** The tree is empty: let go of the run’s output and record. */
  | { readonly kind: 'close-run'; readonly run: number }
  | { readonly kind: 'begin-hooks'; readonly run: number; readonly process: ProcessIdentity }
  | { readonly kind: 'end-hooks'; readonly run: number }
  /** Those that accompany it begin anew, by another spec. */
  | { readonly kind: 'renew-hooks'; readonly run: number; readonly process: ProcessIdentity }
  | {
      readonly kind: 'set-timer';
      readonly run: number;
      readonly timer: TimerName;
      readonly delay: Milliseconds;
    }
  | { readonly kind: 'clear-timer'; readonly timer: TimerName }
  | { readonly kind: 'settle'; readonly ticket: number; readonly outcome: TicketOutcome }
  | { readonly kind: 'record-desired'; readonly desired: 'up' | 'down' };
