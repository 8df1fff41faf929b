import { z } from 'zod';
import type { App, Context } from '../context.ts';
import { graphNode, process } from '../contract/worker.ts';
import * as told from '../told.ts';
import { answers } from './answers.ts';
import { patterns } from './workers.ts';

const tags = ['workers'];
const querystring = z.object({ select: patterns, namespace: z.string().max(64).optional() });

/** What is below workers, and what is before them. */
export function treeRoutes(app: App, { control, allowed }: Context): void {
  app.route({
    method: 'GET',
    url: '/v1/processes',
    config: { asks: { each: 'workers:read' } },
    schema: {
      tags,
      summary: 'The living processes of workers',
      operationId: 'processes',
      querystring,
      response: answers({ 200: z.object({ processes: z.array(process) }) }, [404]),
    },
    handler: (request) => {
      const { select, namespace = null } = request.query;
      const found = allowed(request, 'workers:read', control.workers({ patterns: select, namespace }, false));
      return {
        processes: found.flatMap(({ id }) => control.processes(id).map((one) => told.process(id, one))),
      };
    },
  });
  app.route({
    method: 'GET',
    url: '/v1/graph',
    config: { asks: { each: 'workers:read' } },
    schema: {
      tags,
      summary: 'What each worker waits for before it starts',
      operationId: 'graph',
      querystring,
      response: answers({ 200: z.object({ workers: z.array(graphNode) }) }, [404]),
    },
    handler: (request) => {
      const { select, namespace = null } = request.query;
      const found = allowed(request, 'workers:read', control.workers({ patterns: select, namespace }, false));
      return {
        workers: found.map(({ id, namespace: of, enabled, phase, ready, completed }) => ({
          id,
          namespace: of,
          enabled,
          phase,
          ready,
          completed,
          dependsOn: [...control.dependencies(id)],
        })),
      };
    },
  });
}
