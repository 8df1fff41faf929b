import { request } from 'node:http';
import { connect } from 'node:net';
import fc from 'fast-check';
import { expect } from 'vitest';
import { problem } from '../src/contract/problem.ts';
import { openApiDocument } from '../src/index.ts';
import { it, type Served } from './rig.ts';

/** How many of each; more by hand: HSU_FUZZ_RUNS=100000. */
const RUNS = Number(process.env.HSU_FUZZ_RUNS ?? 400);
const SPAN = 60_000 * Number(process.env.HSU_TIME_FACTOR ?? 1) * Math.max(1, RUNS / 400);

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly type: string;
  readonly body: string;
}

/** Status and text of what is answered; null where Node itself would not send it. */
function send(
  { socket }: Served,
  { method, path, type, body }: Sent,
): Promise<{ status: number; text: string } | null> {
  return new Promise((resolve, reject) => {
    try {
      const headers = body === '' ? {} : { 'content-type': type, 'content-length': Buffer.byteLength(body) };
      const sent = request({ socketPath: socket, method, path, headers, agent: false }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('close', () => resolve({ status: response.statusCode ?? 0, text }));
        // What follows has no end by itself.
        if (path.includes('follow')) response.destroy();
      });
      sent.on('error', (error: NodeJS.ErrnoException) =>
        error.code === 'ECONNRESET' ? resolve(null) : reject(error),
      );
      sent.end(body === '' ? undefined : body);
    } catch {
      resolve(null);
    }
  });
}

const text = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.constantFrom('web', 'db', '*', '-1', '1e9', '30s', 'ready', '..', '%2e', 'true', '\0', '🙂'),
);
const value = fc.oneof(
  fc.json({ maxDepth: 3 }),
  fc.string(),
  fc.record({ signal: text, to: text, text, reason: text }).map((one) => JSON.stringify(one)),
);

it('whatever is asked, the answer is no defect, and errors are problems', { timeout: SPAN }, async ({
  served,
}) => {
  const { paths } = (await openApiDocument()) as {
    paths: Record<string, Record<string, { parameters?: { name: string }[] }>>;
  };
  const names = [
    ...new Set(
      Object.values(paths).flatMap((methods) =>
        Object.values(methods).flatMap(({ parameters = [] }) => parameters.map(({ name }) => name)),
      ),
    ),
  ];
  const known = fc.constantFrom(...Object.keys(paths).filter((path) => path !== '/v1/stream'));
  const path = fc
    .tuple(known, text, fc.array(fc.tuple(fc.constantFrom(...names, 'x'), text), { maxLength: 4 }))
    .map(
      ([route, id, query]) =>
        `${route.replace('{id}', encodeURIComponent(id))}?${query
          .map(([name, one]) => `${name}=${encodeURIComponent(one)}`)
          .join('&')
          .replace(/wait=[^&]*/g, '')
          .replace(/timeout=[^&]*/g, 'timeout=1ms')}`,
    );
  const sent = fc.record({
    method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH'),
    path: fc.oneof(
      { weight: 5, arbitrary: path },
      { weight: 1, arbitrary: fc.string().map((one) => `/${one.replace(/[^\x21-\x7e]/g, '')}`) },
    ),
    type: fc.constantFrom(
      'application/json',
      'application/json; charset=utf-8',
      'text/plain',
      'multipart/form-data',
      '',
    ),
    body: fc.oneof(fc.constant(''), value),
  });
  served.master.publish();
  await fc.assert(
    fc.asyncProperty(sent, async (one) => {
      const answer = await send(served, one);
      expect(served.defects).toEqual([]);
      if (answer === null || one.method === 'HEAD' || one.path.includes('follow')) return;
      expect(answer.status).toBeLessThan(500);
      if (answer.status >= 400) problem.parse(JSON.parse(answer.text));
    }),
    { numRuns: RUNS, interruptAfterTimeLimit: SPAN - 5000 },
  );
});

it('protocol garbage ends its connection and nothing else', { timeout: SPAN }, async ({ served }) => {
  const head = fc.constantFrom(
    '',
    'GET /v1/health HTTP/1.1\r\n',
    'POST /v1/shutdown HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n',
    'GET /v1/stream HTTP/1.1\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nhost: x\r\n\r\n',
  );
  await fc.assert(
    fc.asyncProperty(head, fc.uint8Array({ maxLength: 300 }), async (begin, rest) => {
      await new Promise<void>((resolve) => {
        const socket = connect(served.socket);
        socket.on('error', () => {});
        socket.on('close', () => resolve());
        socket.resume();
        socket.write(begin);
        socket.end(rest);
        // A stream that was begun ends with its client.
        socket.on('end', () => socket.destroy());
        setTimeout(() => socket.destroy(), 50);
      });
      expect(served.defects).toEqual([]);
    }),
    { numRuns: Math.ceil(RUNS / 4), interruptAfterTimeLimit: SPAN - 5000 },
  );
  expect(await served.client.health()).toMatchObject({ workers: { total: 2 } });
});
