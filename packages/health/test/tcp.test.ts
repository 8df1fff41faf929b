import { createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { Lookup } from '../src/index.ts';
import { Bench, heard, probe } from './support/bench.ts';
import { closedPort, rawServer } from './support/servers.ts';

function tcp(port: number, host = '127.0.0.1') {
  return { type: 'tcp', host, port } as const;
}

test('passes when the connection is accepted, and closes it', async () => {
  const server = await rawServer();
  const bench = new Bench({ readiness: probe(tcp(server.port)) }).begin();
  bench.clock.advance(0);
  expect(await bench.reason()).toBe(`connected to 127.0.0.1:${server.port}`);
  await server.empty();
  bench.end();
});

test('fails when nobody listens', async () => {
  const port = await closedPort();
  const bench = new Bench({ readiness: probe(tcp(port, 'localhost')) }).begin();
  bench.clock.advance(0);
  expect(await bench.reason()).toBe(`connect ECONNREFUSED 127.0.0.1:${port}`);
  bench.end();
});

test('localhost reaches a server that listens on ::1 only', async ({ skip }) => {
  const server = createServer((socket) => socket.end());
  const listening = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(0, '::1', () => resolve(true));
  });
  skip(!listening, 'this machine has no IPv6 loopback');
  const { port } = server.address() as { port: number };
  const bench = new Bench({ readiness: probe(tcp(port, 'localhost')) }).begin();
  bench.clock.advance(0);
  expect(await bench.toldCount(1)).toEqual([{ kind: 'became-ready' }]);
  bench.end();
  await new Promise((resolve) => server.close(resolve));
});

describe('names', () => {
  test('E6: a lookup that hangs is bounded by the time-out and asked once, however many probes want it', async () => {
    const asked: string[] = [];
    const silent: Lookup = (name) => void asked.push(name);
    const hanging = new Bench(
      {
        liveness: probe(tcp(1, 'db.internal')),
        readiness: probe({ type: 'http', url: 'http://db.internal/', method: 'GET', headers: {} }),
      },
      { lookup: silent },
    ).begin();
    hanging.clock.advance(10_000);
    expect(await hanging.reason(1)).toContain('within 500ms');
    expect(asked).toEqual(['db.internal']);
    hanging.end();
    expect(hanging.clock.pending).toBe(0);
  });

  test('E6: while the resolver is silent, the addresses found earlier are used', async () => {
    const server = await rawServer();
    let calls = 0;
    const dying: Lookup = (_name, answered) => {
      calls += 1;
      if (calls === 1) answered(null, [{ address: '127.0.0.1', family: 4 }]);
    };
    const bench = new Bench({ readiness: probe(tcp(server.port, 'db.internal')) }, { lookup: dying }).begin();
    bench.clock.advance(0);
    await server.accepted(1);
    await bench.toldCount(1);
    bench.clock.advance(1000);
    expect(calls).toBe(2);
    bench.clock.advance(250);
    await server.accepted(2);
    bench.end();
    expect(bench.told).toEqual([{ kind: 'became-ready' }]);
  });

  test('a name that does not exist fails with the resolver’s words, and is asked again next time', async () => {
    let calls = 0;
    const lookup: Lookup = (name, answered) => {
      calls += 1;
      const error = Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: 'ENOTFOUND' });
      queueMicrotask(() => answered(error, []));
    };
    const bench = new Bench({ readiness: probe(tcp(1, 'nowhere.invalid')) }, { lookup }).begin();
    bench.clock.advance(0);
    expect(await bench.reason()).toBe('getaddrinfo ENOTFOUND nowhere.invalid');
    await heard();
    bench.clock.advance(1000);
    expect(calls).toBe(2);
    bench.end();
  });

  test('the system’s resolver is asked by default', async () => {
    const bench = new Bench({ readiness: probe(tcp(1, 'no-such-name.invalid')) }).begin();
    bench.clock.advance(0);
    expect(await bench.reason()).toMatch(/no-such-name\.invalid/);
    bench.end();
  });
});
