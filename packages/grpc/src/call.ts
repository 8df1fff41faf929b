import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import type { LookupFunction } from 'node:net';
import type { GrpcTarget } from '@hsu-master/core';
import { Frames, frame } from './frames.ts';
import { internal, type Status, statusOf, statusOfError, statusOfHttp } from './status.ts';

/** What is heard of a call: messages, then once how it ended. */
export interface CallNews {
  message(bytes: Buffer): void;
  ended(status: Status): void;
}

/**
 * One gRPC call over a connection of its own, which ends with it whatever state it is in. That is why it is not made by @grpc/grpc-js
 * (1.14): its connections to who accepts and then says nothing stay open for ever, and a program that hangs is asked again and again.
 */
export class Call {
  readonly #session: ClientHttp2Session;
  readonly #stream: ClientHttp2Stream;
  readonly #news: CallNews;
  readonly #frames = new Frames();
  #status: Status | null = null;
  #over = false;

  /** Throws for headers that cannot be sent. */
  constructor(target: GrpcTarget, path: string, news: CallNews) {
    this.#news = news;
    const { connect } = process.getBuiltinModule('node:http2');
    const { connect: dial } = process.getBuiltinModule('node:net');
    const { host, port } = target;
    const place = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
    const options = { host, port, lookup: fixed(target), autoSelectFamily: true };
    this.#session = connect(`http://${place}`, { createConnection: () => dial(options) });
    this.#session.on('error', (error) => this.#end(statusOfError(error)));
    this.#session.on('close', () => this.#end(internal('the connection was closed')));
    this.#stream = this.#request(target, path);
  }

  send(message: Buffer): void {
    if (!this.#over) this.#stream.write(frame(message));
  }

  /** Nothing more will be sent. */
  finish(): void {
    if (!this.#over) this.#stream.end();
  }

  /** Nothing is heard afterwards. */
  cancel(): void {
    this.#over = true;
    this.#session.destroy();
  }

  #request(target: GrpcTarget, path: string): ClientHttp2Stream {
    try {
      const headers = {
        ':method': 'POST',
        ':path': path,
        'content-type': 'application/grpc',
        te: 'trailers',
      };
      const stream = this.#session.request({ ...lowered(target.headers), ...headers });
      stream.on('response', (answer) => this.#begin(answer));
      stream.on('trailers', (trailers) => {
        this.#status ??= statusOf(trailers);
      });
      stream.on('data', (chunk: Buffer) => this.#take(chunk));
      stream.on('error', (error) => this.#end(statusOfError(error)));
      stream.on('close', () => this.#end(this.#status ?? internal('the answer broke off')));
      return stream;
    } catch (error) {
      this.cancel();
      throw error;
    }
  }

  #begin(answer: IncomingHttpHeaders & { readonly ':status'?: number | undefined }): void {
    this.#status = statusOf(answer);
    const isGrpc = answer['content-type']?.startsWith('application/grpc') === true;
    if (this.#status === null && !isGrpc) this.#end(statusOfHttp(answer[':status'] ?? 0));
  }

  #take(chunk: Buffer): void {
    try {
      for (const message of this.#frames.add(chunk)) {
        if (this.#over) return;
        this.#news.message(message);
      }
    } catch (error) {
      this.#end(internal(error instanceof Error ? error.message : String(error)));
    }
  }

  #end(status: Status): void {
    if (this.#over) return;
    this.cancel();
    this.#news.ended(status);
  }
}

/** Gives the socket the addresses that were found already. */
function fixed({ addresses }: GrpcTarget): LookupFunction {
  return (_host, options, answered) => {
    const [first] = addresses;
    if (options.all === true) answered(null, [...addresses]);
    else if (first === undefined) answered(new Error('it has no address'), '', 4);
    else answered(null, first.address, first.family);
  };
}

function lowered(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
