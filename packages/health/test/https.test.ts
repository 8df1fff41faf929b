import { createServer } from 'node:https';
import { expect, test } from 'vitest';
import { Bench, probe } from './support/bench.ts';
import { cert, key } from './support/self-signed.ts';
import { rawServer, track } from './support/servers.ts';

async function firstReason(url: string): Promise<string> {
  const bench = new Bench({ readiness: probe({ type: 'http', url, method: 'GET', headers: {} }) }).begin();
  bench.clock.advance(0);
  const reason = await bench.reason();
  bench.end();
  return reason;
}

test('a certificate that nobody vouches for is a failure', async () => {
  const server = await track(createServer({ key, cert }, (_request, response) => response.end()));
  expect(await firstReason(`https://127.0.0.1:${server.port}/`)).toMatch(/certificate.*\([A-Z_]+\)/);
  await server.empty();
});

test('a server that speaks no TLS is a failure', async () => {
  const server = await rawServer((socket) => socket.write('HTTP/1.1 200 OK\r\n\r\n'));
  expect(await firstReason(`https://127.0.0.1:${server.port}/`)).toMatch(/ssl|tls|packet/i);
});

test('E1: a handshake that is never answered is bounded by the time-out', async () => {
  const server = await rawServer();
  const url = `https://127.0.0.1:${server.port}/`;
  const bench = new Bench({ readiness: probe({ type: 'http', url, method: 'GET', headers: {} }) }).begin();
  bench.clock.advance(0);
  await server.accepted(1);
  bench.clock.advance(500);
  expect(await bench.reason()).toBe(`no answer from ${url} within 500ms`);
  await server.empty();
  bench.end();
});
