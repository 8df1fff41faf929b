import type { Failure } from '../errors.ts';
import type { WallTime } from '../units.ts';
import type { SignalName, WorkerId } from '../worker/spec.ts';

/** What can be asked of a worker. */
export type Order =
  | { readonly kind: 'start' }
  | { readonly kind: 'stop' }
  | { readonly kind: 'restart' }
  /** Forget its failures and start what waits only for a backoff or the breaker. */
  | { readonly kind: 'reset' }
  /** Stop without grace. */
  | { readonly kind: 'kill' }
  /** main: the main process alone. tree: every process of the tree. */
  | { readonly kind: 'signal'; readonly signal: SignalName; readonly to: 'main' | 'tree' };

export type OrderKind = Order['kind'];

/** Those without anything to be said besides. */
export const PLAIN_ORDERS = ['start', 'stop', 'restart', 'reset', 'kill'] as const;

/** Who asks, for the audit and for the rules of access. */
export interface Caller {
  /** `uid 0`, or the name behind a token. */
  readonly name: string;
  /** By which way: `unix`, `tcp 127.0.0.1`. */
  readonly from: string;
}

/** An order on its way. `pending` until it is done, overruled by a later one, or has failed. */
export interface Ticket {
  readonly id: string;
  readonly workerId: WorkerId;
  readonly order: OrderKind;
  readonly state: 'pending' | 'done' | 'superseded' | 'failed';
  /** Done, and there was nothing to do. */
  readonly already: boolean;
  readonly failure: Failure | null;
  readonly askedAt: WallTime;
  readonly settledAt: WallTime | null;
}

/** A ticket as it is now, and as it will be. */
export interface Ordered {
  readonly ticket: Ticket;
  /** Never rejects. */
  readonly settled: Promise<Ticket>;
}
