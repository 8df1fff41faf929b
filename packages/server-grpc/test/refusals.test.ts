import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import type { MessageTypeDefinition, ServiceDefinition } from '@grpc/proto-loader';
import { describe, expect } from 'vitest';
import { ASKS, type Asks } from '../src/asks.ts';
import type { Services } from '../src/messages.ts';
import { loadProtos } from '../src/protos.ts';
import { Caller, it, type Served } from './rig.ts';

/** Sends bytes to a path and tells how the call ended. */
function send(caller: Caller, path: string, bytes: Buffer): Promise<ServiceError | Buffer> {
  const same = (one: Buffer): Buffer => one;
  return new Promise((resolve) => {
    const options = { deadline: Date.now() + 20_000 };
    const call = caller.client.makeServerStreamRequest(path, same, same, bytes, caller.metadata, options);
    call.on('error', (error: ServiceError) => resolve(error));
    call.on('data', (answer: Buffer) => {
      resolve(answer);
      call.cancel();
    });
  });
}

const factor = Number(process.env['HSU_TIME_FACTOR'] ?? 1);

const messageOf = (name: string) => loadProtos()[name] as MessageTypeDefinition<object, object>;

const code = async (call: Promise<unknown>): Promise<status> => {
  const error = await call.then(
    () => null,
    (caught: ServiceError) => caught,
  );
  return error === null ? status.OK : error.code;
};

