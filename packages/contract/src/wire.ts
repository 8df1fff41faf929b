// The part of Protocol Buffers’ wire format that the contract’s few messages take.

/** A field: its number, and a number (varint), text, truth or message. What is 0, empty or false is not sent, as proto3 has it. */
export type Field = readonly [number: number, value: number | string | boolean | Uint8Array];

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

export function encode(fields: readonly Field[]): Buffer {
  const bytes: number[] = [];
  for (const [number, value] of fields) {
    if (typeof value === 'number' || typeof value === 'boolean') {
      const amount = Number(value);
      if (amount === 0) continue;
      varint(bytes, number * 8 + VARINT);
      varint(bytes, amount);
      continue;
    }
    if (value === '') continue;
    const content = typeof value === 'string' ? Buffer.from(value) : value;
    varint(bytes, number * 8 + BYTES);
    varint(bytes, content.length);
    bytes.push(...content);
  }
  return Buffer.from(bytes);
}

function varint(bytes: number[], value: number): void {
  let left = value;
  while (left >= 0x80) {
    bytes.push((left % 0x80) | 0x80);
    left = Math.floor(left / 0x80);
  }
  bytes.push(left);
}

/** Of each field the last value, as a number or as bytes. Throws where the bytes are no message. */
export class Message {
  readonly #fields = new Map<number, number | Uint8Array>();

  constructor(bytes: Uint8Array) {
    const reader = new Reader(bytes);
    while (!reader.atEnd) {
      const tag = reader.varint();
      const kind = tag % 8;
      const number = (tag - kind) / 8;
      if (kind === VARINT) this.#fields.set(number, reader.varint());
      else if (kind === BYTES) this.#fields.set(number, reader.take(reader.varint()));
      else if (kind === FIXED64) reader.take(8);
      else if (kind === FIXED32) reader.take(4);
      else throw new Error(`wire type ${kind} is not known`);
    }
  }

  number(field: number): number {
    const value = this.#fields.get(field);
    return typeof value === 'number' ? value : 0;
  }

  text(field: number): string {
    const value = this.#fields.get(field);
    return value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : '';
  }

  /** null: it is not there. */
  message(field: number): Message | null {
    const value = this.#fields.get(field);
    return value instanceof Uint8Array ? new Message(value) : null;
  }
}

class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** At most ten bytes; what is beyond 2^53 is not exact. */
  varint(): number {
    let value = 0;
    for (let scale = 1, count = 0; count < 10; count += 1, scale *= 0x80) {
      const byte = this.take(1)[0] as number;
      value += (byte % 0x80) * scale;
      if (byte < 0x80) return value;
    }
    throw new Error('a number has no end');
  }

  take(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new Error('the message is cut off');
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}
