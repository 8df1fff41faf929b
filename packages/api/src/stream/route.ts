import { HsuError } from '@hsu-master/core';
import type { App, Context } from '../context.ts';
import { Channel } from './channel.ts';
import { type Request, request as requestSchema } from './messages.ts';
import { refusal, type Subscriber, sendEvents, sendLogs, sendStates } from './subscriptions.ts';

/** Subscriptions of one connection. */
const MOST = 32;

/** `GET /v1/stream`: one WebSocket, several subscriptions to states, events and logs. */
export function streamRoute(app: App, context: Context): void {
  app.route({
    method: 'GET',
    url: '/v1/stream',
    config: { asks: 'a token' },
    schema: {
      tags: ['stream'],
      summary: 'A WebSocket for states, events and logs; see docs/api.md for its messages',
      operationId: 'stream',
    },
    handler: (_request, reply) => {
      const message = 'this address speaks WebSocket: ask with "Upgrade: websocket"';
      return reply.send(new HsuError('E_REQUEST', message));
    },
    wsHandler: (socket, request) => {
      const channel = new Channel(socket, context.patience);
      const subscriptions = new Subscriptions({ context, request, channel });
      socket.on('message', (data, isBinary) => {
        if (isBinary) channel.close(1003, 'messages are text');
        else subscriptions.hear(data as Buffer);
      });
      // What is wrong with a frame ends the connection, with the code of the protocol.
      socket.on('error', () => {});
      context.closing.addEventListener('abort', () => channel.close(1001, 'the master is closing'), {
        signal: channel.closed,
      });
    },
  });
}

class Subscriptions {
  readonly #subscriber: Subscriber;
  readonly #ends = new Map<string, AbortController>();

  constructor(subscriber: Subscriber) {
    this.#subscriber = subscriber;
  }

  hear(data: Buffer): void {
    const { channel, context } = this.#subscriber;
    try {
      context.message(this.#subscriber.request);
    } catch (error) {
      channel.send(refusal(null, error, context.defect));
      return;
    }
    const request = parse(data.toString());
    if (typeof request === 'string') {
      channel.send(refusal(null, new HsuError('E_REQUEST', request), context.defect));
      return;
    }
    if (request.op === 'end') {
      this.#ends.get(request.name)?.abort();
      return;
    }
    if (this.#ends.has(request.name) || this.#ends.size >= MOST) {
      const message = this.#ends.has(request.name)
        ? `there is a subscription "${request.name}" already`
        : `a connection has at most ${MOST} subscriptions`;
      channel.send(refusal(request.name, new HsuError('E_REQUEST', message), context.defect));
      return;
    }
    void this.#serve(request);
  }

  async #serve(request: Exclude<Request, { op: 'end' }>): Promise<void> {
    const { channel, context } = this.#subscriber;
    const end = new AbortController();
    this.#ends.set(request.name, end);
    const signal = AbortSignal.any([end.signal, channel.closed]);
    try {
      if (request.op === 'events') await sendEvents(this.#subscriber, request, signal);
      else if (request.op === 'states') await sendStates(this.#subscriber, request, signal);
      else await sendLogs(this.#subscriber, request, signal);
      channel.send({ name: request.name, kind: 'ended' });
    } catch (error) {
      channel.send(refusal(request.name, context.discreet(this.#subscriber.request, error), context.defect));
    } finally {
      this.#ends.delete(request.name);
    }
  }
}

/** A request, or what is wrong with it. */
function parse(text: string): Request | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'a message is JSON';
  }
  const parsed = requestSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  return parsed.error.issues
    .slice(0, 5)
    .map(({ path, message }) => `${path.join('.')}: ${message}`)
    .join('; ');
}
