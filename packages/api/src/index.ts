import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Audit, Authorize, Control, Identity, Milliseconds } from '@hsu-master/core';
import { createApp } from './app.ts';

/** The OpenAPI 3.1 document of all routes; what makes it is loaded when it is first asked for. */
export async function openApiDocument(): Promise<object> {
  return (await import('./openapi.ts')).openApiDocument();
}

export interface ApiOptions {
  readonly control: Control;
  /** Who sends this request; throws an HsuError E_UNAUTHENTICATED where nobody knows. */
  identify(request: IncomingMessage): Identity;
  readonly authorize: Authorize;
  readonly audit: Audit;
  /** Called for each message of a WebSocket; throws an HsuError E_TOO_MANY where it is one too many. Without it none is. */
  message?(request: IncomingMessage): void;
  /** How long somebody may read nothing of a WebSocket while something waits for him; 30 s. */
  readonly patience?: Milliseconds;
  /** Hears of what cannot have happened. */
  defect(error: unknown): void;
}

const PATIENCE: Milliseconds = 30_000;

/** Answers requests of any number of HTTP servers, which belong to whoever made them. */
export interface Api {
  request(request: IncomingMessage, response: ServerResponse): void;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Ends what has no end by itself; what comes later is refused. */
  close(): Promise<void>;
}

/** REST and WebSocket over a control. Resolves when it can answer. */
export async function createApi({ identify, message, ...options }: ApiOptions): Promise<Api> {
  const { app, close } = createApp({
    patience: PATIENCE,
    ...options,
    document: openApiDocument,
    identify: (request) => identify(request.raw),
    message: (request) => message?.(request.raw),
  });
  await app.ready();
  return {
    request: (request, response) => app.routing(request, response),
    upgrade(request, socket, head) {
      app.server.emit('upgrade', request, socket, head);
    },
    close,
  };
}
