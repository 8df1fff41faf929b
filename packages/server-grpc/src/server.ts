import type { Socket } from 'node:net';
import {
  Server,
  ServerCredentials,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { MethodDefinition } from '@grpc/proto-loader';
import type { Audit, Control, Gate, Milliseconds } from '@hsu-master/core';
import { ASKS, type Asks } from './asks.ts';
import type { AnyCall } from './call.ts';
import type { AllHandlers } from './handlers.ts';
import { type Bound, type Handling, handle } from './handling.ts';
import type { Services } from './messages.ts';
import { loadProtos } from './protos.ts';
import { configService } from './services/config.ts';
import { eventService } from './services/events.ts';
import { execService } from './services/exec.ts';
import { healthService } from './services/health.ts';
import { logService } from './services/logs.ts';
import { coreService, masterService, statusService } from './services/master.ts';
import { orderService } from './services/orders.ts';
import { reflectionService } from './services/reflection.ts';
import { tokenService } from './services/tokens.ts';
import { workerService } from './services/workers.ts';
import { refusals } from './status.ts';
import type { Patience } from './writer.ts';

export interface GrpcServerOptions {
  readonly control: Control;
  readonly gate: Gate;
  readonly audit: Audit;
  /** Whether the original’s Status is answered without a token, as the original did. */
  readonly openStatus: boolean;
  /** Hears of what cannot have happened. */
  defect(error: unknown): void;
  /** With those who read slowly. */
  readonly patience?: Partial<Patience>;
  /** How long a connection lasts on which nobody shows a valid token. */
  readonly strangers?: Milliseconds;
}

/** Answers gRPC on connections that others accept. */
export interface GrpcServer {
  /** Plain TCP, or TLS whose client has agreed on `h2`. */
  accept(socket: Socket): void;
  /** Refuses what comes, ends what has no end by itself, waits a moment for what is under way. */
  close(): Promise<void>;
}

/** In bytes: the largest question is the text of a configuration. */
const LARGEST = 2 * 1024 * 1024 + 64 * 1024;
const PATIENCE: Patience = { most: 256 * 1024, longest: 30_000, notice: 1000 };
const STRANGERS: Milliseconds = 30_000;
const LAST_ANSWERS: Milliseconds = 1000;

const SETTINGS = {
  'grpc.max_receive_message_length': LARGEST,
  'grpc.max_concurrent_streams': 100,
  // Of one connection, in MiB.
  'grpc-node.max_session_memory': 16,
  'grpc.max_connection_idle_ms': 300_000,
  // Who does not answer a ping is gone.
  'grpc.keepalive_time_ms': 30_000,
  'grpc.keepalive_timeout_ms': 20_000,
  'grpc.enable_channelz': 0,
};

/** Methods that decide themselves whether somebody must be known. */
const OPEN = new Set([
  '/proto.CoreService/Ping',
  '/proto.MasterService/Status',
  '/grpc.health.v1.Health/Check',
  '/grpc.health.v1.Health/Watch',
]);

export function createGrpcServer(options: GrpcServerOptions): GrpcServer {
  const { control, gate, audit, defect } = options;
  const protos = loadProtos();
  const closing = new AbortController();
  const sockets = new Map<string, Socket>();
  /** When the connections end on which nobody was let in yet. */
  const strangers = new Map<string, NodeJS.Timeout>();
  const handling: Handling = {
    control,
    gate,
    audit,
    closing: closing.signal,
    refuse: refusals(protos, defect),
    patience: { ...PATIENCE, ...options.patience },
    admitted: (call) => {
      clearTimeout(strangers.get(call.getPeer()));
      strangers.delete(call.getPeer());
    },
    drop: (call: AnyCall) => sockets.get(call.getPeer())?.destroy(),
  };
  const server = new Server(SETTINGS);
  const services = handlersOf(options, protos);
  for (const [name, handlers] of Object.entries(services)) {
    const methods = protos[name] as Readonly<Record<string, MethodDefinition<object, object>>>;
    const asks: Readonly<Record<string, Asks>> = ASKS[name as keyof AllHandlers];
    const bound = { methods, handlers, asks };
    server.addService(definitionOf(methods), implementationOf(bound, handling));
  }
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  return {
    accept(socket) {
      const peer = `${socket.remoteAddress}:${socket.remotePort}`;
      sockets.set(peer, socket);
      strangers.set(peer, setTimeout(() => socket.destroy(), options.strangers ?? STRANGERS).unref());
      socket.once('close', () => {
        sockets.delete(peer);
        clearTimeout(strangers.get(peer));
        strangers.delete(peer);
      });
      // What goes wrong with it ends it; its calls hear of that.
      socket.on('error', () => {});
      if (closing.signal.aborted) socket.destroy();
      else injector.injectConnection(socket);
    },
    close: () =>
      new Promise((resolve) => {
        closing.abort();
        // What is not over by then is ended; whether its session notices is not waited for.
        const patience = setTimeout(() => {
          for (const socket of sockets.values()) socket.destroy();
          resolve();
        }, LAST_ANSWERS);
        server.tryShutdown(() => {
          clearTimeout(patience);
          resolve();
        });
      }),
  };
}

function handlersOf({ openStatus }: GrpcServerOptions, protos: ReturnType<typeof loadProtos>): AllHandlers {
  const names = [
    'hsu.v1.WorkerService',
    'hsu.v1.OrderService',
    'hsu.v1.MasterService',
    'hsu.v1.ConfigService',
    'hsu.v1.EventService',
    'hsu.v1.LogService',
    'hsu.v1.ExecService',
    'hsu.v1.TokenService',
    'proto.CoreService',
    'proto.MasterService',
    'grpc.health.v1.Health',
    'grpc.reflection.v1.ServerReflection',
    'grpc.reflection.v1alpha.ServerReflection',
  ] as const satisfies readonly (keyof Services)[];
  const reflection = reflectionService(protos, names);
  return {
    'hsu.v1.WorkerService': workerService,
    'hsu.v1.OrderService': orderService,
    'hsu.v1.MasterService': masterService,
    'hsu.v1.ConfigService': configService,
    'hsu.v1.EventService': eventService,
    'hsu.v1.LogService': logService,
    'hsu.v1.ExecService': execService,
    'hsu.v1.TokenService': tokenService,
    'proto.CoreService': coreService,
    'proto.MasterService': statusService(openStatus),
    'grpc.health.v1.Health': healthService(names),
    'grpc.reflection.v1.ServerReflection': reflection,
    'grpc.reflection.v1alpha.ServerReflection': reflection,
  };
}

type Methods = Readonly<Record<string, MethodDefinition<object, object>>>;

const asItIs = (bytes: Buffer): Buffer => bytes;

/** Bytes in, bytes out. */
function definitionOf(methods: Methods): ServiceDefinition {
  return Object.fromEntries(
    Object.entries(methods).map(([name, { path, requestStream, responseStream }]) => [
      name,
      {
        path,
        requestStream,
        responseStream,
        requestSerialize: asItIs,
        requestDeserialize: asItIs,
        responseSerialize: asItIs,
        responseDeserialize: asItIs,
      },
    ]),
  );
}

interface BoundService {
  readonly methods: Methods;
  readonly handlers: AllHandlers[keyof AllHandlers];
  readonly asks: Readonly<Record<string, Asks>>;
}

function implementationOf(
  { methods, handlers, asks }: BoundService,
  handling: Handling,
): UntypedServiceImplementation {
  return Object.fromEntries(
    Object.entries(handlers).map(([name, handler]) => {
      const method = methods[name] as MethodDefinition<object, object>;
      const isOpen = OPEN.has(method.path);
      const bound = { method, handler: handler as Bound['handler'], isOpen, asks: asks[name] ?? 'nothing' };
      return [name, handle(bound, handling)];
    }),
  );
}
