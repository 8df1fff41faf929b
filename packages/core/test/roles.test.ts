import { describe, expect, test } from 'vitest';
import { type Resource, RIGHTS, type Right } from '../src/control/access.ts';
import { type Grant, isGranted, ROLES } from '../src/control/roles.ts';

const MASTER: Resource = { kind: 'master' };
const web: Resource = { kind: 'worker', id: 'web-1', namespace: 'shop' };
const db: Resource = { kind: 'worker', id: 'db', namespace: null };
const all = Object.keys(RIGHTS) as Right[];

function grant(differs: Partial<Grant> = {}): Grant {
  return { role: 'reader', plus: [], minus: [], workers: [], namespaces: [], ...differs };
}

describe('a role', () => {
  test.each(all)('%s is granted to those roles alone that name it', (right) => {
    for (const role of ['reader', 'operator', 'admin'] as const)
      expect(isGranted(grant({ role }), right, MASTER)).toBe(
        (ROLES[role] as readonly Right[]).includes(right),
      );
  });

  test('none reveals secrets; the right is granted by name', () => {
    expect(isGranted(grant({ role: 'admin' }), 'workers:reveal', web)).toBe(false);
    expect(isGranted(grant({ role: 'reader', plus: ['workers:reveal'] }), 'workers:reveal', web)).toBe(true);
  });

  test('a reader without logs sees everything but them', () => {
    const without = grant({ minus: ['logs:read'] });
    expect(isGranted(without, 'logs:read', web)).toBe(false);
    expect(isGranted(without, 'workers:read', web)).toBe(true);
  });

  test('what is taken away stays so though it is given, too', () => {
    expect(isGranted(grant({ plus: ['logs:read'], minus: ['logs:read'] }), 'logs:read', web)).toBe(false);
  });
});

describe('a scope', () => {
  test('of workers holds for those that fit one of its patterns', () => {
    const scoped = grant({ role: 'operator', workers: ['web-*', 'billing/*'] });
    expect(isGranted(scoped, 'workers:order', web)).toBe(true);
    expect(isGranted(scoped, 'workers:order', db)).toBe(false);
  });

  test('of namespaces holds for their workers, and for none without one', () => {
    const scoped = grant({ role: 'operator', namespaces: ['shop*'] });
    expect(isGranted(scoped, 'workers:order', web)).toBe(true);
    expect(isGranted(scoped, 'workers:order', db)).toBe(false);
  });

  test('of both holds where both do', () => {
    expect(isGranted(grant({ workers: ['db'], namespaces: ['shop'] }), 'workers:read', web)).toBe(false);
    expect(isGranted(grant({ workers: ['web-?'], namespaces: ['shop'] }), 'workers:read', web)).toBe(true);
  });

  test.each(all)(
    '%s over the master goes with rights over some workers only where it is harmless',
    (right) => {
      const scoped = grant({ role: 'admin', workers: ['*'], plus: ['workers:reveal'] });
      expect(isGranted(scoped, right, MASTER)).toBe(right === 'master:read');
    },
  );
});
