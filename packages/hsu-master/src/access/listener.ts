import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Server as SecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Api } from '@hsu-master/api';
import type { ApiConfig, TlsConfig } from '@hsu-master/config';
import {
  type Audit,
  type Control,
  type EventDraft,
  type Gate,
  HsuError,
  type Identity,
  type Milliseconds,
  problemOf,
} from '@hsu-master/core';
import { bound, originOf } from './bound.ts';
import { readCertificates, rotate } from './certificates.ts';
import { Rate } from './rate.ts';
import { crossOriginHeaders, isHostAllowed, isOriginAllowed, tokenOf } from './requests.ts';

export interface ListenerParts {
  readonly control: Control;
  readonly config: ApiConfig;
  readonly gate: Gate;
  readonly audit: Audit;
  /** How long somebody may take to say what he wants; 10 s. */
  readonly headersTimeout?: Milliseconds;
  /** Hears of what cannot have happened. */
  defect(error: unknown): void;
  tell(event: EventDraft): void;
}

/** The API over the network. */
export interface Listener {
  /** With its scheme and the port that it got. */
  readonly origin: string;
  /** Lets what is under way be answered, for a moment, and closes. */
  close(): Promise<void>;
}

const MOST_CONNECTIONS = 1024;
const HEADERS_TIMEOUT: Milliseconds = 10_000;
const REQUEST_TIMEOUT: Milliseconds = 60_000;
/** How often connections are looked at that send nothing, or too slowly. */
const LOOK: Milliseconds = 2000;
const KEPT_ALIVE: Milliseconds = 15_000;
const LAST_ANSWERS: Milliseconds = 1000;
/** Before somebody hears that his token is wrong. */
const WRONG_TOKEN: Milliseconds = 250;

/**
 * Listens at `api.listen`, with TLS where that is configured. Everybody shows a token; what is sent to a wrong name or by a page of
 * another origin is refused before anything else is looked at.
 * @throws HsuError E_ADDRESS where it cannot listen there; its detail has `inUse`
 */
export async function openListener(parts: ListenerParts): Promise<Listener> {
  const { config, gate, audit, control, defect } = parts;
  const identities = new WeakMap<IncomingMessage, Identity>();
  const load = async (): Promise<Api> => {
    const { createApi } = await import('@hsu-master/api');
    return createApi({
      control,
      authorize: gate.authorize,
      audit,
      defect,
      identify(request) {
        const identity = identities.get(request);
        if (identity === undefined) throw new HsuError('E_UNAUTHENTICATED', 'a request that nobody let in');
        return identity;
      },
      message: (request) => void gate.admit(credentialsOf(request)),
    });
  };
  let api: Promise<Api> | null = null;
  const server = serverOf(config.tls, parts.headersTimeout ?? HEADERS_TIMEOUT);
  server.maxConnections = MOST_CONNECTIONS;
  const door = new Door(parts, identities, () => (api ??= load()));
  server.on('request', (request, response) => door.request(request, response));
  server.on('upgrade', (request, socket, head: Buffer) => door.upgrade(request, socket, head));
  await bound(server, { ...config.listen, who: 'the API', key: 'api.listen' });
  const stopWatching =
    config.tls === null ? () => {} : rotate(server as SecureServer, config.tls, parts.tell);
  const { port } = server.address() as AddressInfo;
  const origin = originOf(config.tls === null ? 'http' : 'https', config.listen.host, port);
  parts.tell({ type: 'api.listening', payload: { address: origin } });
  return {
    origin,
    async close() {
      stopWatching();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      if (api !== null) await (await api).close();
      server.closeIdleConnections();
      const patience = setTimeout(() => {
        server.closeAllConnections();
        door.destroy();
      }, LAST_ANSWERS);
      await closed;
      clearTimeout(patience);
    },
  };
}

function serverOf(tls: TlsConfig | null, headersTimeout: Milliseconds): Server | SecureServer {
  const options = {
    headersTimeout,
    requestTimeout: REQUEST_TIMEOUT,
    connectionsCheckingInterval: Math.min(LOOK, headersTimeout),
    keepAliveTimeout: KEPT_ALIVE,
  };
  // To import them evaluates all that they export, which a master that has no such address does without.
  if (tls === null) return process.getBuiltinModule('node:http').createServer(options);
  const certificates = readCertificates(tls);
  return process
    .getBuiltinModule('node:https')
    .createServer({ ...options, ...certificates, handshakeTimeout: headersTimeout });
}

function credentialsOf(request: IncomingMessage): { readonly token: string | null; readonly from: string } {
  return { token: tokenOf(request), from: `tcp ${request.socket.remoteAddress ?? 'unknown'}` };
}

/** Says to whom a request goes on. */
class Door {
  readonly #parts: ListenerParts;
  readonly #identities: WeakMap<IncomingMessage, Identity>;
  readonly #api: () => Promise<Api>;
  /** Nobody fills the audit without a token. */
  readonly #refusals = new Rate(1 / 60, 10);
  /** Connections that speak WebSocket, of which the server knows nothing any more. */
  readonly #upgraded = new Set<Duplex>();

