import type {
  Authorize,
  Control,
  HsuError,
  Identity,
  Resource,
  Right,
  WorkerId,
  WorkerView,
} from '@hsu-master/core';
import type { FastifyInstance, FastifyRequest, RawServerBase } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';

/** What a surface needs besides the control of a master. */
export interface Surroundings {
  readonly control: Control;
  /** Who sends this request; throws an HsuError E_UNAUTHENTICATED where nobody knows. */
  identify(request: FastifyRequest): Identity;
  readonly authorize: Authorize;
  /** The OpenAPI document of the routes. */
  document(): Promise<object>;
  /** Hears of what cannot have happened. */
  defect(error: unknown): void;
}

/** The same for routes. */
export interface Context extends Surroundings {
  /** Aborted when the surface closes: what has no end by itself ends then. */
  readonly closing: AbortSignal;
  /** @throws HsuError where it is not allowed */
  allow(request: FastifyRequest, right: Right, worker?: Pick<WorkerView, 'id' | 'namespace'>): Identity;
  /** Whose events may be told, of those that are chosen; null: everybody's, and the master's own. @throws HsuError where none may */
  told(request: FastifyRequest, patterns: readonly string[]): ReadonlySet<WorkerId> | null;
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

export function contextOf(surroundings: Surroundings, closing: AbortSignal): Context {
  const { identify, authorize } = surroundings;
  const refusal = (
    identity: Identity,
    right: Right,
    worker?: Pick<WorkerView, 'id' | 'namespace'>,
  ): HsuError | null =>
    authorize(
      identity,
      right,
      worker === undefined ? MASTER : { kind: 'worker', id: worker.id, namespace: worker.namespace },
    );
  return {
    ...surroundings,
    closing,
    allow(request, right, worker) {
      const identity = identify(request);
      const refused = refusal(identity, right, worker);
      if (refused !== null) throw refused;
      return identity;
    },
    told(request, patterns) {
      const identity = identify(request);
      const found = surroundings.control.workers({ patterns, namespace: null }, false);
      const mine = found.filter((worker) => refusal(identity, 'events:read', worker) === null);
      const own = refusal(identity, 'events:read');
      if (patterns.length === 0 && own === null && mine.length === found.length) return null;
      const refused = mine.length > 0 ? null : refusal(identity, 'events:read', found[0]);
      if (refused !== null) throw refused;
      return new Set(mine.map(({ id }) => id));
    },
    allowed(request, right, workers) {
      const identity = identify(request);
      return workers.filter((worker) => refusal(identity, right, worker) === null);
    },
  };
}
