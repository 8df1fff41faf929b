import { chmodSync, lstatSync, statSync, unlinkSync } from 'node:fs';
import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { Api } from '@hsu-master/api';
import { socketAddress } from '@hsu-master/api/client';
import { type Audit, type Control, HsuError, type Identity, ownerOnly } from '@hsu-master/core';
import type { Native, WindowsSystem } from '@hsu-master/native';
import { makeDirectory } from '@hsu-master/workers';
import { type ControlPipe, openControlPipe } from './control-pipe.ts';
import { SOCKET_NAME } from './socket-name.ts';

// To import it evaluates all that it exports, and among that is a whole WebSocket client, which a master that nobody asks does without.
const { createServer, get } = process.getBuiltinModule('node:http');

export interface SocketParts {
  readonly control: Control;
  readonly runDirectory: string;
  readonly native: Native | null;
  /** What Windows has instead of sockets with modes; null elsewhere, and without the addon. */
  readonly system: WindowsSystem | null;
  readonly audit: Audit;
  /** Hears of what cannot have happened. */
  defect(error: unknown): void;
}

/** A master's door for its owner. */
export interface ControlSocket {
  readonly path: string;
  /** Lets what is under way be answered, for a moment, and closes. */
  close(): Promise<void>;
}

const MOST_CONNECTIONS = 512;
const HEADERS_TIMEOUT = 10_000;
const REQUEST_TIMEOUT = 60_000;
const LAST_ANSWERS = 1000;

/**
 * Listens on a unix socket of mode 0600 in the run directory, which gets mode 0700. A socket that nobody listens on any more is
 * replaced. On Windows it is a pipe: control-pipe.ts. What answers is loaded with the first request: a master that nobody asks does
 * without it.
 * @throws HsuError E_OTHER_MASTER where a master answers there; E_STATE where there is no place for it
 */
export async function openControlSocket(parts: SocketParts): Promise<ControlSocket> {
  const path = join(parts.runDirectory, SOCKET_NAME);
  try {
    makeDirectory(parts.runDirectory, 0o700);
    if (process.platform === 'win32') return await listenOnPipe(parts, path);
    protectDirectory(parts.runDirectory);
    const address = socketAddress(path);
    await clearAway(path, address.path);
    return await listen(parts, path, address);
  } catch (error) {
    if (error instanceof HsuError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new HsuError('E_STATE', `cannot open the control socket ${path}: ${reason}`, { path }, error);
  }
}

/** Whoever may enter the folder might be served by another socket of that name. */
function protectDirectory(directory: string): void {
  const { mode, uid } = statSync(directory);
  const own = process.geteuid?.();
  if (own !== undefined && uid !== own && own !== 0)
    throw new HsuError('E_STATE', `the run directory ${directory} belongs to user ${uid}, not to you`, {
      directory,
    });
  if ((mode & 0o077) !== 0) chmodSync(directory, 0o700);
}

/** Removes a socket that a master which was killed has left. */
async function clearAway(path: string, address: string): Promise<void> {
  let found: ReturnType<typeof lstatSync>;
  try {
    found = lstatSync(path);
  } catch {
    return;
  }
  if (!found?.isSocket())
    throw new HsuError('E_STATE', `${path} is there and is no socket; remove it`, { path });
  const living = await holderOf(address);
  if (living === null) {
    unlinkSync(path);
    return;
  }
  const message = `another master (pid ${living}) already answers at ${path}`;
  throw new HsuError('E_OTHER_MASTER', message, { path, pid: living });
}

/** The pid of the master that answers there, `unknown` where it does not say; null where nobody listens. */
function holderOf(address: string): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const request = get({ socketPath: address, path: '/v1/version', timeout: 2000 }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve(/"pid":(\d+)/.exec(text)?.[1] ?? 'unknown'));
    });
    request.on('timeout', () => {
      resolve('unknown');
      request.destroy();
    });
    request.on('error', (error: NodeJS.ErrnoException) => {
      const { code } = error;
      // That nobody could be asked says nothing about who is there.
      if (code === 'EMFILE' || code === 'ENFILE') reject(error);
      else resolve(code === 'ECONNREFUSED' || code === 'ENOENT' ? null : 'unknown');
    });
  });
}

