import type { ExecSession, SignalName } from '@hsu-master/core';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { App, Context } from '../context.ts';
import { workerId } from '../contract/common.ts';
import { execInput, execSession } from '../contract/exec.ts';
import type { ExecNews } from '../contract/index.ts';
import { answers } from './answers.ts';
import { cancelled } from './cancelled.ts';
import { LINES, sendLines } from './lines.ts';

const tags = ['exec'];
const params = z.object({ session: execSession });
const taken = z.object({});

/** Commands in the place of workers. */
export function execRoutes(app: App, { control, identify, allow, audit, closing }: Context): void {
  const sessionOf = (request: FastifyRequest, id: string): ExecSession => {
    const session = control.execSession(id);
    allow(request, 'workers:exec', control.worker(session.workerId));
    return session;
  };
  app.route({
    method: 'POST',
    url: '/v1/workers/:id/exec',
    config: { asks: { worker: 'workers:exec' } },
    schema: {
      tags,
      summary:
        'Run a command in the place of a worker, and follow it: an ExecNews on each line. Ends with the connection',
      operationId: 'exec',
      params: z.object({ id: workerId }),
      body: z.object({ argv: z.array(z.string().max(131_072)).min(1).max(4096) }),
      produces: [LINES],
      response: answers({ 200: z.string() }, [404, 409, 413, 415]),
    },
    handler: async (request, reply) => {
      const worker = control.worker(request.params.id);
      const [program = '', ...rest] = request.body.argv;
      const signal = cancelled(reply, closing);
      const session = await control.exec(worker.id, [program, ...rest], signal);
      // Its arguments may be secret.
      audit.record({
        by: identify(request),
        action: 'worker.exec',
        on: worker.id,
        result: 'done',
        why: program.slice(0, 200),
      });
      return sendLines(reply, told(session, signal), (news) => news);
    },
  });
  app.route({
    method: 'POST',
    url: '/v1/exec/:session/input',
    config: { asks: { some: 'workers:exec' } },
    schema: {
      tags,
      summary: 'Write to its standard input; answered when there is room for more',
      operationId: 'execInput',
      params,
      body: execInput,
      response: answers({ 200: taken }, [404, 413, 415]),
    },
    handler: async (request) => {
      const session = sessionOf(request, request.params.session);
      const { data, end } = request.body;
      if (data !== '') await session.write(Buffer.from(data, 'base64'));
      if (end) session.end();
      return {};
    },
  });
  app.route({
    method: 'POST',
    url: '/v1/exec/:session/signal',
    config: { asks: { some: 'workers:exec' } },
    schema: {
      tags,
      summary: 'Send a signal to its whole tree',
      operationId: 'execSignal',
      params,
      body: z.object({
        signal: z.string().regex(/^SIG[A-Z0-9]{1,12}$/, 'a signal is named SIGHUP, SIGUSR1, …'),
      }),
      response: answers({ 200: taken }, [404, 415]),
    },
    handler: (request) => {
      sessionOf(request, request.params.session).signal(request.body.signal as SignalName);
      return {};
    },
  });
}

async function* told(session: ExecSession, signal: AbortSignal): AsyncGenerator<ExecNews, void, void> {
  yield { session: session.id };
  for await (const news of session.news(signal)) {
    switch (news.kind) {
      case 'output':
        yield { stream: news.stream, data: Buffer.from(news.bytes).toString('base64') };
        break;
      case 'exited':
        yield { exit: { code: news.exit.code, signal: news.exit.signal } };
        break;
      case 'failed':
        yield { failure: news.failure };
    }
  }
}
