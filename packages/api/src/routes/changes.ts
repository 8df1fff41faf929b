import { resolve } from 'node:path';
import type { Accepted, WorkerId } from '@hsu-master/core';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import type { App, Context } from '../context.ts';
import { duration, spanOf, workerId } from '../contract/common.ts';
import { applied, config, planned, writtenWorker } from '../contract/config.ts';
import * as told from '../told.ts';
import { answers } from './answers.ts';
import { cancelled } from './cancelled.ts';
import { within } from './until.ts';

const params = z.object({ id: workerId });
const revision = z.coerce.number().int().min(1).optional().meta({
  description: 'Refuse (412) where another revision holds by now.',
});
const querystring = z.object({
  wait: duration
    .optional()
    .meta({ description: 'Answer when it is carried out, at the latest after this long.' }),
  revision,
});
const file = z
  .string()
  .max(4096)
  .default('config.yaml')
  .meta({ description: 'What relative paths in it are relative to; the file is not read.' });
const response = (...problems: readonly number[]) =>
  answers({ 200: applied, 202: applied }, [...problems, 412, 413, 415, 422]);

export function changeRoutes(app: App, context: Context): void {
  const { control, identify, allow } = context;
  const answer = async (
    accepted: Accepted & { readonly id?: WorkerId },
    wait: string | undefined,
    reply: FastifyReply,
  ): Promise<unknown> => {
    const span = spanOf(wait, 0);
    const signal = cancelled(reply, context.closing);
    const outcome = span === 0 ? null : await within(accepted.settled, span, signal);
    return reply.code(outcome === null ? 202 : 200).send(told.applied(accepted, outcome));
  };
  app.route({
    method: 'GET',
    url: '/v1/config',
    config: { asks: { master: 'config:read' } },
    schema: {
      tags: ['config'],
      summary: 'The configuration that holds, secrets masked',
      operationId: 'config',
      response: answers({ 200: config }),
    },
    handler: () => told.config(control.config()),
  });
  app.route({
    method: 'POST',
    url: '/v1/config/plan',
    config: { asks: { master: 'config:read' } },
    schema: {
      tags: ['config'],
      summary: 'What applying a text, or without one reloading the file, would change; nothing is changed',
      operationId: 'plan',
      body: z.object({ text: z.string().optional(), file }),
      response: answers({ 200: planned }, [413, 415, 422]),
    },
    handler: async (request) => {
      const { text, file: given } = request.body;
      return told.planned(await control.plan(text === undefined ? null : { text, file: resolve(given) }));
    },
  });
  app.route({
    method: 'POST',
    url: '/v1/config/apply',
    config: { asks: { master: 'config:apply' } },
    schema: {
      tags: ['config'],
      summary: 'Make the workers of a text the only ones, beside those that were added one by one',
      operationId: 'apply',
      querystring,
      body: z.object({ text: z.string(), file }),
      response: response(),
    },
    handler: async (request, reply) => {
      const by = identify(request);
      const { text, file: given } = request.body;
      const { wait, revision: basedOn = null } = request.query;
      return answer(await control.apply(text, resolve(given), by, basedOn), wait, reply);
    },
  });
  app.route({
    method: 'POST',
    url: '/v1/config/reload',
    config: { asks: { master: 'config:apply' } },
    schema: {
      tags: ['config'],
      summary: 'The same with the configuration file of the master as it is now',
      operationId: 'reload',
      querystring: querystring.pick({ wait: true }),
      response: response(),
    },
    handler: async (request, reply) =>
      answer(await control.reload(identify(request)), request.query.wait, reply),
  });
  app.route({
    method: 'POST',
    url: '/v1/workers',
    config: { asks: { some: 'workers:define' } },
    schema: {
      tags: ['workers'],
      summary: 'Add a worker; it outlives the master, and reloads, until it is removed',
      operationId: 'create',
      querystring,
      body: writtenWorker,
      response: answers({ 201: applied, 202: applied }, [409, 412, 413, 415, 422]),
    },
    handler: async (request, reply) => {
      const by = allow(request, 'workers:define', scopeOf(request.body.id, request.body));
      const { wait, revision: basedOn = null } = request.query;
      const accepted = await control.create(request.body, by, basedOn);
      const outcome =
        wait === undefined
          ? null
          : await within(accepted.settled, spanOf(wait, 0), cancelled(reply, context.closing));
      return reply
        .code(outcome === null ? 202 : 201)
        .header('location', `/v1/workers/${accepted.id}`)
        .send(told.applied(accepted, outcome));
    },
  });
  app.route({
    method: 'PUT',
    url: '/v1/workers/:id',
    config: { asks: { worker: 'workers:define' } },
    schema: {
      tags: ['workers'],
      summary: 'Describe a worker otherwise; one of the file until the next reload or apply',
      operationId: 'replace',
      params,
      querystring,
      body: z.looseObject({ id: workerId.optional() }).meta({
        description: 'All of its description, as it is written in a configuration.',
      }),
      response: response(404),
    },
    handler: async (request, reply) => {
      const { id } = request.params;
      control.worker(id);
      // What it becomes must be theirs, too.
      const by = allow(request, 'workers:define', scopeOf(id, request.body));
      const { wait, revision: basedOn = null } = request.query;
      return answer(await control.replace(id, request.body, by, basedOn), wait, reply);
    },
  });
  app.route({
    method: 'DELETE',
    url: '/v1/workers/:id',
    config: { asks: { worker: 'workers:define' } },
    schema: {
      tags: ['workers'],
      summary: 'Stop a worker and forget it; one of the file until the next reload or apply',
      operationId: 'remove',
      params,
      querystring,
      response: response(404),
    },
    handler: async (request, reply) => {
      const worker = control.worker(request.params.id);
      const { wait, revision: basedOn = null } = request.query;
      return answer(await control.remove(worker.id, identify(request), basedOn), wait, reply);
    },
  });
}

/** Whose it will be, as far as that can be told before it is read. */
function scopeOf(id: WorkerId, written: { readonly [key: string]: unknown }) {
  const { namespace } = written;
  return { id, namespace: typeof namespace === 'string' ? namespace : null };
}
