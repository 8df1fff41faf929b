import { request } from 'node:http';
import { type Authorize, HsuError, PLAIN_ORDERS } from '@hsu-master/core';
import { describe, expect } from 'vitest';
import { z } from 'zod';
import { auditPage } from '../src/contract/audit.ts';
import * as configs from '../src/contract/config.ts';
import { environment } from '../src/contract/environment.ts';
import * as events from '../src/contract/event.ts';
import * as logs from '../src/contract/log.ts';
import * as masters from '../src/contract/master.ts';
import { problem } from '../src/contract/problem.ts';
import * as tokens from '../src/contract/token.ts';
import * as workers from '../src/contract/worker.ts';
import { openApiDocument } from '../src/index.ts';
import { FakeMaster, it, serve } from './rig.ts';

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

function ask(socketPath: string, method: string, path: string, body?: object): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'content-type': 'application/json' };
    const sent = request({ socketPath, method, path, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, type: String(response.headers['content-type']), text }),
      );
    });
    sent.on('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** Every route with a request that is good, and the schema of its answer, complete: nothing else may be in it. */
const ROUTES = [
  ['GET', '/v1/version', masters.version],
  ['GET', '/v1/health', masters.health],
  ['GET', '/v1/capabilities', z.object({ capabilities: z.array(masters.capability) })],
  ['POST', '/v1/shutdown', masters.ending, {}],
  ['GET', '/v1/workers?usage=true&select=*&namespace=*', workers.workerList],
  ['GET', '/v1/workers/{id}', workers.workerDetail],
  ['GET', '/v1/workers/{id}/why', workers.explanation],
  ['GET', '/v1/graph', z.object({ workers: z.array(workers.graphNode) })],
  ['GET', '/v1/processes?select=web', z.object({ processes: z.array(workers.process) })],
  ['GET', '/v1/workers/{id}/environment?reveal=true', environment],
  ['GET', '/v1/workers/{id}/limits', z.object({ limits: z.array(workers.limitReport) })],
  ['GET', '/v1/workers/{id}/wait?for=ready', workers.waited],
  ...PLAIN_ORDERS.map((order) => ['POST', `/v1/workers/{id}/${order}?wait=5s`, workers.ticket] as const),
  ['POST', '/v1/workers/{id}/signal', workers.ticket, { signal: 'SIGHUP' }],
  ['POST', '/v1/exec/{session}/input', z.strictObject({}), { data: 'aGVsbG8=', end: true }],
  ['POST', '/v1/exec/{session}/signal', z.strictObject({}), { signal: 'SIGINT' }],
  ['GET', '/v1/tickets', z.object({ tickets: z.array(workers.ticket) })],
  ['GET', '/v1/tickets/abcd0123-1?wait=1s', workers.ticket],
  ['GET', '/v1/events?since=0&limit=10&type=worker.ready&select=web', events.eventPage],
  ['GET', '/v1/logs?lines=3&stream=stderr', logs.lines],
  ['GET', '/v1/logs/search?text=a&from=2026-01-31T00:00:00Z&limit=1', logs.page],
  ['GET', '/v1/audit?limit=5&action=login&by=ann', auditPage],
  ['GET', '/v1/tokens', z.object({ tokens: z.array(tokens.token) })],
  ['POST', '/v1/tokens', tokens.madeToken, { name: 'bob', role: 'reader', expires: '1h' }],
  ['DELETE', '/v1/tokens/{id}', tokens.token],
  ['POST', '/v1/config/validate', masters.validation, { text: 'workers: []' }],
  ['GET', '/v1/config', configs.config],
  ['POST', '/v1/config/plan', configs.planned, { text: 'workers: []' }],
  ['POST', '/v1/config/apply?wait=1s&revision=7', configs.applied, { text: 'workers: []' }],
  ['POST', '/v1/config/reload?wait=1s', configs.applied],
  ['POST', '/v1/workers?wait=1s', configs.applied, { id: 'fresh', command: 'x' }],
  ['PUT', '/v1/workers/{id}?wait=1s', configs.applied, { command: 'x' }],
  ['DELETE', '/v1/workers/{id}?wait=1s', configs.applied],
] as const;

/** Answered by lines, or not by HTTP at all; shown in the tests of streams. */
const STREAMS = [
  'GET /v1/events/follow',
  'GET /v1/logs/follow',
  'GET /v1/stream',
  'POST /v1/workers/{id}/exec',
];

interface Document {
  readonly openapi: string;
  readonly paths: Record<
    string,
    Record<string, { readonly operationId?: string; readonly responses?: object }>
  >;
  readonly components: { readonly schemas: Record<string, object> };
}

describe('the contract', () => {
  it('every route of the OpenAPI document is shown here, and none besides', async () => {
    const document = (await openApiDocument()) as Document;
    expect(document.openapi).toMatch(/^3\.1\./);
    const described = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const shown = ROUTES.map(([method, path]) =>
      `${method} ${path.split('?')[0]}`.replace('abcd0123-1', '{id}'),
    );
    expect(described.sort()).toEqual([...shown, ...STREAMS].sort());
  });

  it('each operation has a name of its own, and every reference leads somewhere', async () => {
    const document = (await openApiDocument()) as Document;
    const names = Object.values(document.paths).flatMap((methods) =>
      Object.values(methods).map(({ operationId }) => operationId),
    );
    expect(new Set(names).size).toBe(names.length);
    expect(names).not.toContain(undefined);
    const references = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map(
      ([, name]) => name,
    );
    expect(references.length).toBeGreaterThan(20);
    for (const name of references) expect(Object.keys(document.components.schemas)).toContain(name);
  });

  it('every answer is what its schema says, and nothing more', async ({ served }) => {
    served.master.publish();
    await ask(served.socket, 'POST', '/v1/workers/web/start');
    for (const [method, path, schema, body] of ROUTES) {
      const { status, text, type } = await ask(
        served.socket,
        method,
        path.replace('{id}', 'web').replace('{session}', 'session-1'),
        body,
      );
      expect({ path, status, type }).toEqual({
        path,
        status: method === 'POST' && /^\/v1\/(?:workers\?|tokens$)/.test(path) ? 201 : 200,
        type: expect.stringContaining('application/json'),
      });
      const value: unknown = JSON.parse(text);
      // What the schema does not name would be missing from what it gives back.
      expect({ path, value: schema.parse(value) }).toEqual({ path, value });
    }
    expect(served.defects).toEqual([]);
  });

  it('an order that is not waited for is answered 202 with its ticket', async ({ served }) => {
    const { status, text } = await ask(served.socket, 'POST', '/v1/workers/web/stop');
    expect(status).toBe(202);
    expect(workers.ticket.parse(JSON.parse(text))).toMatchObject({ state: 'pending', order: 'stop' });
  });

  it('a change that is not waited for is answered 202; one that is not valid 422, of another revision 412', async ({
    served,
  }) => {
    const removed = await ask(served.socket, 'DELETE', '/v1/workers/web');
    expect([removed.status, configs.applied.parse(JSON.parse(removed.text)).state]).toEqual([202, 'pending']);
    const created = await ask(served.socket, 'POST', '/v1/workers', { id: 'new' });
    expect(created.status).toBe(202);
    const wrong = await ask(served.socket, 'POST', '/v1/config/apply', { text: 'invalid' });
    expect([wrong.status, problem.parse(JSON.parse(wrong.text)).code]).toEqual([422, 'E_CONFIG']);
    const bad = await ask(served.socket, 'POST', '/v1/workers', { id: '../x' });
    expect(bad.status).toBe(400);
    expect(served.master.asked).toContain('remove web');
  });

  it('a defect is answered as one, tells nothing of itself, and is heard of', async ({ served }) => {
    served.master.limits = () => {
      throw new Error('the secret reason');
    };
    const { status, type, text } = await ask(served.socket, 'GET', '/v1/workers/web/limits');
    expect({ status, type }).toEqual({
      status: 500,
      type: expect.stringContaining('application/problem+json'),
    });
    expect(problem.parse(JSON.parse(text)).code).toBe('E_INTERNAL');
    expect(text).not.toContain('secret');
    expect(served.defects).toHaveLength(1);
  });
});

describe('rights', () => {
  it('who may see one worker sees its list, events and lines alone; last words take the right to read lines', async () => {
    const master = new FakeMaster();
    const authorize: Authorize = (_identity, right, resource) =>
      resource.kind === 'worker' && resource.namespace === 'shop' && right !== 'logs:read'
        ? null
        : new HsuError('E_FORBIDDEN', 'no');
    await using served = await serve(master, { authorize });
    master.publish('db');
    master.publish('web');
    master.publish(null);
    expect((await served.client.workers()).workers.map(({ id }) => id)).toEqual(['web']);
    expect((await served.client.events()).events.map(({ workerId }) => workerId)).toEqual(['web']);
    expect(await served.client.why('web')).toMatchObject({ lastWords: [], cause: null });
    await expect(served.client.logs({ select: ['web'] })).rejects.toMatchObject({ code: 'E_FORBIDDEN' });
    await expect(served.client.worker('db')).rejects.toMatchObject({ code: 'E_FORBIDDEN' });
  });
});
