const HEAD = 5;

/** Messages of a program that is asked how it is are small. */
const LARGEST = 2 ** 20;

/** A message as it is sent: uncompressed, its length before it. */
export function frame(message: Buffer): Buffer {
  const head = Buffer.alloc(HEAD);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** Cuts what arrives into messages. Throws for what it cannot read. */
export class Frames {
  #rest: Buffer = Buffer.alloc(0);

  add(chunk: Buffer): readonly Buffer[] {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const messages: Buffer[] = [];
    while (this.#rest.length >= HEAD) {
      const length = this.#rest.readUInt32BE(1);
      if (this.#rest[0] !== 0) throw new Error('the answer is compressed');
      if (length > LARGEST) throw new Error(`the answer has ${length} bytes`);
      if (this.#rest.length < HEAD + length) break;
      messages.push(this.#rest.subarray(HEAD, HEAD + length));
      this.#rest = this.#rest.subarray(HEAD + length);
    }
    return messages;
  }
}
