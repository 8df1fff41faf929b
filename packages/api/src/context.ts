import {
  type Audit,
  type Authorize,
  type Control,
  demand,
  eventFilter,
  HsuError,
  type HsuEvent,
  type Identity,
  type Milliseconds,
  type Resource,
  type Right,
  type WantedEvents,
  type WorkerView,
  withoutNames,
} from '@hsu-master/core';
import type { FastifyInstance, FastifyRequest, RawServerBase } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';

/** What a surface needs besides the control of a master. */
export interface Surroundings {
  readonly control: Control;
  /** Who sends this request; throws an HsuError E_UNAUTHENTICATED where nobody knows. */
  identify(request: FastifyRequest): Identity;
  /** Throws an HsuError E_TOO_MANY for a message of a stream that is one too many. */
  message(request: FastifyRequest): void;
  readonly authorize: Authorize;
  readonly audit: Audit;
  /** How long somebody may read nothing of a WebSocket while something waits for him. */
  readonly patience: Milliseconds;
  /** The OpenAPI document of the routes. */
  document(): Promise<object>;
  /** Hears of what cannot have happened. */
  defect(error: unknown): void;
}

/** The same for routes. */
export interface Context extends Surroundings {
  /** Aborted when the surface closes: what has no end by itself ends then. */
  readonly closing: AbortSignal;
  /** @throws HsuError E_FORBIDDEN, and it is written down */
  demand(request: FastifyRequest, right: Right, resource: Resource): void;
  /** The same for a worker, or the master. */
  allow(request: FastifyRequest, right: Right, worker?: Pick<WorkerView, 'id' | 'namespace'>): Identity;
  /** Which events may be told, of those that are wanted. @throws HsuError where none may */
  told(request: FastifyRequest, wanted: WantedEvents): (event: HsuEvent) => boolean;
  /** An error as the one who asked may hear it: names of other workers are for the owner. */
  discreet(request: FastifyRequest, error: unknown): unknown;
  /** Those of the workers for which it is allowed. */
  allowed<T extends Pick<WorkerView, 'id' | 'namespace'>>(
    request: FastifyRequest,
    right: Right,
    workers: readonly T[],
  ): readonly T[];
}

export type App = FastifyInstance<
  RawServerBase,
  import('node:http').IncomingMessage,
  import('node:http').ServerResponse,
  import('fastify').FastifyBaseLogger,
  ZodTypeProvider
>;

const MASTER: Resource = { kind: 'master' };

function resourceOf(worker: Pick<WorkerView, 'id' | 'namespace'> | undefined): Resource {
  return worker === undefined ? MASTER : { kind: 'worker', id: worker.id, namespace: worker.namespace };
}

export function contextOf(surroundings: Surroundings, closing: AbortSignal): Context {
  const { identify, authorize } = surroundings;
  const refusal = (
    identity: Identity,
    right: Right,
    worker?: Pick<WorkerView, 'id' | 'namespace'>,
  ): HsuError | null => authorize(identity, right, resourceOf(worker));
  return {
    ...surroundings,
    closing,
    demand: (request, right, resource) => demand(surroundings, identify(request), right, resource),
    allow(request, right, worker) {
      const identity = identify(request);
      demand(surroundings, identity, right, resourceOf(worker));
      return identity;
    },
    told(request, wanted) {
      const identity = identify(request);
      const { control } = surroundings;
      const may = (worker: WorkerView | null): boolean =>
        refusal(identity, 'events:read', worker ?? undefined) === null;
      if (wanted.patterns.length > 0 || !may(null)) {
        const found = control.workers({ patterns: wanted.patterns, namespace: null }, false);
        if (!found.some(may)) demand(surroundings, identity, 'events:read', resourceOf(found[0]));
      }
      return eventFilter(control, wanted, may);
    },
    discreet(request, error) {
      if (!(error instanceof HsuError) || error.code !== 'E_UNKNOWN_WORKER') return error;
      return identify(request).kind === 'root' ? error : withoutNames(error);
    },
    allowed(request, right, workers) {
      const identity = identify(request);
      return workers.filter((worker) => refusal(identity, right, worker) === null);
    },
  };
}