  constructor(parts: ListenerParts, identities: WeakMap<IncomingMessage, Identity>, api: () => Promise<Api>) {
    this.#parts = parts;
    this.#identities = identities;
    this.#api = api;
  }

  request(request: IncomingMessage, response: ServerResponse): void {
    const { config, defect, gate } = this.#parts;
    const { origin } = request.headers;
    const refusal = this.#refusal(request);
    if (refusal !== null) {
      this.#answer(response, refusal);
      return;
    }
    if (origin !== undefined && config.allowedOrigins.includes(origin)) {
      for (const [name, value] of Object.entries(crossOriginHeaders(origin))) response.setHeader(name, value);
      if (request.method === 'OPTIONS') {
        response.writeHead(204).end();
        return;
      }
    }
    const identity = this.#admit(request);
    if (identity instanceof HsuError) {
      this.#answer(response, identity);
      return;
    }
    response.once(
      'close',
      gate.watch(identity, () => request.socket.destroy()),
    );
    this.#api().then(
      (api) => api.request(request, response),
      (error: unknown) => {
        defect(error);
        response.writeHead(500).end();
      },
    );
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { defect, gate } = this.#parts;
    socket.on('error', () => {});
    const refusal = this.#refusal(request) ?? this.#admit(request);
    if (refusal instanceof HsuError) {
      const { status, title, ...rest } = problemOf(refusal.code, refusal.message);
      const body = JSON.stringify({ status, title, ...rest });
      const wait = refusal.code === 'E_UNAUTHENTICATED' ? WRONG_TOKEN : 0;
      const text = `HTTP/1.1 ${status} ${title.replace(/[^ -~]/g, '')}\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`;
      setTimeout(() => socket.end(text, () => socket.destroy()), wait).unref();
      return;
    }
    const unwatch = gate.watch(refusal, () => socket.destroy());
    this.#upgraded.add(socket);
    socket.once('close', () => {
      unwatch();
      this.#upgraded.delete(socket);
    });
    this.#api().then(
      (api) => api.upgrade(request, socket, head),
      (error: unknown) => {
        defect(error);
        socket.destroy();
      },
    );
  }

  destroy(): void {
    for (const socket of this.#upgraded) socket.destroy();
  }

  /** What is wrong with where it is sent to or where it comes from: such a thing is no business of the one behind the token. */
  #refusal(request: IncomingMessage): HsuError | null {
    const { config, audit } = this.#parts;
    const { host, origin } = request.headers;
    let message: string;
    if (!isHostAllowed(host, [...config.allowedHosts, config.listen.host]))
      message = `requests to the host "${short(host)}" are not answered; name it in api.allowed_hosts if it is yours`;
    else if (!isOriginAllowed(request.headers, config))
      message = `pages of "${short(origin)}" may not speak with the API; name it in api.allowed_origins if it is yours`;
    else return null;
    const by = { name: 'unknown', from: credentialsOf(request).from };
    if (this.#refusals.takes(by.from, performance.now()))
      audit.record({
        by,
        action: 'request',
        on: 'master',
        result: 'refused',
        why: message.split(';')[0] ?? null,
      });
    return new HsuError('E_FORBIDDEN', message);
  }

  #admit(request: IncomingMessage): Identity | HsuError {
    try {
      const identity = this.#parts.gate.admit(credentialsOf(request));
      this.#identities.set(request, identity);
      return identity;
    } catch (error) {
      if (error instanceof HsuError) return error;
      this.#parts.defect(error);
      return new HsuError('E_INTERNAL', 'the token could not be checked');
    }
  }

  #answer(response: ServerResponse, { code, message, detail }: HsuError): void {
    const problem = problemOf(code, message);
    const { retryAfter } = detail;
    const send = (): void => {
      response.writeHead(problem.status, {
        'content-type': 'application/problem+json',
        // What is left of the body is not waited for.
        connection: 'close',
        ...(code === 'E_UNAUTHENTICATED' ? { 'www-authenticate': 'Bearer realm="hsu-master"' } : {}),
        ...(typeof retryAfter === 'number' ? { 'retry-after': String(retryAfter) } : {}),
      });
      response.end(JSON.stringify(problem), () => letGo(response.socket));
    };
    if (code === 'E_UNAUTHENTICATED') setTimeout(send, WRONG_TOKEN).unref();
    else send();
  }
}

/** After a moment in which the answer is read: who still sends would hear a reset instead of it. */
function letGo(socket: Socket | null): void {
  if (socket === null) return;
  socket.resume();
  setTimeout(() => socket.destroy(), LAST_ANSWERS).unref();
}

function short(text: string | undefined): string {
  return text === undefined ? '' : text.replace(/[^ -~]/g, '?').slice(0, 100);
}
