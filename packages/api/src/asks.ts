import { findWorker, type Resource, type Right } from '@hsu-master/core';
import type { FastifyRequest } from 'fastify';
import type { App, Context } from './context.ts';

/** What a route asks for before anything of a body is read. */
export type Asks =
  /** A right over the master. */
  | { readonly master: Right }
  /** Over the worker that its address names. */
  | { readonly worker: Right }
  /** Over at least one worker: which one is said in the body, or by what the address names. */
  | { readonly some: Right }
  /** Nothing yet: of a list, only those are told over which one has the right. */
  | { readonly each: Right }
  /** Nothing but that it is known who asks. */
  | 'a token';

declare module 'fastify' {
  interface FastifyContextConfig {
    asks?: Asks;
  }
  interface FastifySchema {
    /** For the documentation. */
    'x-right'?: string;
  }
}

/**
 * Refuses, and writes down, what may not be asked: before the body is read, so that nobody learns from it what he may not know, and
 * again when it has been, since that takes as long as whoever sends it likes.
 */
export function askFirst(app: App, { control, demand }: Pick<Context, 'control' | 'demand'>): void {
  app.addHook('onRoute', ({ config, schema, url }) => {
    const asks = config?.asks;
    if (asks === undefined) throw new Error(`${url} does not say what it asks for`);
    if (schema !== undefined && asks !== 'a token') schema['x-right'] = describedAs(asks);
  });
  const ask = async (request: FastifyRequest): Promise<void> => {
    const { asks } = request.routeOptions.config;
    if (asks === undefined || asks === 'a token' || 'each' in asks) return;
    if ('master' in asks) demand(request, asks.master, { kind: 'master' });
    else if ('some' in asks) demand(request, asks.some, { kind: 'some-worker' });
    else demand(request, asks.worker, named(request));
  };
  /** Where there is no such worker the handler says so, to those who might have asked for one. */
  const named = ({ params }: FastifyRequest): Resource => {
    const { id } = params as { readonly id: string };
    const worker = findWorker(control, id);
    return worker === null
      ? { kind: 'some-worker' }
      : { kind: 'worker', id: worker.id, namespace: worker.namespace };
  };
  app.addHook('onRequest', ask);
  app.addHook('preHandler', async (request) => {
    if (request.body !== undefined && request.body !== null) await ask(request);
  });
}

function describedAs(asks: Exclude<Asks, 'a token'>): string {
  if ('each' in asks) return `each ${asks.each}`;
  return Object.values(asks)[0] as string;
}
