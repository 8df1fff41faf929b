import { once } from 'node:events';
import {
  createServer as createPlain,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createSecure, type ServerOptions } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { onTestFinished } from 'vitest';

export interface Heard {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** What the service does with a request. */
export type Behaviour =
  | { readonly status: number; readonly body?: string; readonly headers?: Readonly<Record<string, string>> }
  /** Reads and never answers. */
  | 'stall'
  /** Says so much of its answer, then hangs up. */
  | { readonly hangUpAfter: string; readonly status: number }
  /** Hangs up without an answer. */
  | 'hang-up';

/** An HTTP server that stands in for a log service: it says on the wire what the service would. */
export class FakeService {
  readonly heard: Heard[] = [];
  readonly sockets = new Set<Socket>();
  /** Asked for each request. */
  answer: (request: Heard) => Behaviour = () => ({ status: 200 });
  #server: Server;
  readonly #scheme: string;

  constructor(tls: ServerOptions | null = null) {
    this.#scheme = tls === null ? 'http' : 'https';
    const listener = (request: IncomingMessage, response: ServerResponse) =>
      void this.#hear(request, response);
    this.#server = tls === null ? createPlain(listener) : createSecure(tls, listener);
    this.#server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
    });
    onTestFinished(() => this.stop());
  }

  async start(port = 0): Promise<this> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get origin(): string {
    return `${this.#scheme}://127.0.0.1:${this.port}`;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  /** Answers so in turn, then with the last one. */
  script(...behaviours: readonly Behaviour[]): void {
    let turn = 0;
    this.answer = () => {
      const behaviour = behaviours[Math.min(turn, behaviours.length - 1)] as Behaviour;
      turn += 1;
      return behaviour;
    };
  }

  async #hear(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    try {
      for await (const part of request) parts.push(part as Buffer);
    } catch {
      return;
    }
    const bytes = Buffer.concat(parts);
    const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes;
    const { method = '', url = '', headers } = request;
    const heard = { method, path: url, headers, body: body.toString() };
    this.heard.push(heard);
    const behaviour = this.answer(heard);
    if (behaviour === 'stall') return;
    if (behaviour === 'hang-up') {
      response.destroy();
    } else if ('hangUpAfter' in behaviour) {
      response.writeHead(behaviour.status, { 'content-length': '100000' });
      response.write(behaviour.hangUpAfter, () => setTimeout(() => response.destroy(), 10));
    } else {
      response.writeHead(behaviour.status, behaviour.headers);
      response.end(behaviour.body ?? '');
    }
  }
}
