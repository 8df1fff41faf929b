import { type Condition, meets } from '@hsu-master/core';
import { z } from 'zod';
import type { App, Context } from '../context.ts';
import { duration, flag, several, spanOf, workerId } from '../contract/common.ts';
import { condition, explanation, limitReport, waited, workerDetail, workerList } from '../contract/worker.ts';
import * as told from '../told.ts';
import { WorkerTexts } from '../worker-texts.ts';
import { answers } from './answers.ts';
import { cancelled } from './cancelled.ts';
import { until } from './until.ts';

const tags = ['workers'];
const params = z.object({ id: workerId });
const WAIT = 30_000;

/** Patterns of ids, `*` and `?`; before a slash a pattern of the namespace. */
export const patterns = several(
  z.string().min(1).max(200).meta({ description: 'An id, or a glob: `api-*`, `billing/*`.' }),
);

export function workerRoutes(app: App, context: Context): void {
  const { control, allowed } = context;
  const texts = new WorkerTexts();
  app.route({
    method: 'GET',
    url: '/v1/workers',
    config: { asks: { each: 'workers:read' } },
    schema: {
      tags,
      summary: 'Workers as they are now',
      operationId: 'workers',
      querystring: z.object({
        select: patterns,
        namespace: z.string().max(64).optional(),
        usage: flag(false).meta({ description: 'Tell what each uses, too.' }),
      }),
      response: answers({ 200: workerList }, [404]),
    },
    handler: (request, reply) => {
      const { select, namespace = null, usage } = request.query;
      const found = control.workers({ patterns: select, namespace }, usage);
      const mine = allowed(request, 'workers:read', found);
      const isAll = select.length === 0 && namespace === null && mine.length === found.length;
      const bytes = texts.list(control.master().id, control.events.seq, mine, isAll);
      // In words already, and as its schema says: a test holds the two together.
      return reply.type('application/json; charset=utf-8').send(bytes);
    },
  });
  app.route({
    method: 'GET',
    url: '/v1/workers/:id',
    config: { asks: { worker: 'workers:read' } },
    schema: {
      tags,
      summary: 'One worker, with what was written about it',
      operationId: 'worker',
      params,
      response: answers({ 200: workerDetail }, [404]),
    },
    handler: (request) => {
      const worker = control.worker(request.params.id);
      return told.workerDetail(worker, control.detail(worker.id));
    },
  });
  app.route({
    method: 'GET',
    url: '/v1/workers/:id/why',
    config: { asks: { worker: 'workers:read' } },
    schema: {
      tags,
      summary: 'Why it is as it is',
      operationId: 'why',
      params,
      response: answers({ 200: explanation }, [404]),
    },
    handler: async (request) => {
      const { id, namespace } = control.worker(request.params.id);
      const why = told.explanation(await control.why(id));
      const mayRead = allowed(request, 'logs:read', [{ id, namespace }]).length > 0;
      return mayRead ? why : { ...why, lastWords: [], cause: null };
    },
  });
  app.route({
    method: 'GET',
    url: '/v1/workers/:id/limits',
    config: { asks: { worker: 'workers:read' } },
    schema: {
      tags,
      summary: 'What became of each of its limits',
      operationId: 'limits',
      params,
      response: answers({ 200: z.object({ limits: z.array(limitReport) }) }, [404]),
    },
    handler: (request) => {
      return { limits: [...control.limits(request.params.id)] };
    },
  });
  app.route({
    method: 'GET',
    url: '/v1/workers/:id/wait',
    config: { asks: { worker: 'workers:read' } },
    schema: {
      tags,
      summary: 'Wait until a condition holds, or cannot come about any more',
      operationId: 'wait',
      params,
      querystring: z.object({ for: condition, timeout: duration.optional() }),
      response: answers({ 200: waited }, [404]),
    },
    handler: async (request, reply) => {
      const { id } = control.worker(request.params.id);
      const wanted: Condition = request.query.for;
      const signal = cancelled(reply, context.closing);
      const came = await until(control, id, wanted, spanOf(request.query.timeout, WAIT), signal);
      const worker = control.worker(id);
      return { met: came === 'yes', never: meets(worker, wanted) === 'never', worker: told.worker(worker) };
    },
  });
}
