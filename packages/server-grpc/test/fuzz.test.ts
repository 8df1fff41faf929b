import { type ClientHttp2Session, connect as connectSession } from 'node:http2';
import { connect, type Socket } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Served, serve } from './rig.ts';

/** How many inputs; many more with HSU_LONG. */
const RUNS = process.env.HSU_LONG === undefined ? 300 : 20_000;
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const SETTINGS = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);

let served: Served;

beforeAll(async () => {
  served = await serve();
});

afterAll(async () => {
  await served.close();
});

/** Sends bytes and resolves when the server has ended the connection, or has read them all and waits for more. */
function send(bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const socket: Socket = connect(served.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.on('close', () => resolve());
    socket.resume();
    socket.end(bytes);
  });
}

/** One frame of HTTP/2, whatever is in it. */
const frame = fc
  .record({
    type: fc.nat({ max: 12 }),
    flags: fc.nat({ max: 255 }),
    stream: fc.oneof(fc.nat({ max: 7 }), fc.nat({ max: 0x7fffffff })),
    payload: fc.uint8Array({ maxLength: 200 }),
    lie: fc.option(fc.nat({ max: 0xffffff }), { freq: 8 }),
  })
  .map(({ type, flags, stream, payload, lie }) => {
    const head = Buffer.alloc(9);
    head.writeUIntBE(lie ?? payload.length, 0, 3);
    head[3] = type;
    head[4] = flags;
    head.writeUInt32BE(stream, 5);
    return Buffer.concat([head, payload]);
  });

const word = fc.oneof(
  fc.string({ maxLength: 30 }).map((text) => text.replaceAll(/[^!-~]/g, '')),
  fc.constantFrom('hsu.v1.WorkerService', 'GetWorker', 'FollowLogs', 'proto.CoreService', '__proto__', '..'),
);

const message = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc
    .record({
      head: fc.uint8Array({ minLength: 1, maxLength: 1 }),
      length: fc.nat({ max: 400 }),
      body: fc.uint8Array({ maxLength: 300 }),
    })
    .map(({ head, length, body }) =>
      Buffer.concat([head, Buffer.from([0, 0, length >> 8, length & 255]), body]),
    ),
);

const header = fc.constantFrom(
  {},
  { 'grpc-timeout': '1x' },
  { 'grpc-timeout': '99999999H' },
  { 'grpc-encoding': 'gzip' },
  { 'grpc-encoding': 'none' },
  { authorization: 'Bearer' },
  { authorization: `Bearer ${'x'.repeat(5000)}` },
  { 'content-type': 'text/plain' },
  { 'x-bin': '@@@' },
);

async function standsAsBefore(): Promise<void> {
  const caller = served.caller();
  expect(await caller.ask('proto.MasterService', 'Status', {})).toEqual({ status: 'hsu-master: OK' });
  caller.close();
  expect(served.defects).toEqual([]);
}

const LONG = 120_000 * Number(process.env.HSU_TIME_FACTOR ?? 1);

describe('whatever comes, the server answers on', () => {
  it(
    'bytes',
    async () => {
      const bytes = fc.oneof(
        fc.uint8Array({ maxLength: 2000 }).map((some) => Buffer.from(some)),
        fc.array(frame, { maxLength: 12 }).map((frames) => Buffer.concat([PREFACE, SETTINGS, ...frames])),
        fc.constantFrom(
          Buffer.from('GET / HTTP/1.1\r\nhost: x\r\n\r\n'),
          Buffer.from([0x16, 3, 1, 2, 0, 1, 0]),
        ),
      );
      await fc.assert(fc.asyncProperty(bytes, send), { numRuns: RUNS });
      await standsAsBefore();
    },
    LONG,
  );

  it(
    'calls',
    async () => {
      const call = fc.record({
        service: word,
        method: word,
        message,
        header,
        token: fc.constantFrom('all', 'reader', 'nobody'),
        cancel: fc.boolean(),
      });
      const connected = (): ClientHttp2Session =>
        connectSession(`http://${served.address}`).on('error', () => {});
      let session = connected();
      try {
        const answered = fc.asyncProperty(call, async (one) => {
          // Who breaks off call after call is shown the door, and comes again.
          if (session.closed || session.destroyed) session = connected();
          const stream = session.request({
            ':method': 'POST',
            ':path': `/${one.service}/${one.method}`,
            'content-type': 'application/grpc',
            te: 'trailers',
            authorization: `Bearer ${one.token}`,
            ...one.header,
          });
          stream.on('error', () => {});
          const over = new Promise<void>((resolve) => stream.once('close', () => resolve()));
          const isSpeaking = new Promise<void>((resolve) => stream.once('response', () => resolve()));
          stream.resume();
          stream.end(Buffer.from(one.message));
          if (one.cancel) stream.close();
          await Promise.race([over, isSpeaking]);
          stream.close();
          await over;
        });
        await fc.assert(answered, { numRuns: RUNS });
      } finally {
        session.destroy();
      }
      await standsAsBefore();
    },
    LONG,
  );
});
