import { RIGHTS, type Right, ROLES, type Role, rightsOf, type TokenWish } from '@hsu-master/core';
import * as asked from '../asked.ts';
import type { Handlers } from '../handlers.ts';
import type { CreateTokenRequest } from '../messages.ts';
import * as told from '../told.ts';

export const tokenService: Handlers<'hsu.v1.TokenService'> = {
  ListTokens(_question, call) {
    call.demand('tokens:manage');
    return { tokens: call.control.tokens.list().map(told.token) };
  },

  async CreateToken(question, call) {
    const by = call.demand('tokens:manage');
    const wish = wishOf(question);
    // Nobody gives what he has not.
    for (const right of rightsOf(wish)) call.demand(right);
    const { text, token } = await call.control.tokens.create(wish, by);
    return { text, token: told.token(token) };
  },

  async RevokeToken({ token }, call) {
    const by = call.demand('tokens:manage');
    return told.token(await call.control.tokens.revoke(asked.text('token', token), by));
  },
};

const ROLE_NAMES = Object.keys(ROLES) as readonly Role[];
const RIGHT_NAMES = Object.keys(RIGHTS) as readonly Right[];

function wishOf({ name, grant, expires }: CreateTokenRequest): TokenWish {
  const rights = (of: string, given: readonly string[] = []): readonly Right[] =>
    given.map((right) => asked.wordOf(of, right, RIGHT_NAMES));
  return {
    name: asked.text('name', name),
    role: asked.wordOf('grant.role', grant?.role ?? '', ROLE_NAMES),
    plus: rights('grant.plus', grant?.plus),
    minus: rights('grant.minus', grant?.minus),
    workers: asked.patterns(grant?.workers ?? [], 'grant.workers', MOST_PATTERNS),
    namespaces: asked.patterns(grant?.namespaces ?? [], 'grant.namespaces', MOST_PATTERNS),
    expires: expires && asked.milliseconds('expires', expires),
  };
}

const MOST_PATTERNS = 100;
