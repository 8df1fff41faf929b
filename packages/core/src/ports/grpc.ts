import type { Milliseconds } from '../units.ts';
import type { GrpcCall, WorkerId } from '../worker/spec.ts';

/** What one check came to. `reason` is one short line for people, on success too. */
export interface CheckAnswer {
  readonly passed: boolean;
  readonly reason: string;
}

/** Speaks gRPC with programs, without TLS. */
export interface GrpcPort {
  /** `answered` is called once, never from within this call, and never after the returned function was called, which ends the call. */
  check(target: GrpcTarget, call: GrpcCall, answered: (answer: CheckAnswer) => void): () => void;
  /** Opens the control stream of a unit. `heard` is called in the order in which things happened, last `closed`. */
  control(target: GrpcTarget, unit: ControlledUnit, heard: (news: ControlNews) => void): ControlStream;
  close(): void;
}

export interface GrpcTarget {
  readonly host: string;
  /** What `host` stands for; tried in this order. */
  readonly addresses: readonly { readonly address: string; readonly family: number }[];
  readonly port: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** What a unit is told of itself. */
export interface ControlledUnit {
  readonly workerId: WorkerId;
  readonly run: number;
}

export type ControlNews =
  /** It takes orders. */
  | { readonly kind: 'opened' }
  /** Says in its own words how it is. */
  | { readonly kind: 'status'; readonly serving: boolean; readonly text: string }
  /** `isMissing`: it has no control stream at all. */
  | { readonly kind: 'closed'; readonly isMissing: boolean; readonly reason: string };

/** Orders to a unit. Those after its end do nothing. */
export interface ControlStream {
  /** End in order within `grace`. */
  stop(grace: Milliseconds): void;
  /** Lets go of it; the unit lives on, and nothing is heard afterwards. */
  close(): void;
}
