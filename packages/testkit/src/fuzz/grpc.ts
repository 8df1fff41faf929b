import { type ClientHttp2Session, connect } from 'node:http2';
import fc from 'fast-check';

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const SETTINGS = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);

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

/** What somebody sends who speaks HTTP/2 badly, or something else. */
export const http2Garbage: fc.Arbitrary<Buffer> = fc.oneof(
  fc.uint8Array({ maxLength: 2000 }).map((some) => Buffer.from(some)),
  fc.array(frame, { maxLength: 12 }).map((frames) => Buffer.concat([PREFACE, SETTINGS, ...frames])),
  fc.constantFrom(Buffer.from('GET / HTTP/1.1\r\nhost: x\r\n\r\n'), Buffer.from([0x16, 3, 1, 2, 0, 1, 0])),
);

const word = fc.oneof(
  fc.string({ maxLength: 30 }).map((text) => text.replaceAll(/[^!-~]/g, '')),
  fc.constantFrom('__proto__', '..'),
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

/** In milliseconds. */
const LONGEST = 200;

/** One call of gRPC, as far as it is one. */
export interface GrpcCall {
  readonly path: string;
  readonly message: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
  readonly token: string;
  readonly isBrokenOff: boolean;
}

/** Calls of methods that there are, and of some that there are not, with messages that are none. */
export function grpcCalls(
  methods: readonly string[],
  tokens: readonly [string, ...string[]],
): fc.Arbitrary<GrpcCall> {
  return fc.record({
    path: fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(...methods) },
      { weight: 1, arbitrary: fc.tuple(word, word).map(([service, method]) => `/${service}/${method}`) },
    ),
    message,
    headers: header,
    token: fc.constantFrom(...tokens),
    isBrokenOff: fc.boolean(),
  });
}

/** Sends calls over one connection; who breaks off call after call is shown the door, and comes again. */
export class GrpcAttacker {
  readonly #address: string;
  #session: ClientHttp2Session | null = null;

  constructor(address: string) {
    this.#address = address;
  }

  /** The code of ours that it was answered with; null: none. */
  async send({ path, message: sent, headers, token, isBrokenOff }: GrpcCall): Promise<string | null> {
    const stream = this.#connected().request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      authorization: `Bearer ${token}`,
      ...headers,
    });
    let code: string | null = null;
    const look = (told: object): void => {
      code ??= (told as Record<string, string | undefined>)['hsu-code'] ?? null;
    };
    stream.on('error', () => {});
    const over = new Promise<void>((resolve) => stream.once('close', () => resolve()));
    const isSpeaking = new Promise<void>((resolve) =>
      stream.once('response', (told) => {
        look(told);
        resolve();
      }),
    );
    stream.on('trailers', look);
    stream.resume();
    stream.end(Buffer.from(sent));
    if (isBrokenOff) stream.close();
    // Some wait for what does not come.
    const patience = setTimeout(() => stream.close(), LONGEST);
    await Promise.race([over, isSpeaking]);
    clearTimeout(patience);
    stream.close();
    await over;
    return code;
  }

  close(): void {
    this.#session?.destroy();
  }

  #connected(): ClientHttp2Session {
    if (this.#session === null || this.#session.closed || this.#session.destroyed)
      this.#session = connect(`http://${this.#address}`).on('error', () => {});
    return this.#session;
  }
}
