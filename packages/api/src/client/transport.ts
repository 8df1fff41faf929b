import type { Agent as AnyAgent, IncomingMessage, RequestOptions } from 'node:http';
import type { Problem } from '../contract/index.ts';
import { socketAddress } from './address.ts';
import { ApiError, connectionError } from './api-error.ts';

// To import it evaluates all that it exports, and among that is a whole WebSocket client: twice the start of Node.
const { Agent, request: httpRequest } = process.getBuiltinModule('node:http');

/** Loaded where it is spoken alone. */
const secure = () => process.getBuiltinModule('node:https');

/** Where a master listens. */
export type Place =
  | { readonly socket: string }
  /** `https://host:port`; `ca`: who has signed its certificate, PEM, instead of those that the system knows. */
  | { readonly origin: string; readonly token?: string; readonly ca?: string };

/** Values of a query; lists repeat the name, what is not given is left out. */
export type Query = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

export interface Asked {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly query?: Query;
  readonly body?: object;
  readonly signal?: AbortSignal | undefined;
}

/** Asks one master, over connections that are kept. */
export class Transport {
  readonly #place: Place;
  readonly #agent: AnyAgent;
  readonly #isSecure: boolean;
  readonly #address: ReturnType<typeof socketAddress> | null;

  constructor(place: Place) {
    this.#place = place;
    const kept = { keepAlive: true, maxSockets: 16 };
    this.#isSecure = 'origin' in place && place.origin.startsWith('https:');
    if (this.#isSecure && 'origin' in place) {
      const ca = place.ca === undefined ? {} : { ca: place.ca };
      this.#agent = new (secure().Agent)({ ...kept, ...ca, minVersion: 'TLSv1.2' });
    } else this.#agent = new Agent(kept);
    this.#address = 'socket' in place ? addressOf(place.socket) : null;
  }

  async json<T>(asked: Asked): Promise<T> {
    const response = await this.#send(asked);
    const text = await textOf(response);
    const status = response.statusCode ?? 0;
    if (status >= 200 && status < 300) return JSON.parse(text) as T;
    throw errorFrom(status, text);
  }

  /** The objects of an answer with one on each line, as they come. Ends without an error when the signal is aborted. */
  async *lines<T>(asked: Asked): AsyncGenerator<T, void, void> {
    const response = await this.#send(asked);
    const status = response.statusCode ?? 0;
    if (status !== 200) throw errorFrom(status, await textOf(response));
    response.setEncoding('utf8');
    let rest = '';
    try {
      for await (const chunk of response as AsyncIterable<string>) {
        const parts = (rest + chunk).split('\n');
        rest = parts.pop() ?? '';
        for (const part of parts) if (part !== '') yield JSON.parse(part) as T;
      }
    } catch (error) {
      if (asked.signal?.aborted !== true) throw connectionError(error as NodeJS.ErrnoException, this.#name());
    } finally {
      response.destroy();
    }
  }

  close(): void {
    this.#agent.destroy();
    this.#address?.release();
  }

  #name(): string {
    return 'socket' in this.#place ? this.#place.socket : this.#place.origin;
  }

  #send(asked: Asked): Promise<IncomingMessage> {
    const { method = 'GET', path, query = {}, body, signal } = asked;
    const options: RequestOptions = {
      agent: this.#agent,
      method,
      path: `${path}${queryText(query)}`,
      headers: {
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...('token' in this.#place && this.#place.token !== undefined
          ? { authorization: `Bearer ${this.#place.token}` }
          : {}),
      },
      ...(signal === undefined ? {} : { signal }),
      ...this.#target(),
    };
    return new Promise((resolve, reject) => {
      const sent = this.#isSecure ? secure().request(options, resolve) : httpRequest(options, resolve);
      sent.on('error', (error: NodeJS.ErrnoException) => {
        // The master has just let go a connection that nobody used for a while. What changes nothing is asked again.
        const isStale = sent.reusedSocket && error.code === 'ECONNRESET' && signal?.aborted !== true;
        if (isStale && method === 'GET') resolve(this.#send(asked));
        else reject(connectionError(error, this.#name()));
      });
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  #target(): RequestOptions {
    if (this.#address !== null) {
      // Nobody's name has to be proved. An agent that is not told so looks at it with patterns of addresses that are first to be made.
      const target = { socketPath: this.#address.path, servername: '' };
      return target;
    }
    const { hostname, port } = new URL('origin' in this.#place ? this.#place.origin : '');
    return { hostname: hostname.replace(/^\[|\]$/g, ''), port };
  }
}

/** A folder that is not there holds no master. */
function addressOf(path: string): ReturnType<typeof socketAddress> {
  try {
    return socketAddress(path);
  } catch (error) {
    throw connectionError(error as NodeJS.ErrnoException, path);
  }
}

function queryText(query: Query): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) params.append(name, String(one));
  }
  return params.size === 0 ? '' : `?${params.toString()}`;
}

async function textOf(response: IncomingMessage): Promise<string> {
  response.setEncoding('utf8');
  let text = '';
  for await (const chunk of response as AsyncIterable<string>) text += chunk;
  return text;
}

function errorFrom(status: number, text: string): ApiError {
  try {
    return new ApiError(JSON.parse(text) as Problem);
  } catch {
    const detail = `the master answered ${status}: ${text.slice(0, 200)}`;
    return new ApiError({ code: 'E_INTERNAL', detail, next: 'Look at the log of the master.', status });
  }
}
