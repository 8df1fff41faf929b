import { HsuError } from '../errors.ts';
import type { WorkerId } from '../worker/spec.ts';
import type { Audit } from './audit.ts';
import type { Caller } from './order.ts';

/** What can be allowed. Reading logs is a right of its own: lines may hold what states do not. */
export const RIGHTS = {
  'workers:read': 'see workers, their states, limits and explanations',
  'workers:order': 'start, stop, restart, reset and kill workers',
  'workers:signal': 'send signals to workers',
  'workers:exec': 'run commands in the place of workers, as their users and with their environment',
  'workers:define': 'add, change and remove workers',
  'workers:reveal': 'see the environment and the arguments of workers with their secrets',
  'events:read': 'see events',
  'logs:read': 'read what workers write',
  'config:validate': 'have the text of a configuration checked, with the files and variables of the master',
  'config:read': 'see the configuration that is in force, and what it would change',
  'config:apply': 'have another configuration applied',
  'master:read': 'see the master, its version and what its host can do',
  'master:shutdown': 'end the master and all its workers',
  'audit:read': 'read the audit',
  'tokens:manage': 'see tokens, make such that allow no more than one’s own, and revoke any',
} as const;

export type Right = keyof typeof RIGHTS;

/** What a right is asked for; for a list, each of its members is asked for by itself. */
export type Resource =
  | { readonly kind: 'master' }
  | { readonly kind: 'worker'; readonly id: WorkerId; readonly namespace: string | null }
  /** Any worker at all: which one is not known yet. */
  | { readonly kind: 'some-worker' };

/** Who is at the other end, as found out once for a connection or request. */
export type Identity =
  /** The owner of the master, by the socket's peer credentials. */
  | (Caller & { readonly kind: 'root' })
  /** Who showed a token; `tokenId` tells apart two of one name, and is no secret. */
  | (Caller & { readonly kind: 'token'; readonly tokenId: string });

/** null: allowed; else the error to answer with, E_FORBIDDEN or E_UNAUTHENTICATED. */
export type Authorize = (identity: Identity, right: Right, resource: Resource) => HsuError | null;

/** What somebody shows who is not known by the socket. */
export interface Credentials {
  readonly token: string | null;
  /** `tcp 10.0.0.3`, `grpc 10.0.0.3`: the way and the address, without its port. */
  readonly from: string;
}

/** Lets in or not: for all ways that are not the owner's socket. */
export interface Gate {
  /**
   * To be asked for each request and for each message of a stream: it counts them.
   * @throws HsuError E_UNAUTHENTICATED; E_TOO_MANY for more than the rate, and after wrong tokens
   */
  admit(credentials: Credentials): Identity;
  readonly authorize: Authorize;
  /** Calls `ended` once when who was let in would be no more: revoked or expired. Until the returned function is called. */
  watch(identity: Identity, ended: () => void): () => void;
}

/** The owner may do everything, nobody else anything. */
export const ownerOnly: Authorize = (identity, right, resource) =>
  identity.kind === 'root' ? null : forbidden(identity, right, resource);

export function forbidden({ name }: Identity, right: Right, resource: Resource): HsuError {
  const on = resource.kind === 'worker' ? ` for worker "${resource.id}"` : '';
  return new HsuError('E_FORBIDDEN', `${name} has no right ${right}${on}`, { right });
}

/** What a right is asked for, as the audit names it: an id, `workers` or `master`. */
export function nameOf(resource: Resource): string {
  if (resource.kind === 'worker') return resource.id;
  return resource.kind === 'master' ? 'master' : 'workers';
}

/**
 * Refuses, and writes that down, where it is not allowed. For what one asks for by name: members of a list that may not be seen are
 * left out of it with `authorize` alone.
 * @throws HsuError E_FORBIDDEN
 */
export function demand(
  { authorize, audit }: { readonly authorize: Authorize; readonly audit: Audit },
  identity: Identity,
  right: Right,
  resource: Resource,
): void {
  const refusal = authorize(identity, right, resource);
  if (refusal === null) return;
  audit.record({ by: identity, action: right, on: nameOf(resource), result: 'refused', why: refusal.code });
  throw refusal;
}
