import { z } from 'zod';
import type { App, Context } from '../context.ts';
import { auditPage } from '../contract/audit.ts';
import { whole } from '../contract/common.ts';
import { answers } from './answers.ts';

const MOST = 10_000;

export function auditRoutes(app: App, { audit }: Context): void {
  app.route({
    method: 'GET',
    url: '/v1/audit',
    config: { asks: { master: 'audit:read' } },
    schema: {
      tags: ['master'],
      summary: 'Who did what, the newest entries, oldest first',
      operationId: 'audit',
      querystring: z.object({
        limit: whole(1, MOST, 100),
        action: z.string().max(64).optional(),
        by: z.string().max(64).optional(),
      }),
      response: answers({ 200: auditPage }),
    },
    handler: async (request) => {
      const { limit, action = null, by = null } = request.query;
      const found = await audit.read({ limit, action, by });
      const entries = found.map(({ at, by: { name, from }, ...rest }) => {
        return { at: new Date(at).toISOString(), by: name, from, ...rest };
      });
      return { entries };
    },
  });
}
