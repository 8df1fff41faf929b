import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import {
  Client,
  type ClientDuplexStream,
  type ClientReadableStream,
  credentials,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js';
import type { MethodDefinition } from '@grpc/proto-loader';
import {
  type Audit,
  type Deed,
  forbidden,
  type Gate,
  HsuError,
  type Identity,
  type Right,
} from '@hsu-master/core';
import { FakeControl as FakeMaster, LINE, NOW } from '@hsu-master/testkit';
import { test } from 'vitest';
import { createGrpcServer, type GrpcServerOptions } from '../src/index.ts';
import type { Method, Services } from '../src/messages.ts';
import { loadProtos } from '../src/protos.ts';

export { FakeMaster, LINE, NOW };

/** `all`: everything. `reader`: reads everything but logs. `shop`: everything of the namespace shop. Any other: nobody. */
export function gate(): Gate & { readonly admitted: string[]; revoke(): void } {
  const watchers = new Set<() => void>();
  const admitted: string[] = [];
  const reads: readonly Right[] = ['workers:read', 'events:read', 'master:read', 'config:validate'];
  return {
    admitted,
    revoke: () => {
      for (const ended of watchers) ended();
    },
    admit({ token, from }) {
      admitted.push(`${token} ${from}`);
      if (token === 'busy') throw new HsuError('E_TOO_MANY', 'too many requests');
      if (token === null || !['all', 'reader', 'shop', 'powerless'].includes(token))
        throw new HsuError('E_UNAUTHENTICATED', 'a token is needed');
      return { kind: 'token', name: token, from, tokenId: token };
    },
    authorize(identity: Identity, right, resource) {
      if (identity.name === 'all') return null;
      if (identity.name === 'reader' && reads.includes(right)) return null;
      if (identity.name === 'shop' && resource.kind === 'worker' && resource.namespace === 'shop')
        return null;
      return forbidden(identity, right, resource);
    },
    watch(_identity, ended) {
      watchers.add(ended);
      return () => watchers.delete(ended);
    },
  };
}

type Service = keyof Services;
type Question<M> = M extends Method<string, infer Q, unknown> ? Partial<Q> : never;
type Answer<M> = M extends Method<string, unknown, infer A> ? A : never;

const protos = loadProtos();

/** Knows the server by its proto files alone. */
export class Caller {
  readonly client: Client;
  readonly metadata = new Metadata();

  constructor(address: string, token: string | null = 'all', options: object = {}) {
    this.client = new Client(address, credentials.createInsecure(), options);
    if (token !== null) this.metadata.set('authorization', `Bearer ${token}`);
  }

  ask<S extends Service, M extends keyof Services[S] & string>(
    service: S,
    name: M,
    question: Question<Services[S][M]>,
    deadline = 20_000,
  ): Promise<Answer<Services[S][M]>> {
    const { path, requestSerialize, responseDeserialize } = methodOf(service, name);
    return new Promise((resolve, reject) => {
      const options = { deadline: Date.now() + deadline };
      const answered = (error: ServiceError | null, value?: object): void =>
        error === null ? resolve(value as Answer<Services[S][M]>) : reject(error);
      this.client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        question,
        this.metadata,
        options,
        answered,
      );
    });
  }

  stream<S extends Service, M extends keyof Services[S] & string>(
    service: S,
    name: M,
    question: Question<Services[S][M]>,
  ): Heard<Answer<Services[S][M]>> {
    const { path, requestSerialize, responseDeserialize } = methodOf(service, name);
    const call = this.client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      question,
      this.metadata,
    );
    return new Heard(call as never);
  }

  /** Both ways at once: what is written with the answers of the call, and what it is told. */
  converse<S extends Service, M extends keyof Services[S] & string>(
    service: S,
    name: M,
  ): {
    readonly call: ClientDuplexStream<Question<Services[S][M]>, object>;
    readonly heard: Heard<Answer<Services[S][M]>>;
  } {
    const { path, requestSerialize, responseDeserialize } = methodOf(service, name);
    const call = this.client.makeBidiStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      this.metadata,
    );
    return { call, heard: new Heard(call as never) };
  }

  close(): void {
    this.client.close();
  }
}

function methodOf(service: string, name: string): MethodDefinition<object, object> {
  const found = (protos[service] as Record<string, MethodDefinition<object, object>>)[name];
  if (found === undefined) throw new Error(`${service} has no ${name}`);
  return found;
}

/** What a stream has told, and how it ended. */
export class Heard<T> {
  readonly messages: T[] = [];
  readonly call: ClientReadableStream<T>;
  /** null: in order. */
  readonly ended: Promise<ServiceError | null>;
  #wake: () => void = () => {};

  constructor(call: ClientReadableStream<T>) {
    this.call = call;
    this.ended = new Promise((resolve) => {
      call.on('error', (error: ServiceError) => resolve(error));
      call.on('end', () => resolve(null));
    });
    call.on('data', (message: T) => {
      this.messages.push(message);
      this.#wake();
    });
  }

  /** Resolves when `holds`, which is looked at with each message. */
  async until(holds: (messages: readonly T[]) => boolean): Promise<readonly T[]> {
    while (!holds(this.messages)) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.messages;
  }
}

export interface Served {
  readonly master: FakeMaster;
  readonly gate: ReturnType<typeof gate>;
  readonly deeds: Deed[];
  readonly defects: unknown[];
  readonly address: string;
  readonly port: number;
  readonly sockets: Set<Socket>;
  caller(token?: string | null, options?: object): Caller;
  close(): Promise<void>;
}

/** Serves a fake master on a real port. */
export async function serve(
  master = new FakeMaster(),
  options: Partial<GrpcServerOptions> = {},
): Promise<Served> {
  const callers: Caller[] = [];
  const sockets = new Set<Socket>();
  const defects: unknown[] = [];
  const deeds: Deed[] = [];
  const audit: Audit = {
    record: (deed) => void deeds.push(deed),
    read: ({ limit }) => Promise.resolve(deeds.slice(-limit).map((deed) => ({ at: NOW, ...deed }))),
  };
  const own = gate();
  const server = createGrpcServer({
    control: master,
    gate: own,
    audit,
    openStatus: false,
    defect: (error) => void defects.push(error),
    ...options,
  });
  const listener = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    server.accept(socket);
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  const address = `127.0.0.1:${port}`;
  return {
    master,
    gate: own,
    deeds,
    defects,
    address,
    port,
    sockets,
    caller(token, more) {
      const caller = new Caller(address, token, more);
      callers.push(caller);
      return caller;
    },
    async close() {
      listener.close();
      await server.close();
      for (const caller of callers) caller.close();
    },
  };
}

export const it = test.extend<{ served: Served; owner: Caller }>({
  // oxlint-disable-next-line no-empty-pattern
  served: async ({}, use) => {
    const served = await serve();
    try {
      await use(served);
    } finally {
      await served.close();
    }
  },
  owner: async ({ served }, use) => {
    await use(served.caller());
  },
});