describe('an error', () => {
  it('has our code, in words and in the details, and what to do', async ({ owner }) => {
    const error = await owner
      .ask('hsu.v1.WorkerService', 'GetWorker', { id: 'nobody' })
      .catch((caught: ServiceError) => caught);
    const { metadata, details } = error as ServiceError;
    expect(error).toMatchObject({ code: status.NOT_FOUND, details: 'there is no worker "nobody"' });
    expect(metadata.get('hsu-code')).toEqual(['E_UNKNOWN_WORKER']);
    const [bytes] = metadata.get('grpc-status-details-bin') as Buffer[];
    const told = messageOf('google.rpc.Status').deserialize(bytes as Buffer) as {
      readonly details: readonly [{ readonly type_url: string; readonly value: Buffer }];
    };
    expect(told).toMatchObject({ code: status.NOT_FOUND, message: details });
    expect(told.details[0].type_url).toBe('type.googleapis.com/google.rpc.ErrorInfo');
    expect(messageOf('google.rpc.ErrorInfo').deserialize(told.details[0].value)).toEqual({
      reason: 'E_UNKNOWN_WORKER',
      domain: 'hsu-master',
      metadata: { next: 'List the workers and check the spelling.' },
    });
  });

  it('tells nothing of a defect but that there is one', async ({ owner, served: { master, defects } }) => {
    const defect = new Error('secret');
    Object.assign(master, {
      capabilities() {
        throw defect;
      },
    });
    const asked = owner.ask('hsu.v1.MasterService', 'ListCapabilities', {});
    await expect(asked).rejects.toMatchObject({
      code: status.INTERNAL,
      details: expect.not.stringContaining('secret'),
    });
    expect(defects).toEqual([defect]);
  });

  it.for([
    ['an id that is none', 'GetWorker', { id: '../etc' }],
    ['no pattern', 'ListWorkers', { select: [''] }],
    ['too many patterns', 'ListWorkers', { select: Array.from({ length: 1001 }, () => 'a') }],
    ['a long namespace', 'ListWorkers', { namespace: 'n'.repeat(65) }],
    ['a condition that is not known', 'WaitFor', { id: 'web', condition: 99 }],
    ['a negative span', 'WaitFor', { id: 'web', timeout: { seconds: -1, nanos: 0 } }],
  ] as const)('%s is a request that is not valid', async ([, method, question], { owner }) => {
    const asked = owner.ask('hsu.v1.WorkerService', method, question);
    await expect(asked).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
  });

  it('of other services, too', async ({ owner }) => {
    const refused = { code: status.INVALID_ARGUMENT };
    const signal = owner.ask('hsu.v1.OrderService', 'Signal', { id: 'web', signal: 'kill -9' });
    await expect(signal).rejects.toMatchObject(refused);
    await expect(owner.ask('hsu.v1.OrderService', 'GetTicket', { id: 'A B' })).rejects.toMatchObject(refused);
    const types = owner.ask('hsu.v1.EventService', 'ListEvents', { types: ['toString'] });
    await expect(types).rejects.toMatchObject({ ...refused, details: 'types: there is no event "toString"' });
    const level = owner.ask('hsu.v1.LogService', 'SearchLogs', { minLevel: 'loud' });
    await expect(level).rejects.toMatchObject(refused);
    const create = (question: object) => owner.ask('hsu.v1.TokenService', 'CreateToken', question);
    const grant = { role: 'reader' };
    for (const question of [
      { grant },
      { name: 'x'.repeat(65), grant },
      { name: 'bob' },
      { name: 'bob', grant: { role: 'king' } },
      { name: 'bob', grant: { ...grant, plus: ['everything'] } },
      { name: 'bob', grant: { ...grant, workers: [''] } },
      { name: 'bob', grant, expires: { seconds: -1, nanos: 0 } },
    ])
      await expect(create(question)).rejects.toMatchObject(refused);
    const revoke = owner.ask('hsu.v1.TokenService', 'RevokeToken', {});
    await expect(revoke).rejects.toMatchObject(refused);
    const lines = owner.ask('hsu.v1.LogService', 'TailLogs', { lines: 10_001 });
    await expect(lines).rejects.toMatchObject(refused);
    const from = { seconds: 1e15, nanos: 0 };
    await expect(owner.ask('hsu.v1.LogService', 'SearchLogs', { from })).rejects.toMatchObject(refused);
  });

  it('bytes that are no message are a request that is not valid', async ({ owner, served: { defects } }) => {
    for (const path of ['/hsu.v1.WorkerService/GetWorker', '/hsu.v1.EventService/FollowEvents']) {
      const ended = await send(owner, path, Buffer.from([0x0a, 0xff, 0xff, 0xff]));
      expect(ended).toMatchObject({ code: status.INVALID_ARGUMENT });
    }
    expect(defects).toEqual([]);
  });

  it('what is larger than anything that is taken is refused', async ({ owner }) => {
    const text = 'x'.repeat(3 * 1024 * 1024);
    const asked = owner.ask('hsu.v1.MasterService', 'Validate', { text });
    await expect(asked).rejects.toMatchObject({ code: status.RESOURCE_EXHAUSTED });
  });

  it('a method that is not there is not implemented, whatever its name', async ({ owner }) => {
    for (const path of ['/hsu.v1.WorkerService/Nothing', '/no', '/hsu.v1.WorkerService/__proto__'])
      expect(await send(owner, path, Buffer.alloc(0))).toMatchObject({ code: status.UNIMPLEMENTED });
  });

  it('a deadline ends what waits', async ({ owner, served: { master } }) => {
    master.settle = () => new Promise(() => {});
    const wait = { seconds: 600, nanos: 0 };
    const asked = owner.ask('hsu.v1.OrderService', 'Stop', { id: 'web', wait }, 100);
    await expect(asked).rejects.toMatchObject({ code: status.DEADLINE_EXCEEDED });
  });
});