async function listen(
  parts: SocketParts,
  path: string,
  address: ReturnType<typeof socketAddress>,
): Promise<ControlSocket> {
  const identities = new WeakMap<Socket, Identity>();
  const { server, close } = answering(parts, (socket) => identities.get(socket) ?? null);
  server.on('connection', (socket: Socket) => {
    const identity = identify(socket, parts.native);
    if (identity === null) socket.destroy();
    else identities.set(socket, identity);
  });
  await bound(server, address.path);
  chmodSync(path, 0o600);
  return {
    path,
    async close() {
      await close();
      address.release();
    },
  };
}

async function listenOnPipe(parts: SocketParts, path: string): Promise<ControlSocket> {
  let pipe: ControlPipe | null = null;
  const { server, close } = answering(parts, (socket) => pipe?.identityOf(socket) ?? null);
  const { system } = parts;
  pipe = await openControlPipe(server, path, system, Math.random);
  return {
    path,
    async close() {
      pipe?.close();
      await close();
    },
  };
}

/** A server that answers who was identified, and the end of it. */
function answering(
  { control, defect, audit }: SocketParts,
  who: (socket: Socket) => Identity | null,
): { readonly server: Server; close(): Promise<void> } {
  const server = createServer({ headersTimeout: HEADERS_TIMEOUT, requestTimeout: REQUEST_TIMEOUT });
  server.maxConnections = MOST_CONNECTIONS;
  const load = async (): Promise<Api> => {
    const { createApi } = await import('@hsu-master/api');
    const identityOf = ({ socket }: IncomingMessage): Identity => {
      const identity = who(socket);
      if (identity === null) throw new HsuError('E_UNAUTHENTICATED', 'a request without a connection');
      return identity;
    };
    return createApi({ control, authorize: ownerOnly, audit, defect, identify: identityOf });
  };
  let api: Promise<Api> | null = null;
  serve(server, () => (api ??= load()), defect);
  // One that never listened does not count them.
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    if (sockets.size >= MOST_CONNECTIONS) socket.destroy();
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const allClosed = async (): Promise<void> => {
    for (const socket of sockets) await new Promise<void>((resolve) => socket.once('close', () => resolve()));
  };
  return {
    server,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve())).then(allClosed);
      if (api !== null) await (await api).close();
      server.closeIdleConnections();
      const patience = setTimeout(() => server.closeAllConnections(), LAST_ANSWERS);
      await closed;
      clearTimeout(patience);
    },
  };
}

function serve(server: Server, api: () => Promise<Api>, defect: (error: unknown) => void): void {
  server.on('request', (request, response) => {
    api().then(
      (loaded) => loaded.request(request, response),
      (error: unknown) => {
        defect(error);
        response.writeHead(500).end();
      },
    );
  });
  server.on('upgrade', (request, socket, head: Buffer) => {
    api().then(
      (loaded) => loaded.upgrade(request, socket, head),
      (error: unknown) => {
        defect(error);
        socket.destroy();
      },
    );
  });
}

function bound(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ path }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Who connected, by the kernel's word; null: neither the owner nor root. Without the addon the modes of folder and socket have decided. */
function identify(socket: Socket, native: Native | null): Identity | null {
  const own = process.geteuid?.() ?? 0;
  let uid = own;
  if (native !== null) {
    // What Node has no public name for.
    const { fd } = (socket as unknown as { readonly _handle: { readonly fd: number } })._handle;
    try {
      ({ uid } = native.peerCredentials(fd));
    } catch {
      return null;
    }
    if (uid !== own && uid !== 0) return null;
  }
  return { kind: 'root', name: `uid ${uid}`, from: 'unix' };
}
