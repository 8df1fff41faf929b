import type { EventEmitter } from 'node:events';
import type { ServerUnaryCall } from '@grpc/grpc-js';
import {
  type Audit,
  type Control,
  demand,
  type Gate,
  HsuError,
  type Identity,
  type Milliseconds,
  type Resource,
  type Right,
  type WorkerView,
} from '@hsu-master/core';

/** What all calls need. */
export interface Surroundings {
  readonly control: Control;
  readonly gate: Gate;
  readonly audit: Audit;
  /** Aborted when the server closes: what has no end by itself ends then. */
  readonly closing: AbortSignal;
  /** Hears that somebody who is let in asks over the connection of a call. */
  admitted(call: AnyCall): void;
}

/** What calls of all kinds have. */
export type AnyCall = EventEmitter & Pick<ServerUnaryCall<Buffer, Buffer>, 'metadata' | 'getPeer'>;

type Known = Pick<WorkerView, 'id' | 'namespace'>;

/** One call: who makes it, what they may, and whether they still wait for it. */
export class Call {
  readonly control: Control;
  /** Aborted when whoever asked has gone or may ask no more, and when the server closes. */
  readonly signal: AbortSignal;
  readonly #surroundings: Surroundings;
  readonly #call: AnyCall;
  readonly #end = new AbortController();
  readonly #token: string | null;
  readonly #from: string;
  #identity: Identity | null = null;
  #unwatch: () => void = () => {};
  /** Why it ends before it is done; null: whoever asked has gone. */
  broken: Error | null = null;

  constructor(call: AnyCall, surroundings: Surroundings) {
    const { control, closing } = surroundings;
    this.control = control;
    this.#surroundings = surroundings;
    this.#call = call;
    this.#token = tokenOf(call.metadata.get('authorization')[0]);
    this.#from = `grpc ${addressOf(call.getPeer())}`;
    this.signal = this.#end.signal;
    const close = (): void => this.break(new HsuError('E_SHUTTING_DOWN', 'the master is closing'));
    if (closing.aborted) close();
    else closing.addEventListener('abort', close, { signal: this.signal });
    call.once('cancelled', () => this.end());
    call.once('close', () => this.end());
  }

  get audit(): Audit {
    return this.#surroundings.audit;
  }

  /** Nothing is done for it any more. */
  end(): void {
    this.#unwatch();
    this.#end.abort();
  }

  break(why: unknown): void {
    this.broken ??= why instanceof Error ? why : new Error(String(why));
    this.end();
  }

  /** Asked for by each message. @throws HsuError E_UNAUTHENTICATED, E_TOO_MANY */
  admit(): Identity {
    const { gate } = this.#surroundings;
    const identity = gate.admit({ token: this.#token, from: this.#from });
    if (this.#identity === null && !this.signal.aborted) {
      this.#unwatch = gate.watch(identity, () => {
        this.break(new HsuError('E_UNAUTHENTICATED', `${identity.name} is let in no more`));
      });
    }
    if (this.#identity === null) this.#surroundings.admitted(this.#call);
    this.#identity = identity;
    return identity;
  }

  get identity(): Identity {
    return this.#identity ?? this.admit();
  }

  /** @throws HsuError where it is not allowed */
  demand(right: Right, worker?: Known): Identity {
    const { gate, audit } = this.#surroundings;
    const parts = { authorize: gate.authorize, audit };
    demand(parts, this.identity, right, resourceOf(worker));
    return this.identity;
  }

  /** The same over at least one worker, or over the master where the right is about that. @throws HsuError where it is not allowed */
  demandSome(right: Right): void {
    const { gate, audit } = this.#surroundings;
    const resource: Resource = /^(?:workers|logs|events):/.test(right) ? { kind: 'some-worker' } : MASTER;
    demand({ authorize: gate.authorize, audit }, this.identity, right, resource);
  }

  /** Whoever has a valid token will do. @throws HsuError E_UNAUTHENTICATED, E_TOO_MANY */
  demandAny(): void {
    if (this.#identity === null) this.admit();
  }

  may(right: Right, worker?: Known): boolean {
    return this.#surroundings.gate.authorize(this.identity, right, resourceOf(worker)) === null;
  }

  /** Those of the workers for which it is allowed. */
  allowed<T extends Known>(right: Right, workers: readonly T[]): readonly T[] {
    return workers.filter((worker) => this.may(right, worker));
  }

  /** Those that were asked for by name must be allowed, at least one; of all, only those are meant that are. */
  readable(right: Right, patterns: readonly string[], namespace: string | null): readonly WorkerView[] {
    const found = this.control.workers({ patterns, namespace }, false);
    const mine = this.allowed(right, found);
    const [first] = found;
    if (mine.length === 0 && first !== undefined) this.demand(right, first);
    return mine;
  }

  /** Aborted with the call, at the latest after so long. */
  atMost(span: Milliseconds): AbortSignal {
    return AbortSignal.any([this.signal, AbortSignal.timeout(span)]);
  }
}

const MASTER: Resource = { kind: 'master' };

function resourceOf(worker: Known | undefined): Resource {
  return worker === undefined ? MASTER : { kind: 'worker', id: worker.id, namespace: worker.namespace };
}

function tokenOf(header: string | Buffer | undefined): string | null {
  if (typeof header !== 'string') return null;
  return /^Bearer +(\S+)\s*$/i.exec(header)?.[1] ?? null;
}

/** Of `127.0.0.1:4711` or `::ffff:127.0.0.1:4711` the address. */
function addressOf(peer: string): string {
  return peer.replace(/:\d+$/, '').replace(/^::ffff:/, '');
}