describe('who asks', () => {
  it('is known by a token, but for what the doors of health show', async ({ served }) => {
    const services = loadProtos();
    const nobody = served.caller(null);
    const wrong = served.caller('guessed');
    const open = ['/proto.CoreService/Ping', '/grpc.health.v1.Health/Check', '/grpc.health.v1.Health/Watch'];
    const paths = Object.entries(services)
      .filter(([name]) => name in ({ ...all } satisfies Record<keyof Services, true>))
      .flatMap(([, methods]) => Object.values(methods as Record<string, { readonly path: string }>))
      .map(({ path }) => path);
    expect(paths.length).toBeGreaterThan(25);
    for (const path of paths) {
      const expected = open.includes(path) ? expect.any(Buffer) : expect.objectContaining({ code: 16 });
      expect([path, await send(nobody, path, Buffer.alloc(0))]).toEqual([path, expected]);
      expect([path, await send(wrong, path, Buffer.alloc(0))]).toEqual([path, expected]);
    }
    for (const service of ['web', 'hsu.v1.WorkerService', 'nobody']) {
      const asked = nobody.ask('grpc.health.v1.Health', 'Check', { service });
      await expect(asked).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
    }
  });

  it('may be told so without a token by the original’s Status where that is configured', async ({
    served,
  }) => {
    const { serve } = await import('./rig.ts');
    const open = await serve(served.master, { openStatus: true });
    try {
      const told = await open.caller(null).ask('proto.MasterService', 'Status', {});
      expect(told).toEqual({ status: 'hsu-master: OK' });
    } finally {
      await open.close();
    }
  });

  it('a connection on which nobody shows a valid token is ended after a while, others are not', async () => {
    const { serve } = await import('./rig.ts');
    const served = await serve(undefined, { strangers: 2500 * factor });
    try {
      const owner = served.caller('reader');
      await owner.ask('hsu.v1.MasterService', 'GetVersion', {});
      const [known] = served.sockets;
      const own = { 'grpc.use_local_subchannel_pool': 1 };
      const stranger = served
        .caller('guessed', own)
        .stream('grpc.health.v1.Health', 'Watch', { service: '' });
      await stranger.until((messages) => messages.length === 1);
      expect(served.sockets.size).toBe(2);
      expect(await stranger.ended).toMatchObject({ code: status.UNAVAILABLE });
      expect(known?.destroyed).toBe(false);
      expect(await owner.ask('proto.MasterService', 'Status', {})).toEqual({ status: 'hsu-master: OK' });
    } finally {
      await served.close();
    }
  });

  it('who asks too often hears that', async ({ served }) => {
    const asked = served.caller('busy').ask('hsu.v1.MasterService', 'GetVersion', {});
    await expect(asked).rejects.toMatchObject({ code: status.RESOURCE_EXHAUSTED });
  });

  it('is asked for once for each call, with the address that it comes from', async ({
    owner,
    served: { gate },
  }) => {
    await owner.ask('hsu.v1.WorkerService', 'ListWorkers', {});
    await owner.ask('proto.CoreService', 'Ping', {});
    expect(gate.admitted).toEqual(['all grpc 127.0.0.1']);
  });

  it('a reader reads, but neither orders nor reads logs; what is refused is written down', async ({
    served,
  }) => {
    const reader = served.caller('reader');
    expect(await code(reader.ask('hsu.v1.WorkerService', 'GetWorker', { id: 'web' }))).toBe(status.OK);
    expect(await code(reader.ask('hsu.v1.EventService', 'ListEvents', {}))).toBe(status.OK);
    expect(await code(reader.ask('proto.MasterService', 'Status', {}))).toBe(status.OK);
    const denied = [
      reader.ask('hsu.v1.OrderService', 'Stop', { id: 'web' }),
      reader.ask('hsu.v1.OrderService', 'Signal', { id: 'web', signal: 'SIGHUP' }),
      reader.ask('hsu.v1.LogService', 'TailLogs', {}),
      reader.ask('hsu.v1.LogService', 'SearchLogs', {}),
      reader.ask('hsu.v1.MasterService', 'Shutdown', {}),
    ];
    for (const one of denied) expect(await code(one)).toBe(status.PERMISSION_DENIED);
    expect(served.master.asked).toEqual([]);
    expect(served.deeds.map(({ action }) => action).toSorted()).toEqual([
      'logs:read',
      'logs:read',
      'master:shutdown',
      'workers:order',
      'workers:signal',
    ]);
    expect(served.deeds[0]).toMatchObject({
      by: { name: 'reader', from: 'grpc 127.0.0.1' },
      result: 'refused',
    });
    expect(await reader.ask('hsu.v1.WorkerService', 'Explain', { id: 'web' })).toMatchObject({
      lastWords: [],
    });
  });

  it('one with rights for a namespace sees no other', async ({ served }) => {
    const shop = served.caller('shop');
    const { workers } = await shop.ask('hsu.v1.WorkerService', 'ListWorkers', {});
    expect(workers.map(({ id }) => id)).toEqual(['web']);
    const denied = shop.ask('hsu.v1.WorkerService', 'GetWorker', { id: 'db' });
    await expect(denied).rejects.toMatchObject({ code: status.PERMISSION_DENIED });
    served.master.publish('db');
    served.master.publish(null);
    served.master.publish('web');
    const { events } = await shop.ask('hsu.v1.EventService', 'ListEvents', {});
    expect(events.map(({ worker }) => worker)).toEqual(['web']);
    const db = shop.ask('hsu.v1.EventService', 'ListEvents', { select: ['db'] });
    await expect(db).rejects.toMatchObject({ code: status.PERMISSION_DENIED });
    const { statuses } = await shop.ask('grpc.health.v1.Health', 'List', {});
    expect(statuses).toMatchObject({ web: { status: 'SERVING' }, '': { status: 'SERVING' } });
    expect(statuses).not.toHaveProperty('db');
    const health = shop.ask('grpc.health.v1.Health', 'Check', { service: 'db' });
    await expect(health).rejects.toMatchObject({ code: status.NOT_FOUND });
  });
});

