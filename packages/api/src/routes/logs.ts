import type { LogNews, WorkerView } from '@hsu-master/core';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { App, Context } from '../context.ts';
import { flag, moment, whole } from '../contract/common.ts';
import { level, lines, page, stream } from '../contract/log.ts';
import * as told from '../told.ts';
import { answers } from './answers.ts';
import { cancelled } from './cancelled.ts';
import { LINES, sendLines } from './lines.ts';
import { patterns } from './workers.ts';

const tags = ['logs'];
const MOST = 10_000;

const wanted = {
  select: patterns,
  namespace: z.string().max(64).optional(),
  stream: stream.optional(),
};

interface Wanted {
  readonly select: readonly string[];
  readonly namespace?: string | undefined;
  readonly stream?: 'stdout' | 'stderr' | undefined;
}

export function logRoutes(app: App, context: Context): void {
  const { control, allow, allowed } = context;
  app.route({
    method: 'GET',
    url: '/v1/logs',
    config: { asks: { each: 'logs:read' } },
    schema: {
      tags,
      summary: 'The last lines that workers wrote, oldest first',
      operationId: 'logs',
      querystring: z.object({ ...wanted, lines: whole(0, MOST, 100) }),
      response: answers({ 200: lines }, [404]),
    },
    handler: async (request, reply) => {
      const query = queryOf(request, request.query);
      const found = await control.logs.tail(query, request.query.lines, cancelled(reply, context.closing));
      return { lines: found.map(told.line) };
    },
  });
  app.route({
    method: 'GET',
    url: '/v1/logs/follow',
    config: { asks: { each: 'logs:read' } },
    schema: {
      tags,
      summary:
        'Lines as they come, one JSON object each: a LogLine, or `{"lost": …}`. Ends with the connection',
      operationId: 'followLogs',
      produces: [LINES],
      querystring: z.object({ ...wanted, lines: whole(0, MOST, 10) }),
      response: answers({ 200: z.string() }, [404]),
    },
    handler: (request, reply) => {
      const query = queryOf(request, request.query);
      const news = control.logs.follow(query, request.query.lines, cancelled(reply, context.closing));
      return sendLines(reply, news, tellNews);
    },
  });
  app.route({
    method: 'GET',
    url: '/v1/logs/search',
    config: { asks: { each: 'logs:read' } },
    schema: {
      tags,
      summary: 'Find lines by text, pattern, level and time',
      operationId: 'searchLogs',
      querystring: z.object({
        ...wanted,
        text: z.string().max(1000).optional(),
        ignoreCase: flag(false),
        pattern: z
          .string()
          .max(1000)
          .optional()
          .meta({ description: 'A pattern, as in log filters: docs/config.md.' }),
        minLevel: level.optional(),
        from: moment.optional(),
        to: moment.optional(),
        order: z.enum(['oldest', 'newest']).default('newest'),
        limit: whole(1, MOST, 100),
        cursor: z.string().max(100_000).optional(),
      }),
      response: answers({ 200: page }, [404]),
    },
    handler: async (request, reply) => {
      const { text, ignoreCase, pattern, minLevel, from, to, order, limit, cursor } = request.query;
      const query = {
        ...queryOf(request, request.query),
        text: text ?? null,
        ignoreCase,
        pattern: pattern ?? null,
        minLevel: minLevel ?? null,
        from: from === undefined ? null : Date.parse(from),
        to: to === undefined ? null : Date.parse(to),
        order,
        limit,
        cursor: cursor ?? null,
      };
      const found = await control.logs.search(query, cancelled(reply, context.closing));
      return { lines: found.lines.map(told.line), cursor: found.cursor };
    },
  });

  /** Those that were asked for by name must all be allowed; of all, only those are read that are. */
  function queryOf(request: FastifyRequest, { select, namespace, stream: one }: Wanted) {
    const found = control.workers({ patterns: select, namespace: namespace ?? null }, false);
    const readable: readonly WorkerView[] = allowed(request, 'logs:read', found);
    const [first] = found;
    if (readable.length === 0 && first !== undefined) allow(request, 'logs:read', first);
    return { workers: readable.map(({ id }) => id), stream: one ?? null };
  }
}

export function tellNews(news: LogNews): object {
  if (news.kind === 'line') return told.line(news.line);
  return { lost: { worker: news.workerId, bytes: news.bytes, lines: news.lines } };
}
