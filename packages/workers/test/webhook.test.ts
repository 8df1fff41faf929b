import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import type { EventDraft, Host } from '@hsu-master/core';
import { workerSpec } from '@hsu-master/testkit';
import { afterEach, describe, expect, test } from 'vitest';
import { Alerts } from '../src/limits/alerts.ts';
import { post } from '../src/limits/webhook.ts';
import { realClock } from '../src/real-clock.ts';

const LONG = 20_000 * Number(process.env.HSU_TIME_FACTOR ?? 1);
const SHORT = 100;
const clock = realClock();
const closing: (() => void)[] = [];

afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** The origin of a server on a port of its own, and how many connections it has. */
async function serve(
  listener: (...request: Parameters<RequestListener>) => void | Promise<void>,
): Promise<{ origin: string; server: Server; sockets: Set<Socket> }> {
  const server = createServer((request, response) => void listener(request, response));
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server, sockets };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}

describe('what is sent', () => {
  test('is the JSON with its length, to the path, with the user of the address', async () => {
    const got: unknown[] = [];
    const { origin } = await serve(async (request, response) => {
      const { method, url, headers } = request;
      got.push([method, url, headers['content-type'], headers.authorization, await bodyOf(request)]);
      response.end('thanks');
    });
    const url = `${origin.replace('//', '//me:secret@')}/hook/T0K3N?x=1`;
    const { outcome } = post(url, '{"ü":1}', LONG, clock);
    expect(await outcome).toBeNull();
    const basic = `Basic ${Buffer.from('me:secret').toString('base64')}`;
    expect(got).toEqual([['POST', '/hook/T0K3N?x=1', 'application/json', basic, '{"ü":1}']]);
  });
});

describe('an answer', () => {
  test.each([
    [204, null],
    [500, 'HTTP 500 from'],
    [404, 'HTTP 404 from'],
  ])('of %i', async (status, reason) => {
    const { origin } = await serve((_request, response) => void response.writeHead(status).end());
    const outcome = await post(`${origin}/secret`, '{}', LONG, clock).outcome;
    expect(outcome).toBe(reason === null ? null : `${reason} ${origin}`);
  });

  test('that redirects is not followed', async () => {
    const asked: (string | undefined)[] = [];
    const { origin } = await serve((request, response) => {
      asked.push(request.url);
      response.writeHead(307, { location: '/elsewhere' }).end();
    });
    const { outcome } = post(`${origin}/here`, '{}', LONG, clock);
    expect(await outcome).toBe(`HTTP 307 from ${origin}, a redirect, which is not followed`);
    expect(asked).toEqual(['/here']);
  });

  test('without an end is read as far as it needs to be, and the connection is given up', async () => {
    let ended: () => void = () => undefined;
    const gone = new Promise<void>((resolve) => {
      ended = resolve;
    });
    const { origin } = await serve((_request, response) => {
      response.on('close', ended);
      const more = (): void => {
        while (response.write(Buffer.alloc(65_536)));
        response.once('drain', more);
      };
      more();
    });
    expect(await post(origin, '{}', LONG, clock).outcome).toBeNull();
    await gone;
  });

  test('that does not come ends with the time-out, and the connection with it', async () => {
    const { origin, sockets } = await serve(() => undefined);
    const { outcome } = post(`${origin}/T0K3N`, '{}', SHORT, clock);
    expect(await outcome).toBe(`no answer from ${origin} within 100ms`);
    await expect.poll(() => sockets.size, { timeout: LONG }).toBe(0);
  });

  test('that comes a byte at a time ends with the time-out too', async () => {
    const dripping: NodeJS.Timeout[] = [];
    const { origin, sockets } = await serve((_request, response) => {
      response.writeHead(200).flushHeaders();
      dripping.push(setInterval(() => response.write('.'), 10));
    });
    const { outcome } = post(origin, '{}', SHORT, clock);
    expect(await outcome).toBe(`no answer from ${origin} within 100ms`);
    await expect.poll(() => sockets.size, { timeout: LONG }).toBe(0);
    for (const timer of dripping) clearInterval(timer);
  });

  test.each([
    ['nothing', ''],
    ['no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n'],
  ])('of %s is a failure', async (_what, text) => {
    const server = createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end(text));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    closing.push(() => server.close());
    const { port } = server.address() as AddressInfo;
    const outcome = await post(`http://127.0.0.1:${port}/T0K3N`, '{}', LONG, clock).outcome;
    expect(outcome).toContain(`http://127.0.0.1:${port}`);
    expect(outcome).not.toContain('T0K3N');
  });
});

describe('what cannot be asked', () => {
  test('a port where nobody listens', async () => {
    const { origin, server } = await serve(() => undefined);
    server.close();
    await once(server, 'close');
    expect(await post(`${origin}/T0K3N`, '{}', LONG, clock).outcome).toMatch(
      /^http:\S+: connect ECONNREFUSED/,
    );
  });

  test.each(['', 'hook', 'ftp://127.0.0.1/x', 'http://'])('the address "%s"', async (url) => {
    expect(await post(url, '{}', LONG, clock).outcome).toBe('not an http or https address');
  });

  test('what is given up', async () => {
    const { origin, sockets } = await serve(() => undefined);
    const attempt = post(origin, '{}', LONG, clock);
    attempt.cancel();
    expect(await attempt.outcome).toBe('given up');
    await expect.poll(() => sockets.size, { timeout: LONG }).toBe(0);
  });
});

test('an alert arrives as JSON with numbers and words, also when the server fails once', async () => {
  const bodies: unknown[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const { origin } = await serve(async (request, response) => {
    bodies.push(JSON.parse(await bodyOf(request)));
    response.writeHead(bodies.length === 1 ? 503 : 200).end();
    if (bodies.length === 2) resolve();
  });
  const events: EventDraft[] = [];
  const alerts = new Alerts({} as Host, clock);
  alerts.raise(
    {
      spec: workerSpec('web'),
      run: 1,
      process: { pid: 7, startedAt: '1' },
      limit: 'memory.max_rss',
      value: 2 ** 20,
      allowed: 2 ** 19,
      policy: 'alert',
      message: 'worker "web": memory 1MiB of 512KiB',
      publish: (event) => events.push(event),
    },
    { exec: null, webhook: origin, timeout: LONG, every: 1000 },
  );
  await promise;
  alerts.close();
  expect(bodies[1]).toEqual(bodies[0]);
  expect(bodies[0]).toMatchObject({
    worker: 'web',
    run: 1,
    pid: 7,
    limit: 'memory.max_rss',
    value: 1_048_576,
    maximum: 524_288,
    readable: { value: '1MiB', maximum: '512KiB' },
    policy: 'alert',
    message: 'worker "web": memory 1MiB of 512KiB',
    at: expect.stringMatching(/^\d{4}-.*Z$/),
  });
  expect(events).toEqual([]);
});
