import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';

/** One JSON object a line. */
export const LINES = 'application/x-ndjson';

/** At most so many items are written at once. */
const BATCH = 256;

/** Answers with one line for each item, as they come; whoever does not read makes the source wait. */
export function sendLines<T>(
  reply: FastifyReply,
  items: AsyncIterable<readonly T[] | T>,
  tell: (item: T) => object,
): FastifyReply {
  const texts = async function* (): AsyncGenerator<string> {
    // The head of the answer goes out with the first piece: whoever waits for nothing yet hears that it is heard.
    yield '\n';
    for await (const item of items) {
      const list = Array.isArray(item) ? (item as readonly T[]) : [item as T];
      for (let at = 0; at < list.length; at += BATCH) {
        yield `${list
          .slice(at, at + BATCH)
          .map((one) => JSON.stringify(tell(one)))
          .join('\n')}\n`;
      }
    }
  };
  return reply.type(LINES).send(Readable.from(texts(), { objectMode: true, highWaterMark: 4 }));
}
