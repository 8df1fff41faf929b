import websocket from '@fastify/websocket';
import { problemOf } from '@hsu-master/core';
import fastify, { type FastifyReply, type FastifyRequest } from 'fastify';
import { validatorCompiler } from 'fastify-type-provider-zod';
import { askFirst } from './asks.ts';
import { type App, contextOf, type Surroundings } from './context.ts';
import { problemFrom } from './problems.ts';
import { auditRoutes } from './routes/audit.ts';
import { changeRoutes } from './routes/changes.ts';
import { configRoutes } from './routes/config.ts';
import { environmentRoutes } from './routes/environment.ts';
import { eventRoutes } from './routes/events.ts';
import { execRoutes } from './routes/exec.ts';
import { logRoutes } from './routes/logs.ts';
import { masterRoutes } from './routes/master.ts';
import { orderRoutes } from './routes/orders.ts';
import { tokenRoutes } from './routes/tokens.ts';
import { treeRoutes } from './routes/trees.ts';
import { workerRoutes } from './routes/workers.ts';
import { streamRoute } from './stream/route.ts';

/** A body, in bytes: the largest is the text of a configuration. */
const LARGEST_BODY = 2 * 1024 * 1024;
const LARGEST_FRAME = 64 * 1024;
const LONGEST_PARAMETER = 256;

export const PROBLEM_TYPE = 'application/problem+json';

/** The one that we speak; what else is offered may be a token, which is never repeated. */
function protocolOf(offered: ReadonlySet<string>): string | false {
  return offered.has('hsu.v1') ? 'hsu.v1' : false;
}

/** What the routes need, and who adds to them. */
export interface AppParts extends Surroundings {
  /** Called before any route is there. */
  readonly documented?: (app: App) => unknown;
}

/** All routes, not ready yet: whoever makes it may add to it first. */
export function createApp(parts: AppParts): { readonly app: App; readonly close: () => Promise<void> } {
  const closing = new AbortController();
  const context = contextOf(parts, closing.signal);
  const answerError = (error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const problem = problemFrom(context.discreet(request, error), parts.defect);
    return reply.code(problem.status).type(PROBLEM_TYPE).serializer(JSON.stringify).send(problem);
  };
  const app = fastify({
    // Addresses that cannot be decoded do not come as far as the handler of errors.
    frameworkErrors: (error, request, reply) => void answerError(error, request, reply),
    logger: false,
    bodyLimit: LARGEST_BODY,
    routerOptions: { maxParamLength: LONGEST_PARAMETER },
    return503OnClosing: false,
  }).withTypeProvider() as unknown as App;
  app.removeContentTypeParser('text/plain');
  app.setValidatorCompiler(validatorCompiler);
  // Answers are held to their schemas by types and in the tests; checking each of them again would be paid by every reader.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  app.setErrorHandler(answerError);
  app.setNotFoundHandler((request, reply) => {
    const problem = problemOf(
      'E_UNKNOWN_ROUTE',
      `there is no ${request.method} ${request.url.split('?')[0]}`,
    );
    return reply.code(problem.status).type(PROBLEM_TYPE).serializer(JSON.stringify).send(problem);
  });
  parts.documented?.(app);
  app.register(websocket, { options: { maxPayload: LARGEST_FRAME, handleProtocols: protocolOf } });
  askFirst(app, context);
  for (const routes of [
    masterRoutes,
    workerRoutes,
    environmentRoutes,
    treeRoutes,
    execRoutes,
    orderRoutes,
    eventRoutes,
    logRoutes,
    configRoutes,
    changeRoutes,
    auditRoutes,
    tokenRoutes,
    streamRoute,
  ]) {
    app.register(async (scope) => routes(scope as unknown as App, context));
  }
  return {
    app,
    async close() {
      closing.abort();
      await app.close();
    },
  };
}
