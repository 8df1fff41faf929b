import { z } from 'zod';
import type { App, Context } from '../context.ts';
import { capability, ending, health, version } from '../contract/master.ts';
import * as told from '../told.ts';
import { answers } from './answers.ts';

const tags = ['master'];

export function masterRoutes(app: App, { control, identify, allowed, document }: Context): void {
  app.route({
    method: 'GET',
    url: '/v1/version',
    config: { asks: { master: 'master:read' } },
    schema: {
      tags,
      summary: 'Which master this is',
      operationId: 'version',
      response: answers({ 200: version }),
    },
    handler: () => told.version(control.master()),
  });
  app.route({
    method: 'GET',
    url: '/v1/health',
    config: { asks: { master: 'master:read' } },
    schema: {
      tags,
      summary: 'Whether all is as it is wanted',
      operationId: 'health',
      response: answers({ 200: health }),
    },
    handler: (request) => {
      const all = control.workers({ patterns: [], namespace: null }, false);
      return told.health(allowed(request, 'workers:read', all));
    },
  });
  app.route({
    method: 'GET',
    url: '/v1/capabilities',
    config: { asks: { master: 'master:read' } },
    schema: {
      tags,
      summary: 'What this host can do, and why not more',
      operationId: 'capabilities',
      response: answers({ 200: z.object({ capabilities: z.array(capability) }) }),
    },
    handler: () => ({ capabilities: [...control.capabilities()] }),
  });
  app.route({
    method: 'POST',
    url: '/v1/shutdown',
    config: { asks: { master: 'master:shutdown' } },
    schema: {
      tags,
      summary: 'End all workers and the master; answers when nothing of them is alive',
      operationId: 'shutdown',
      body: z.object({ reason: z.string().max(200).default('asked for') }),
      response: answers({ 200: ending }, [415]),
    },
    handler: async (request) => {
      const { survivors, forced } = await control.shutdown(request.body.reason, identify(request));
      return { survivors: [...survivors], forced };
    },
  });
  app.route({
    method: 'GET',
    url: '/v1/openapi.json',
    config: { asks: { master: 'master:read' } },
    schema: { hide: true },
    handler: async (_request, reply) => reply.type('application/json').send(await document()),
  });
}
