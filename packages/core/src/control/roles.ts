import type { Milliseconds, WallTime } from '../units.ts';
import { forbidden, type Identity, type Resource, type Right } from './access.ts';
import { fitsGlob, fitsPattern } from './select.ts';

const LOOK = ['workers:read', 'events:read', 'logs:read', 'master:read'] as const;
const OPERATE = [...LOOK, 'workers:order', 'workers:signal'] as const;

/** What the bearers of a role may do. Secrets are revealed to nobody by a role: that is granted by name. */
export const ROLES = {
  reader: LOOK,
  operator: OPERATE,
  admin: [
    ...OPERATE,
    'workers:exec',
    'workers:define',
    'config:validate',
    'config:read',
    'config:apply',
    'master:shutdown',
    'audit:read',
    'tokens:manage',
  ],
} as const satisfies Record<string, readonly Right[]>;

export type Role = keyof typeof ROLES;

/** What somebody may do, and to which workers. */
export interface Grant {
  readonly role: Role;
  /** Rights beyond the role. */
  readonly plus: readonly Right[];
  /** Rights of the role that it lacks all the same. */
  readonly minus: readonly Right[];
  /** Patterns of ids, `billing/*` within a namespace; empty: of any. */
  readonly workers: readonly string[];
  /** Globs; empty: any namespace, and workers without one. */
  readonly namespaces: readonly string[];
}

/** What a new token is for. */
export interface TokenWish extends Grant {
  readonly name: string;
  /** In how long; null: never. */
  readonly expires: Milliseconds | null;
}

/** All rights that a grant has, over whichever workers. */
export function rightsOf({ role, plus, minus }: Grant): readonly Right[] {
  const ofRole: readonly Right[] = ROLES[role];
  return [...new Set([...ofRole, ...plus])].filter((right) => !minus.includes(right));
}

/** A token as it is kept and told: nothing of the token itself. */
export interface TokenView extends Grant {
  readonly id: string;
  readonly name: string;
  readonly createdAt: WallTime;
  /** null: never. */
  readonly expiresAt: WallTime | null;
}

/** Of the master itself, who has rights over some workers only may ask this and nothing more. */
const HARMLESS: ReadonlySet<Right> = new Set<Right>(['master:read']);

export function isGranted(grant: Grant, right: Right, resource: Resource): boolean {
  const { workers, namespaces } = grant;
  if (!rightsOf(grant).includes(right)) return false;
  const isWhole = workers.length === 0 && namespaces.length === 0;
  if (isWhole || resource.kind === 'some-worker') return true;
  if (resource.kind === 'master') return HARMLESS.has(right);
  return (
    (workers.length === 0 || workers.some((pattern) => fitsPattern(pattern, resource))) &&
    (namespaces.length === 0 || namespaces.some((glob) => fitsGlob(glob, resource.namespace ?? '')))
  );
}

/** null: allowed. A grant of null is one that was taken back. */
export function authorizeBy(
  grant: Grant | null,
  identity: Identity,
  right: Right,
  resource: Resource,
): ReturnType<typeof forbidden> | null {
  return grant !== null && isGranted(grant, right, resource) ? null : forbidden(identity, right, resource);
}
