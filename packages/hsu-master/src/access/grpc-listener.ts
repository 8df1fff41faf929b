import type { AddressInfo, Server, Socket } from 'node:net';
import type { Server as SecureServer, TLSSocket } from 'node:tls';
import type { GrpcConfig, TlsConfig } from '@hsu-master/config';
import type { Audit, Control, EventDraft, Gate, Milliseconds } from '@hsu-master/core';
import type { GrpcServer } from '@hsu-master/server-grpc';
import { bound, originOf } from './bound.ts';
import { readCertificates, rotate } from './certificates.ts';

export interface GrpcListenerParts {
  readonly control: Control;
  readonly config: GrpcConfig;
  readonly gate: Gate;
  readonly audit: Audit;
  /** Hears of what cannot have happened. */
  defect(error: unknown): void;
  tell(event: EventDraft): void;
}

/** gRPC over the network. */
export interface GrpcListener {
  /** Lets what is under way be answered, for a moment, and closes. */
  close(): Promise<void>;
}

const MOST_CONNECTIONS = 256;
const HANDSHAKE: Milliseconds = 10_000;
const LAST_ANSWERS: Milliseconds = 1000;

/**
 * Listens at `master.port`, with TLS where that is configured. What answers is loaded with the first connection: a master that nobody
 * asks does without it.
 * @throws HsuError E_ADDRESS where it cannot listen there; its detail has `inUse`
 */
export async function openGrpcListener(parts: GrpcListenerParts): Promise<GrpcListener> {
  const { config, defect, tell } = parts;
  const { host, tls } = config;
  const sockets = new Set<Socket>();
  let loaded: Promise<GrpcServer> | null = null;
  const accept = (socket: Socket): void => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    loaded ??= load(parts);
    loaded.then(
      (server) => {
        if (!socket.destroyed) server.accept(socket);
      },
      (error: unknown) => {
        defect(error);
        socket.destroy();
      },
    );
  };
  const server = serverOf(tls, accept);
  server.maxConnections = MOST_CONNECTIONS;
  await bound(server, { ...config, who: 'gRPC', key: 'master.port' });
  const stopWatching = tls === null ? () => {} : rotate(server as SecureServer, tls, tell);
  const { port } = server.address() as AddressInfo;
  tell({
    type: 'api.listening',
    payload: { address: originOf(tls === null ? 'grpc' : 'grpcs', host, port) },
  });
  return {
    async close() {
      stopWatching();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await loaded?.then(
        (one) => one.close(),
        () => {},
      );
      // A connection that is cut while something of it is unread takes the last answer with it.
      const patience = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, LAST_ANSWERS);
      await closed;
      clearTimeout(patience);
    },
  };
}

async function load({ control, config, gate, audit, defect }: GrpcListenerParts): Promise<GrpcServer> {
  const { createGrpcServer } = await import('@hsu-master/server-grpc');
  return createGrpcServer({ control, gate, audit, openStatus: config.openStatus, defect });
}

function serverOf(tls: TlsConfig | null, accept: (socket: Socket) => void): Server | SecureServer {
  if (tls === null) return process.getBuiltinModule('node:net').createServer(accept);
  const options = { ...readCertificates(tls), handshakeTimeout: HANDSHAKE, ALPNProtocols: ['h2'] };
  return process.getBuiltinModule('node:tls').createServer(options, (socket: TLSSocket) => {
    if (socket.alpnProtocol === 'h2') accept(socket);
    else socket.destroy();
  });
}