/** Good enough for each method to come as far as the question of rights. */
const QUESTION: Readonly<Record<string, object>> = {
  Signal: { id: 'web', signal: 'SIGHUP' },
  Exec: { start: { id: 'web', argv: ['true'] } },
  CreateWorker: { worker: { fields: { id: { stringValue: 'new' } } } },
  ReplaceWorker: { id: 'web', worker: { fields: {} } },
};

describe('the rights that the documentation names', () => {
  it('are those that are asked for', async ({ served }) => {
    const ticket = await served.caller().ask('hsu.v1.OrderService', 'Stop', { id: 'web' });
    const powerless = served.caller('powerless');
    for (const [service, methods] of Object.entries(ASKS)) {
      for (const [method, asks] of Object.entries(methods as Readonly<Record<string, Asks>>)) {
        const { path, requestSerialize } = (loadProtos()[service] as ServiceDefinition)[method] as never as {
          readonly path: string;
          requestSerialize(question: object): Buffer;
        };
        const question = method === 'GetTicket' ? { id: ticket.id } : (QUESTION[method] ?? { id: 'web' });
        const isRight = asks !== 'nothing' && asks !== 'a token' && !asks.startsWith('each ');
        // J10: also where the message is none, or is about nobody.
        const wrong = [Buffer.from([0x0a, 0xff, 0xff, 0xff]), requestSerialize({ id: 'nobody' })];
        for (const bytes of [requestSerialize(question), ...(isRight ? wrong : [])]) {
          served.deeds.length = 0;
          const ended = await send(powerless, path, bytes);
          expect([path, served.deeds.map(({ action }) => action)]).toEqual([path, isRight ? [asks] : []]);
          if (isRight) expect([path, ended]).toEqual([path, expect.objectContaining({ code: 7 })]);
          else if (!path.includes('Reflection')) expect([path, ended]).toEqual([path, expect.any(Buffer)]);
        }
      }
    }
  });
});

/** So that none is forgotten here. */
const all: Record<keyof Services, true> = {
  'hsu.v1.WorkerService': true,
  'hsu.v1.OrderService': true,
  'hsu.v1.MasterService': true,
  'hsu.v1.ConfigService': true,
  'hsu.v1.EventService': true,
  'hsu.v1.LogService': true,
  'hsu.v1.ExecService': true,
  'hsu.v1.TokenService': true,
  'proto.CoreService': true,
  'proto.MasterService': true,
  'grpc.health.v1.Health': true,
  'grpc.reflection.v1.ServerReflection': true,
  'grpc.reflection.v1alpha.ServerReflection': true,
};

describe('a client that knows the original alone', () => {
  it('calls Ping and Status', async ({ served }: { served: Served }) => {
    const client = new Client(served.address, credentials.createInsecure());
    const metadata = new Metadata();
    metadata.set('authorization', 'Bearer all');
    const same = (one: Buffer): Buffer => one;
    const ask = (path: string): Promise<Buffer | undefined> =>
      new Promise((resolve, reject) => {
        client.makeUnaryRequest(path, same, same, Buffer.alloc(0), metadata, (error, answer) =>
          error === null ? resolve(answer) : reject(error),
        );
      });
    expect(await ask('/proto.CoreService/Ping')).toEqual(Buffer.alloc(0));
    const text = Buffer.from('hsu-master: OK');
    expect(await ask('/proto.MasterService/Status')).toEqual(
      Buffer.concat([Buffer.from([0x0a, text.length]), text]),
    );
    client.close();
  });
});
