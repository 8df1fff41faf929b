import { expect, test } from 'vitest';
import { type Identity, ownerOnly, RIGHTS, type Right } from '../src/control/access.ts';
import { HsuError } from '../src/errors.ts';

const authorize = ownerOnly((right) => new HsuError('E_FORBIDDEN', `you may not: ${right}`, { right }));
const MASTER = { kind: 'master' } as const;
const rights = Object.keys(RIGHTS) as Right[];

test.each(rights)('%s: the owner may, a bearer of a token may not', (right) => {
  const identity = (kind: Identity['kind']) => ({ kind, name: 'ann', from: 'unix' }) as const;
  expect(authorize(identity('root'), right, MASTER)).toBeNull();
  expect(authorize(identity('token'), right, MASTER)).toMatchObject({
    code: 'E_FORBIDDEN',
    message: `you may not: ${right}`,
  });
});
