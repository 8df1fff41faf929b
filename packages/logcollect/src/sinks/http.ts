import type { Agent, IncomingMessage, RequestOptions } from 'node:http';
import { type Bytes, type Clock, formatDuration, type Milliseconds } from '@hsu-master/core';
import { quoted } from './secrets.ts';
import { type TlsSpec, tlsSettings } from './tls.ts';

export interface HttpSpec {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: TlsSpec;
  /** Of one exchange, from the connection to the end of the answer. */
  readonly timeout: Milliseconds;
  readonly gzip: boolean;
  /** What must not be in any message. */
  readonly secrets: readonly string[];
}

export interface HttpRequest {
  /** Below the address’s own path; empty: that path itself with its query. */
  readonly path: string;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export type Answer =
  | {
      readonly kind: 'answered';
      readonly status: number;
      /** What the server asks to be left alone for. */
      readonly retryAfter: Milliseconds | null;
      readonly body: string;
      /** false: the answer was longer than what is read of it, or broke off. */
      readonly isWhole: boolean;
    }
  | { readonly kind: 'unanswered'; readonly reason: string };

/** Bytes of an answer that are read. */
const BODY_LIMIT: Bytes = 4 * 1024 * 1024;
/** Shorter bodies are not worth compressing. */
const GZIP_FROM = 1024;

/**
 * POSTs to one server over a connection that is kept. Redirects are not followed. What is told of the address is its origin, since
 * paths and queries hold secrets. The modules are loaded by the first request.
 */
export class HttpClient {
  readonly #spec: HttpSpec;
  readonly #clock: Clock;
  #agent: Agent | null = null;

  constructor(spec: HttpSpec, clock: Clock) {
    this.#spec = spec;
    this.#clock = clock;
  }

  /** The origin of the address: what messages name. */
  get shown(): string {
    return this.#spec.url.origin;
  }

  /** Text of the other side, fit for a message. */
  quote(text: string): string {
    return quoted(text, this.#spec.secrets);
  }

  /** Never rejects. */
  async post(request: HttpRequest, signal: AbortSignal): Promise<Answer> {
    try {
      const isZipped = this.#spec.gzip && request.body.length >= GZIP_FROM;
      const body = isZipped ? await gzipped(request.body) : Buffer.from(request.body);
      this.#agent ??= await this.#makeAgent();
      const first = await this.#exchange(request, body, isZipped, signal);
      // The server had closed the kept connection before it saw anything.
      if (first !== 'stale') return first;
      const second = await this.#exchange(request, body, isZipped, signal);
      return second === 'stale' ? this.#unanswered('the connection was closed') : second;
    } catch (error) {
      return this.#unanswered(error);
    }
  }

  close(): void {
    this.#agent?.destroy();
    this.#agent = null;
  }

  async #makeAgent(): Promise<Agent> {
    const options = { keepAlive: true, maxSockets: 1 };
    if (this.#spec.url.protocol !== 'https:')
      return new (process.getBuiltinModule('node:http').Agent)(options);
    const tls = await tlsSettings(this.#spec.tls);
    return new (process.getBuiltinModule('node:https').Agent)({ ...options, ...tls });
  }

  #exchange(
    { path, type, headers }: HttpRequest,
    body: Buffer,
    isZipped: boolean,
    signal: AbortSignal,
  ): Promise<Answer | 'stale'> {
    const { url, timeout } = this.#spec;
    const { promise, resolve } = Promise.withResolvers<Answer | 'stale'>();
    const { request } = process.getBuiltinModule(url.protocol === 'https:' ? 'node:https' : 'node:http');
    const asking = request({
      ...addressOf(url),
      method: 'POST',
      path: path === '' ? `${url.pathname}${url.search}` : `${url.pathname.replace(/\/$/, '')}${path}`,
      agent: this.#agent as Agent,
      headers: {
        'content-type': type,
        'content-length': body.length,
        'user-agent': 'hsu-master',
        accept: 'application/json',
        ...(isZipped ? { 'content-encoding': 'gzip' } : {}),
        ...this.#spec.headers,
        ...headers,
      },
    });
    let isSettled = false;
    const settle = (answer: Answer | 'stale'): void => {
      isSettled = true;
      cancelTimer();
      signal.removeEventListener('abort', giveUp);
      resolve(answer);
    };
    const end = (reason: string): void => {
      settle({ kind: 'unanswered', reason: `${this.shown}: ${reason}` });
      asking.destroy();
    };
    const giveUp = (): void => end('given up');
    const cancelTimer = this.#clock.after(timeout, () => end(`no answer within ${formatDuration(timeout)}`));
    if (signal.aborted) giveUp();
    else signal.addEventListener('abort', giveUp, { once: true });
    asking.on('response', (response) => hear(response, this.#clock, settle));
    asking.on('error', (error) => {
      if (isSettled) return;
      const isStale = asking.reusedSocket && 'code' in error && error.code === 'ECONNRESET';
      settle(isStale ? 'stale' : this.#unanswered(error));
    });
    asking.end(body);
    return promise;
  }

  #unanswered(error: unknown): Answer {
    // Certificates may have been renewed: they are read again for the next connection.
    this.close();
    return { kind: 'unanswered', reason: this.quote(`${this.shown}: ${describe(error)}`) };
  }
}

function addressOf(url: URL): RequestOptions {
  const { hostname, port, protocol } = process.getBuiltinModule('node:url').urlToHttpOptions(url);
  return { hostname: hostname ?? '', port: port ?? '', protocol: protocol ?? '' };
}

function hear(response: IncomingMessage, clock: Clock, settle: (answer: Answer) => void): void {
  const parts: Buffer[] = [];
  let size = 0;
  const over = (isWhole: boolean): void => {
    const retryAfter = parseRetryAfter(response.headers['retry-after'], clock.wallNow());
    const body = Buffer.concat(parts).toString();
    settle({ kind: 'answered', status: response.statusCode ?? 0, retryAfter, body, isWhole });
  };
  response.on('data', (chunk: Buffer) => {
    parts.push(chunk);
    size += chunk.length;
    if (size <= BODY_LIMIT) return;
    over(false);
    response.destroy();
  });
  response.on('end', () => over(response.complete));
  for (const broken of ['error', 'close']) response.on(broken, () => over(false));
}

/** In seconds or as a date. */
export function parseRetryAfter(text: string | undefined, now: number): Milliseconds | null {
  if (text === undefined) return null;
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const until = Date.parse(text);
  return Number.isNaN(until) ? null : Math.max(0, until - now);
}

function gzipped(text: string): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  process.getBuiltinModule('node:zlib').gzip(text, { level: 1 }, (error, bytes) => {
    if (error === null) resolve(bytes);
    else reject(error);
  });
  return promise;
}

/** Of several addresses that were tried, the first one’s error. */
export function describe(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return describe(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}
