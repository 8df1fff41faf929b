import { expect, test } from 'vitest';
import { demand, type Identity, ownerOnly, RIGHTS, type Right } from '../src/control/access.ts';
import { type Deed, noAudit } from '../src/control/audit.ts';

const MASTER = { kind: 'master' } as const;
const rights = Object.keys(RIGHTS) as Right[];
const owner: Identity = { kind: 'root', name: 'uid 0', from: 'unix' };
const bearer: Identity = { kind: 'token', tokenId: 'a1', name: 'ann', from: 'tcp 10.0.0.3' };

test.each(rights)('%s: the owner may, a bearer of a token may not', (right) => {
  expect(ownerOnly(owner, right, MASTER)).toBeNull();
  expect(ownerOnly(bearer, right, MASTER)).toMatchObject({
    code: 'E_FORBIDDEN',
    message: `ann has no right ${right}`,
  });
});

test('a refusal is thrown and written down, with the right and the worker', () => {
  const deeds: Deed[] = [];
  const access = { authorize: ownerOnly, audit: { ...noAudit, record: (deed: Deed) => deeds.push(deed) } };
  const worker = { kind: 'worker', id: 'web', namespace: null } as const;
  expect(() => demand(access, bearer, 'workers:order', worker)).toThrow('ann has no right workers:order for');
  demand(access, owner, 'workers:order', worker);
  expect(deeds).toEqual([
    { by: bearer, action: 'workers:order', on: 'web', result: 'refused', why: 'E_FORBIDDEN' },
  ]);
});
