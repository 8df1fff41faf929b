import type { HsuError } from '../errors.ts';
import type { WorkerId } from '../worker/spec.ts';
import type { Caller } from './order.ts';

/** What can be allowed. Reading logs is a right of its own: lines may hold what states do not. */
export const RIGHTS = {
  'workers:read': 'see workers, their states, limits and explanations',
  'workers:order': 'start, stop, restart, reset and kill workers',
  'workers:signal': 'send signals to workers',
  'events:read': 'see events',
  'logs:read': 'read what workers write',
  'config:validate': 'have the text of a configuration checked',
  'master:read': 'see the master, its version and what its host can do',
  'master:shutdown': 'end the master and all its workers',
} as const;

export type Right = keyof typeof RIGHTS;

/** What a right is asked for; for a list, each of its members is asked for by itself. */
export type Resource =
  | { readonly kind: 'master' }
  | { readonly kind: 'worker'; readonly id: WorkerId; readonly namespace: string | null };

/** Who is at the other end, as found out once for a connection or request. */
export interface Identity extends Caller {
  /** root: the owner of the master, by the socket's peer credentials. token: by a token. */
  readonly kind: 'root' | 'token';
}

/** null: allowed; else the error to answer with, E_FORBIDDEN or E_UNAUTHENTICATED. */
export type Authorize = (identity: Identity, right: Right, resource: Resource) => HsuError | null;

/** The owner may do everything, nobody else anything. */
export const ownerOnly =
  (refusal: (right: Right) => HsuError): Authorize =>
  (identity, right) =>
    identity.kind === 'root' ? null : refusal(right);
