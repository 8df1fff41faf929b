import { z } from 'zod';
import type { App, Context } from '../context.ts';
import { flag, workerId } from '../contract/common.ts';
import { environment } from '../contract/environment.ts';
import { answers } from './answers.ts';

export function environmentRoutes(app: App, { control, allow, audit }: Context): void {
  app.route({
    method: 'GET',
    url: '/v1/workers/:id/environment',
    config: { asks: { worker: 'workers:read' } },
    schema: {
      tags: ['workers'],
      summary:
        'What its program is given: arguments and variables, with their secrets only where they are to be revealed',
      operationId: 'environment',
      params: z.object({ id: workerId }),
      querystring: z.object({
        reveal: flag(false).meta({
          description: 'With secrets: asks for a right of its own, and is audited.',
        }),
      }),
      response: answers({ 200: environment }, [404]),
    },
    handler: (request, reply) => {
      const worker = control.worker(request.params.id);
      const { reveal } = request.query;
      if (reveal) {
        const by = allow(request, 'workers:reveal', worker);
        audit.record({ by, action: 'worker.reveal', on: worker.id, result: 'done', why: null });
      }
      const { argv, variables } = control.environment(worker.id, reveal);
      reply.header('cache-control', 'no-store');
      return { revealed: reveal, argv: [...argv], variables: { ...variables } };
    },
  });
}
