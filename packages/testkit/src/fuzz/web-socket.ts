import fc from 'fast-check';

/** What a connection begins with that is to speak WebSocket. */
export function upgradeHead(headers: Readonly<Record<string, string>> = {}): string {
  const all = {
    host: 'localhost',
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET /v1/stream HTTP/1.1\r\n${lines.join('')}\r\n`;
}

const name = fc.constantFrom('a', 'b', '', 'x'.repeat(65));
const message = fc.oneof(
  fc.json({ maxDepth: 3 }),
  fc.string(),
  fc
    .record(
      {
        op: fc.constantFrom('states', 'events', 'logs', 'end', 'x'),
        name,
        select: fc.array(fc.constantFrom('*', 'web', 'nobody', '', '/'), { maxLength: 3 }),
        types: fc.constantFrom([], ['worker.ready'], ['x'], 5),
        since: fc.constantFrom(0, 1, -1, 1e300, 'x'),
        master: fc.constantFrom('x', 5),
        lines: fc.constantFrom(0, 3, -1, 1e9),
      },
      { requiredKeys: ['op', 'name'] },
    )
    .map((one) => JSON.stringify(one)),
);

const payload = fc.oneof(
  { weight: 3, arbitrary: message.map((one) => Buffer.from(one)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((one) => Buffer.from(one)) },
);

/** One frame: most are as RFC 6455 has them, others lie about their length, are not masked, or of a kind that there is not. */
const frame = fc
  .record({
    payload,
    opcode: fc.oneof({ weight: 4, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.nat({ max: 15 }) }),
    bits: fc.oneof({ weight: 6, arbitrary: fc.constant(8) }, { weight: 1, arbitrary: fc.nat({ max: 15 }) }),
    isMasked: fc.nat({ max: 9 }).map((one) => one > 0),
    lie: fc.option(fc.constantFrom(0, 5, 0xffff, 0xffffffff), { freq: 10 }),
  })
  .map(({ payload: content, opcode, bits, isMasked, lie }) => {
    const mask = Buffer.from([1, 2, 3, 4]);
    const body = isMasked ? content.map((byte, at) => byte ^ (mask[at % 4] ?? 0)) : content;
    return Buffer.concat([
      Buffer.from([(bits << 4) | opcode]),
      lengthOf(lie ?? content.length, isMasked),
      isMasked ? mask : Buffer.alloc(0),
      body,
    ]);
  });

function lengthOf(length: number, isMasked: boolean): Buffer {
  const mask = isMasked ? 0x80 : 0;
  if (length < 126) return Buffer.from([mask | length]);
  const bytes = Buffer.alloc(length > 0xffff ? 9 : 3);
  bytes[0] = mask | (length > 0xffff ? 127 : 126);
  if (length > 0xffff) bytes.writeBigUInt64BE(BigInt(length), 1);
  else bytes.writeUInt16BE(length, 1);
  return bytes;
}

/** What somebody sends who speaks WebSocket badly. */
export const webSocketFrames: fc.Arbitrary<Buffer> = fc
  .array(frame, { maxLength: 8 })
  .map((frames) => Buffer.concat(frames));
