import { createRequire } from 'node:module';
import { places } from './places.ts';

/** What a subscriber is told: that it is one, with the number of the newest event; an event; that some are no longer kept. */
export type News =
  | { readonly kind: 'begun'; readonly seq: number }
  | { readonly kind: 'event'; readonly seq: number; readonly type: string }
  | { readonly kind: 'lost' };

/** A connection to a master for a subscription of its own. */
export interface Ear {
  /** Tells of all events that are kept, or only of what comes, until it is closed or fails. */
  hear(past: boolean, told: (news: News) => void, failed: (error: Error) => void): void;
  close(): void;
}

// As much as is needed here of the WebSocket that comes with the API: Node's own does not know unix sockets.
interface Socket {
  on(event: 'open', listener: () => void): this;
  on(event: 'message', listener: (data: Buffer) => void): this;
  on(event: 'close' | 'error', listener: (error?: unknown) => void): this;
  send(text: string): void;
  terminate(): void;
}
interface Ws {
  readonly WebSocket: new (address: string) => Socket;
}

interface Message {
  readonly kind: string;
  readonly seq?: number;
  readonly event?: { readonly seq: number; readonly type: string };
}

function newsOf({ kind, seq = 0, event }: Message): News {
  if (kind === 'begun' || kind === 'lost') return { kind, seq };
  if (event === undefined) throw new Error(`told of ${kind}`);
  return { kind: 'event', seq: event.seq, type: event.type };
}

/** Resolves when it is connected. */
export async function earByWebSocket(socketPath: string): Promise<Ear> {
  const { WebSocket } = createRequire(places.api)('ws') as Ws;
  const socket = new WebSocket(`ws+unix://${socketPath}:/v1/stream`);
  await new Promise<void>((resolve, reject) => socket.on('open', resolve).on('error', reject));
  return {
    hear(past, told, failed) {
      socket.on('message', (data) => {
        try {
          told(newsOf(JSON.parse(data.toString()) as Message));
        } catch (error) {
          failed(error as Error);
        }
      });
      socket.on('close', () => failed(new Error('the connection ended')));
      socket.send(JSON.stringify({ op: 'events', name: 'all', ...(past ? { since: 0 } : {}) }));
    },
    close: () => socket.terminate(),
  };
}

// As much as is needed here of @grpc/grpc-js, which comes with the server.
interface Call {
  on(event: 'data', listener: (message: Told) => void): this;
  on(event: 'error', listener: (error: Error) => void): this;
}
interface Told {
  readonly begun?: { readonly seq: number };
  readonly event?: { readonly seq: number; readonly type: string };
}
interface GrpcClient {
  waitForReady(deadline: number, ready: (error?: Error) => void): void;
  makeServerStreamRequest(...given: readonly unknown[]): Call;
  close(): void;
}
interface Grpc {
  readonly Client: new (address: string, credentials: unknown, options: object) => GrpcClient;
  readonly Metadata: new () => { set(name: string, value: string): void };
  readonly credentials: { createInsecure(): unknown };
}
interface Method {
  readonly path: string;
  readonly requestSerialize: unknown;
  readonly responseDeserialize: unknown;
}
interface Loader {
  loadSync(
    file: string,
    options: object,
  ): { readonly 'hsu.v1.EventService': { readonly FollowEvents: Method } };
}

/** The same over a connection of its own to a port. @param limit in ms */
export async function earByGrpc(address: string, token: string, limit: number): Promise<Ear> {
  const load = createRequire(places.grpcServer);
  const { Client, Metadata, credentials } = load('@grpc/grpc-js') as Grpc;
  const { PROTO_FOLDER } = load('@hsu-master/contract') as { readonly PROTO_FOLDER: string };
  const { loadSync } = load('@grpc/proto-loader') as Loader;
  const { FollowEvents } = loadSync('hsu/v1/events.proto', { includeDirs: [PROTO_FOLDER], longs: Number })[
    'hsu.v1.EventService'
  ];
  const client = new Client(address, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 });
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${token}`);
  await new Promise<void>((resolve, reject) => {
    client.waitForReady(Date.now() + limit, (error) => (error ? reject(error) : resolve()));
  });
  return {
    hear(past, told, failed) {
      const { path, requestSerialize, responseDeserialize } = FollowEvents;
      const question = past ? { since: 0 } : {};
      const call = client.makeServerStreamRequest(
        path,
        requestSerialize,
        responseDeserialize,
        question,
        metadata,
      );
      call.on('error', failed);
      call.on('data', ({ begun, event }) => {
        if (begun) told({ kind: 'begun', seq: begun.seq });
        else if (event) told({ kind: 'event', seq: event.seq, type: event.type });
        else told({ kind: 'lost' });
      });
    },
    close: () => client.close(),
  };
}

/**
 * Has all told of all events that are kept; how many each was told a second, from the subscription to the last one's last event. Rejects
 * where one was told fewer than `least`.
 */
export async function tellPast(ears: readonly Ear[], least: number): Promise<number> {
  const from = performance.now();
  const counts = await Promise.all(ears.map(hearPast));
  const seconds = (performance.now() - from) / 1000;
  const fewest = Math.min(...counts);
  if (fewest < least) throw new Error(`one of the subscribers was told ${fewest} events, not ${least}`);
  return fewest / seconds;
}

/** How many events came, to the newest of the moment of the subscription. */
function hearPast(ear: Ear): Promise<number> {
  return new Promise((resolve, reject) => {
    let [count, last] = [0, Number.POSITIVE_INFINITY];
    ear.hear(
      true,
      (news) => {
        if (news.kind === 'begun') last = news.seq;
        // Of what was long ago a master keeps no events, and says so; of others none may be lacking.
        else if (news.kind === 'lost' && count > 0) reject(new Error('events are lacking'));
        else if (news.kind === 'event') {
          count += 1;
          if (news.seq >= last) resolve(count);
        }
      },
      reject,
    );
  });
}

/**
 * Has all told of what comes of `act`, until each has heard of so many events of a type; how many events of all types each was told a
 * second, from `act` on. Rejects where an event is lacking.
 */
export async function tellLive(
  ears: readonly Ear[],
  type: string,
  awaited: number,
  act: () => void,
): Promise<number> {
  const heard = ears.map((ear) => hearLive(ear, type, awaited));
  await Promise.all(heard.map(({ begun }) => begun));
  const from = performance.now();
  act();
  const counts = await Promise.all(heard.map(({ all }) => all));
  return Math.min(...counts) / ((performance.now() - from) / 1000);
}

function hearLive(
  ear: Ear,
  type: string,
  awaited: number,
): { readonly begun: Promise<void>; readonly all: Promise<number> } {
  const begun = Promise.withResolvers<void>();
  const all = Promise.withResolvers<number>();
  let [count, ofType, last] = [0, 0, 0];
  const failed = (error: Error): void => {
    begun.reject(error);
    all.reject(error);
  };
  const told = (news: News): void => {
    if (news.kind === 'lost' || (news.kind === 'event' && news.seq !== last + 1)) {
      failed(new Error(`events are lacking after ${last}`));
      return;
    }
    last = news.seq;
    if (news.kind === 'begun') begun.resolve();
    else {
      count += 1;
      if (news.type === type) ofType += 1;
      if (ofType === awaited) all.resolve(count);
    }
  };
  // Rejected together with the other, and awaited after it.
  all.promise.catch(() => undefined);
  ear.hear(false, told, failed);
  return { begun: begun.promise, all: all.promise };
}
