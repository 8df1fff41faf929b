import { describe, expect, test } from 'vitest';
import { Bench, probe } from './support/bench.ts';
import { closedPort, httpServer, rawServer } from './support/servers.ts';

function http(url: string, rest: { method?: string; headers?: Record<string, string> } = {}) {
  return { type: 'http', url, method: 'GET', headers: {}, ...rest } as const;
}

/** The reason of the first verdict, with the clock standing still. */
async function firstReason(url: string): Promise<string> {
  const bench = new Bench({ readiness: probe(http(url)) }).begin();
  bench.clock.advance(0);
  const reason = await bench.reason();
  bench.end();
  return reason;
}

describe('what passes', () => {
  test('a status of 2xx', async () => {
    const server = await httpServer((_request, response) => response.writeHead(204).end());
    const bench = new Bench({ readiness: probe(http(server.url)) }).begin();
    bench.clock.advance(0);
    expect(await bench.toldCount(1)).toEqual([{ kind: 'became-ready' }]);
    await server.empty();
    bench.end();
  });

  test('method, headers and credentials of the check are sent', async () => {
    const seen: unknown[] = [];
    const server = await httpServer((request, response) => {
      const { 'x-token': token, host, authorization } = request.headers;
      seen.push(request.method, request.url, token, host, authorization);
      response.end();
    });
    const url = `http://me:se%20cret@127.0.0.1:${server.port}/a?b=c`;
    const check = http(url, { method: 'HEAD', headers: { 'X-Token': 't', Host: 'inner' } });
    const bench = new Bench({ readiness: probe(check) }).begin();
    bench.clock.advance(0);
    expect(await bench.reason()).toBe(`HTTP 200 from http://127.0.0.1:${server.port}/a`);
    expect(seen).toEqual(['HEAD', '/a?b=c', 't', 'inner', `Basic ${btoa('me:se cret')}`]);
    bench.end();
  });

  test('localhost is asked on both loopback addresses without a lookup', async () => {
    const server = await httpServer((_request, response) => response.end());
    const bench = new Bench(
      { readiness: probe(http(`http://localhost:${server.port}/`)) },
      { lookup: () => expect.unreachable() },
    ).begin();
    bench.clock.advance(0);
    expect(await bench.toldCount(1)).toEqual([{ kind: 'became-ready' }]);
    bench.end();
  });
});

describe('what fails, and why', () => {
  test('an error status', async () => {
    const server = await httpServer((_request, response) => response.writeHead(503).end('busy'));
    expect(await firstReason(server.url)).toBe(`HTTP 503 from ${server.url}`);
  });

  test('E1: a redirect loop is one failure that names where it leads', async () => {
    let asked = 0;
    const server = await httpServer((_request, response) => {
      asked += 1;
      response.writeHead(302, { location: '/health' }).end();
    });
    expect(await firstReason(server.url)).toBe(
      `HTTP 302 from ${server.url}: redirects to /health, which a probe does not follow`,
    );
    expect(asked).toBe(1);
  });

  test('nobody listens', async () => {
    const port = await closedPort();
    expect(await firstReason(`http://127.0.0.1:${port}/`)).toBe(`connect ECONNREFUSED 127.0.0.1:${port}`);
    expect(await firstReason(`http://localhost:${port}/`)).toBe(`connect ECONNREFUSED 127.0.0.1:${port}`);
  });

  test('the connection is reset', async () => {
    const server = await rawServer((socket) => socket.resetAndDestroy());
    expect(await firstReason(server.url)).toBe(`${server.url} reset the connection`);
  });

  test('the connection is closed without an answer', async () => {
    const server = await rawServer((socket) => socket.end());
    expect(await firstReason(server.url)).toBe(`${server.url} closed the connection without an answer`);
  });

  test('something else than HTTP answers', async () => {
    const server = await rawServer((socket) => socket.write('SSH-2.0-OpenSSH_9.2\r\n'));
    expect(await firstReason(server.url)).toContain('does not answer in HTTP');
  });

  test('an unexpected upgrade', async () => {
    const server = await rawServer((socket) =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n'),
    );
    expect(await firstReason(server.url)).toBe(`HTTP 101 from ${server.url}`);
    await server.empty();
  });

  test('an address that is none, and headers that cannot be sent', async () => {
    expect(await firstReason('nonsense')).toBe('not an http or https address: nonsense');
    expect(await firstReason('file:///etc/passwd')).toContain('not an http or https address');
    const bench = new Bench({ readiness: probe(http('http://127.0.0.1:1/', { headers: { 'a b': '' } })) });
    bench.begin().clock.advance(0);
    expect(await bench.reason()).toContain('cannot ask http://127.0.0.1:1/');
    expect(bench.clock.pending).toBe(1);
    bench.end();
  });
});

describe('servers that take their time', () => {
  test('E1: accepts and never answers: the time-out holds and the socket is gone', async () => {
    const server = await rawServer();
    const bench = new Bench({ readiness: probe(http(server.url)) }).begin();
    bench.clock.advance(0);
    await server.accepted(1);
    bench.clock.advance(499);
    expect(bench.published).toEqual([]);
    bench.clock.advance(1);
    expect(await bench.reason()).toBe(`no answer from ${server.url} within 500ms`);
    await server.empty();
    bench.end();
  });

  test('E1: headers that drip are bounded by the time-out', async () => {
    const server = await rawServer((socket) => {
      const drip = setInterval(() => socket.write('X-A: b\r\n'), 1);
      socket.write('HTTP/1.1 200 OK\r\n');
      socket.on('close', () => clearInterval(drip));
    });
    const bench = new Bench({ readiness: probe(http(server.url)) }).begin();
    bench.clock.advance(0);
    await server.accepted(1);
    bench.clock.advance(500);
    expect(await bench.reason()).toContain('within 500ms');
    await server.empty();
    bench.end();
  });

  test('E1: of an endless body 64 KiB are read, and the status decides', async () => {
    const server = await httpServer((_request, response) => {
      const pour = () => {
        while (response.write(Buffer.alloc(16 * 1024)));
      };
      response.on('drain', pour);
      pour();
    });
    expect(await firstReason(server.url)).toBe(`HTTP 200 from ${server.url}`);
    await server.empty();
  });

  test('E1: a body that drips ends at the time-out, and the status decides', async () => {
    let dripped = 0;
    let enough: () => void;
    const manyDrips = new Promise<void>((resolve) => {
      enough = resolve;
    });
    const server = await httpServer((_request, response) => {
      const drip = setInterval(() => {
        response.write('.');
        dripped += 1;
        // Client and server share one event loop: by now the client has read the status.
        if (dripped === 50) enough();
      }, 1);
      response.on('close', () => clearInterval(drip));
    });
    const bench = new Bench({ readiness: probe(http(server.url)) }).begin();
    bench.clock.advance(0);
    await manyDrips;
    expect(bench.published).toEqual([]);
    bench.clock.advance(500);
    expect(bench.told).toEqual([{ kind: 'became-ready' }]);
    await server.empty();
    bench.end();
  });

  test('E11: ending the run closes the connection at once', async () => {
    const server = await rawServer();
    const bench = new Bench({ readiness: probe(http(server.url)) }).begin();
    bench.clock.advance(0);
    await server.accepted(1);
    bench.end();
    await server.empty();
    expect(bench.clock.pending).toBe(0);
    expect(bench.published).toEqual([]);
  });
});
