import { parseDuration, rightsOf } from '@hsu-master/core';
import { z } from 'zod';
import type { App, Context } from '../context.ts';
import { madeToken, token, tokenWish } from '../contract/token.ts';
import * as told from '../told.ts';
import { answers } from './answers.ts';

const tags = ['tokens'];
const asks = { master: 'tokens:manage' } as const;

export function tokenRoutes(app: App, { control, identify, allow }: Context): void {
  app.route({
    method: 'GET',
    url: '/v1/tokens',
    config: { asks },
    schema: {
      tags,
      summary: 'Who has a token, for what and until when',
      operationId: 'tokens',
      response: answers({ 200: z.object({ tokens: z.array(token) }) }),
    },
    handler: () => ({ tokens: control.tokens.list().map(told.token) }),
  });
  app.route({
    method: 'POST',
    url: '/v1/tokens',
    config: { asks },
    schema: {
      tags,
      summary: 'Make a token that allows no more than whoever asks may do; it is told this once',
      operationId: 'createToken',
      body: tokenWish,
      response: answers({ 201: madeToken }, [413, 415]),
    },
    handler: async (request, reply) => {
      const { expires, ...wish } = request.body;
      // Nobody gives what he has not.
      for (const right of rightsOf(wish)) allow(request, right);
      const span = expires === undefined ? null : parseDuration(expires);
      const made = await control.tokens.create({ ...wish, expires: span }, identify(request));
      return reply
        .code(201)
        .header('cache-control', 'no-store')
        .send({ ...told.token(made.token), token: made.text });
    },
  });
  app.route({
    method: 'DELETE',
    url: '/v1/tokens/:id',
    config: { asks },
    schema: {
      tags,
      summary: 'Refuse a token from now on, by its name or id; connections that it opened are closed',
      operationId: 'revokeToken',
      params: z.object({ id: z.string().min(1).max(64) }),
      response: answers({ 200: token }),
    },
    handler: async (request) => told.token(await control.tokens.revoke(request.params.id, identify(request))),
  });
}
