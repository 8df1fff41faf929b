import {
  findWorker,
  type Identity,
  type Order,
  type Ordered,
  PLAIN_ORDERS,
  type SignalName,
  type WorkerId,
  type WorkerView,
} from '@hsu-master/core';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import type { App, Context } from '../context.ts';
import { duration, spanOf, workerId } from '../contract/common.ts';
import { ticket } from '../contract/worker.ts';
import * as told from '../told.ts';
import { answers } from './answers.ts';
import { cancelled } from './cancelled.ts';
import { within } from './until.ts';

const tags = ['orders'];
const params = z.object({ id: workerId });
const querystring = z.object({
  wait: duration
    .optional()
    .meta({ description: 'Answer when the order has settled, at the latest after this long.' }),
});
const response = answers({ 200: ticket, 202: ticket }, [404, 409]);

const SUMMARY: Readonly<Record<(typeof PLAIN_ORDERS)[number], string>> = {
  start: 'Start a worker; done when its process runs',
  stop: 'Stop a worker; done when nothing of it is alive. It stays stopped until it is started again',
  restart: 'Restart a worker; done when the new process runs',
  reset: 'Forget its failures, and start what waits only for a backoff or the breaker',
  kill: 'Stop a worker without grace',
};

export function orderRoutes(app: App, context: Context): void {
  const { control, identify, allow, allowed } = context;
  const answer = async (
    ordered: Ordered,
    wait: string | undefined,
    reply: FastifyReply,
  ): Promise<unknown> => {
    const span = spanOf(wait, 0);
    const settled =
      ordered.ticket.state !== 'pending' || span === 0
        ? null
        : await within(ordered.settled, span, cancelled(reply, context.closing));
    const now = settled ?? ordered.ticket;
    return reply.code(now.state === 'pending' ? 202 : 200).send(told.ticket(now));
  };
  // The worker of a ticket may be gone by now.
  const ownerOf = (id: WorkerId) => findWorker(control, id) ?? { id, namespace: null };
  const give = (worker: WorkerView, order: Order, by: Identity): Ordered =>
    control.order(worker.id, order, by);
  for (const kind of PLAIN_ORDERS) {
    app.route({
      method: 'POST',
      url: `/v1/workers/:id/${kind}`,
      config: { asks: { worker: 'workers:order' } },
      schema: { tags, summary: SUMMARY[kind], operationId: kind, params, querystring, response },
      handler: (request, reply) => {
        const worker = control.worker(request.params.id);
        return answer(give(worker, { kind }, identify(request)), request.query.wait, reply);
      },
    });
  }
  app.route({
    method: 'POST',
    url: '/v1/workers/:id/signal',
    config: { asks: { worker: 'workers:signal' } },
    schema: {
      tags,
      summary: 'Send a signal to its main process, or to its whole tree',
      operationId: 'signal',
      params,
      body: z.object({
        signal: z.string().regex(/^SIG[A-Z0-9]{1,12}$/, 'a signal is named SIGHUP, SIGUSR1, …'),
        to: z.enum(['main', 'tree']).default('main'),
      }),
      response: answers({ 200: ticket }, [404, 409, 415]),
    },
    handler: (request, reply) => {
      const worker = control.worker(request.params.id);
      const { signal, to } = request.body;
      const order = { kind: 'signal', signal: signal as SignalName, to } as const;
      return answer(give(worker, order, identify(request)), '1s', reply);
    },
  });
  app.route({
    method: 'GET',
    url: '/v1/tickets',
    config: { asks: { each: 'workers:read' } },
    schema: {
      tags,
      summary: 'Orders that have not settled',
      operationId: 'tickets',
      response: answers({ 200: z.object({ tickets: z.array(ticket) }) }),
    },
    handler: (request) => {
      const mine = control.pending().filter(({ workerId: id }) => {
        return allowed(request, 'workers:read', [ownerOf(id)]).length > 0;
      });
      return { tickets: mine.map(told.ticket) };
    },
  });
  app.route({
    method: 'GET',
    url: '/v1/tickets/:id',
    config: { asks: { some: 'workers:read' } },
    schema: {
      tags,
      summary: 'What became of an order',
      operationId: 'ticket',
      params: z.object({ id: z.string().regex(/^[a-z0-9-]{1,64}$/) }),
      querystring,
      response,
    },
    handler: (request, reply) => {
      const ordered = control.ticket(request.params.id);
      allow(request, 'workers:read', ownerOf(ordered.ticket.workerId));
      return answer(ordered, request.query.wait, reply);
    },
  });
}
