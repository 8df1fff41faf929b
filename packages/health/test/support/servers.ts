import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export interface TestServer {
  readonly port: number;
  readonly url: string;
  /** Sockets that are open now, on the server’s side. */
  readonly open: Set<Socket>;
  /** Resolves when the server has accepted that many connections in all. */
  accepted(count: number): Promise<void>;
  /** Resolves when no connection is open. */
  empty(): Promise<void>;
}

export async function track(server: Server): Promise<TestServer> {
  const open = new Set<Socket>();
  const watchers = new Set<() => void>();
  let total = 0;
  const stir = () => {
    for (const look of watchers) look();
  };
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    total += 1;
    socket.on('error', () => undefined);
    socket.on('close', () => {
      open.delete(socket);
      stir();
    });
    stir();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  const until = (holds: () => boolean) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (!holds()) return;
        watchers.delete(look);
        resolve();
      };
      watchers.add(look);
      look();
    });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}/health`,
    open,
    accepted: (count) => until(() => total >= count),
    empty: () => until(() => open.size === 0),
  };
}

export function httpServer(listener: RequestListener): Promise<TestServer> {
  return track(createHttpServer(listener));
}

/** A server that does with each connection what the test says; by default it accepts and never answers. */
export function rawServer(behave: (socket: Socket) => void = () => undefined): Promise<TestServer> {
  return track(
    createServer((socket) => {
      // Without a reader the end of the other side would never be seen.
      socket.resume();
      behave(socket);
    }),
  );
}

/** A port of this machine that nobody listens on. */
export async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
