import { createServer } from 'node:net';
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js';
import { coreService, healthService } from '@hsu-master/contract';
import type { CheckAnswer, ControlNews, GrpcCall, GrpcPort } from '@hsu-master/core';
import { serveUnit, type UnitOptions } from '@hsu-master/unit';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openGrpc } from '../src/index.ts';

let grpc: GrpcPort;
beforeAll(() => {
  grpc = openGrpc();
});
afterAll(() => grpc.close());

const at = (port: number, headers = {}) => ({
  host: '127.0.0.1',
  addresses: [{ address: '127.0.0.1', family: 4 }],
  port,
  headers,
});

function ask(port: number, call: GrpcCall, headers = {}): Promise<CheckAnswer> {
  return new Promise((resolve) => {
    let within = true;
    grpc.check(at(port, headers), call, (answer) => {
      expect(within).toBe(false);
      resolve(answer);
    });
    within = false;
  });
}

async function unit(options: UnitOptions = {}) {
  const served = await serveUnit({ argv: [], env: {}, signals: false, ...options });
  onTestFinished(() => served.stop());
  return served;
}

/** A server with these services only. */
async function serve(register: (server: Server) => void): Promise<number> {
  const server = new Server();
  register(server);
  onTestFinished(() => server.forceShutdown());
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    );
  });
}

const PING: GrpcCall = { kind: 'ping' };
const SERVING: GrpcCall = { kind: 'serving' };

describe('a check', () => {
  it('of a unit: it lives, and serves as it says', async () => {
    const { port, setServing } = await unit().then((served) => ({
      port: served.port,
      setServing: (serving: boolean) => served.setServing(serving),
    }));
    expect(await ask(port, PING)).toEqual({ passed: true, reason: 'Ping answered' });
    expect(await ask(port, SERVING)).toEqual({ passed: true, reason: 'its health is SERVING' });
    setServing(false);
    expect(await ask(port, SERVING)).toEqual({ passed: false, reason: 'its health is NOT_SERVING' });
    expect((await ask(port, PING)).passed).toBe(true);
  });

  it('of a program that has only Ping, or only health', async () => {
    const ping = await serve((server) =>
      server.addService(coreService, {
        Ping: (_call: ServerUnaryCall<object, object>, answer: sendUnaryData<object>) => answer(null, {}),
      }),
    );
    expect(await ask(ping, SERVING)).toEqual({ passed: true, reason: 'Ping answered' });
    const health = await serve((server) =>
      server.addService(healthService, {
        Check: (_call: unknown, answer: sendUnaryData<object>) => answer(null, { status: 'NOT_SERVING' }),
      }),
    );
    expect((await ask(health, PING)).passed).toBe(true);
    expect((await ask(health, SERVING)).passed).toBe(false);
  });

  it('of a program that has neither says so', async () => {
    const port = await serve(() => {});
    for (const call of [PING, SERVING]) {
      const { passed, reason } = await ask(port, call);
      expect(passed).toBe(false);
      expect(reason).toMatch(/^serves neither proto\.CoreService\/Ping nor grpc\.health\.v1/);
    }
  });

  it('of one service asks for it by name', async () => {
    const { port } = await unit();
    expect(await ask(port, { kind: 'health', service: 'db' })).toEqual({
      passed: false,
      reason: 'NOT_FOUND: there is no service db',
    });
  });

  it('of a method passes when it answers, and takes metadata along', async () => {
    const call: GrpcCall = { kind: 'method', service: 'proto.CoreService', method: 'Ping' };
    const port = await serve((server) =>
      server.addService(coreService, {
        Ping: ({ metadata }: ServerUnaryCall<object, object>, answer: sendUnaryData<object>) =>
          metadata.get('token')[0] === 'x'
            ? answer(null, {})
            : answer({ code: status.UNAUTHENTICATED, details: 'who are you' }),
      }),
    );
    expect(await ask(port, call, { token: 'x' })).toMatchObject({ passed: true });
    expect(await ask(port, call)).toEqual({ passed: false, reason: 'UNAUTHENTICATED: who are you' });
  });

  it('where nobody listens names the refusal', async () => {
    const port = await serve(() => {});
    const free = await new Promise<number>((resolve) => {
      const server = createServer().listen(0, '127.0.0.1', () => {
        const { port: bound } = server.address() as { port: number };
        server.close(() => resolve(bound));
      });
    });
    expect(port).not.toBe(free);
    expect((await ask(free, PING)).reason).toBe(`UNAVAILABLE: connect ECONNREFUSED 127.0.0.1:${free}`);
  });

  it('of what speaks no gRPC fails', async () => {
    const server = createServer((socket) => socket.end('HTTP/1.1 400 no\r\n\r\n'));
    onTestFinished(() => void server.close());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    expect((await ask(port, PING)).passed).toBe(false);
  });

  it('that is ended answers nothing', async () => {
    const server = createServer(() => {});
    onTestFinished(() => void server.close());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    let answered = false;
    const connected = new Promise((resolve) => server.once('connection', resolve));
    const end = grpc.check(at(port), PING, () => {
      answered = true;
    });
    await connected;
    const gone = new Promise((resolve) => server.close(resolve));
    end();
    await gone;
    expect(answered).toBe(false);
  });
});

describe('a control stream', () => {
  /** Collects news until one is `closed`. */
  function control(port: number) {
    const news: ControlNews[] = [];
    const { promise, resolve } = Promise.withResolvers<ControlNews>();
    let onNews = (): void => {};
    const stream = grpc.control(at(port), { workerId: 'svc', run: 7 }, (one) => {
      news.push(one);
      if (one.kind === 'closed') resolve(one);
      onNews();
    });
    const until = (kind: ControlNews['kind'], count = 1) =>
      new Promise<void>((done) => {
        onNews = () => {
          if (news.filter((one) => one.kind === kind).length >= count) done();
        };
        onNews();
      });
    return { stream, news, closed: promise, until };
  }

  it('greets, hears how the unit is, and stops it', async () => {
    const heard: unknown[] = [];
    const served = await unit({
      onGreeting: (greeting) => heard.push(greeting),
      onStop: (order) => void heard.push(order),
    });
    const { stream, news, closed, until } = control(served.port);
    await until('status');
    served.setServing(false, 'warming up');
    await until('status', 2);
    expect(news).toEqual([
      { kind: 'opened' },
      { kind: 'status', serving: true, text: '' },
      { kind: 'status', serving: false, text: 'warming up' },
    ]);
    stream.stop(1500);
    await served.ended;
    await closed;
    expect(heard).toEqual([
      { kind: 'greeting', worker: 'svc', run: 7 },
      { by: 'master', graceMs: 1500 },
    ]);
  });

  it('that is let go of leaves the unit alone, and the next master opens another', async () => {
    const heard: unknown[] = [];
    const served = await unit({
      onGreeting: (greeting) => heard.push(greeting),
      onStop: () => void heard.push('stop'),
    });
    const first = control(served.port);
    await first.until('opened');
    first.stream.close();
    const second = control(served.port);
    await second.until('opened');
    expect((await ask(served.port, SERVING)).passed).toBe(true);
    expect(heard).toHaveLength(2);
    expect(heard).not.toContain('stop');
    second.stream.close();
  });

  it('that a program does not have is missing; where nobody listens it is not there yet', async () => {
    const port = await serve(() => {});
    expect(await control(port).closed).toMatchObject({ isMissing: true });
    const served = await unit();
    const { port: gone } = served;
    await served.stop();
    expect(await control(gone).closed).toMatchObject({ isMissing: false });
  });
});
