import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { connect, Socket } from 'node:net';
import { basename, dirname } from 'node:path';
import { HsuError, type Identity } from '@hsu-master/core';
import type { WindowsSystem } from '@hsu-master/native';

/** How long another master has to take a connection. */
const PATIENCE = 2000;

/** The pipe by which a master is asked on Windows. */
export interface ControlPipe {
  identityOf(socket: Socket): Identity | null;
  close(): void;
}

/**
 * Listens for a server on a named pipe, which only its owner, the system and administrators can open, from this machine. Its name is
 * made by chance and written to the file `path`: who may read the file finds the pipe, and nobody can take its place before. Without
 * the addon the pipe has what Windows gives to any: its owner alone can write to it.
 * @param chance from 0 to 1, of two calls
 * @throws HsuError E_OTHER_MASTER where a master answers at the one that the file names
 */
export async function openControlPipe(
  server: Server,
  path: string,
  system: WindowsSystem | null,
  chance: () => number,
): Promise<ControlPipe> {
  const before = nameIn(path);
  if (before !== null && (await answers(before))) {
    throw new HsuError('E_OTHER_MASTER', `another master already answers at ${path}`, { path });
  }
  const digits = [chance(), chance()].map((one) => Math.floor(one * 2 ** 32).toString(36));
  const name = `\\\\.\\pipe\\hsu-master-${stemOf(path)}-${digits.join('')}`;
  const peers = new WeakMap<Socket, Identity>();
  let close = (): void => {};
  if (system === null) await listening(server, name);
  else {
    const pipe = system.openControlPipe(name, (fd, { pid, user }) => {
      const socket = new Socket({ fd, readable: true, writable: true });
      peers.set(socket, { kind: 'root', name: user || `pid ${pid}`, from: `pipe ${pid}` });
      server.emit('connection', socket);
    });
    close = () => pipe.close();
  }
  writeFileSync(path, `${name}\n`, { mode: 0o600 });
  return {
    identityOf: (socket) =>
      system === null ? { kind: 'root', name: 'owner', from: 'pipe' } : (peers.get(socket) ?? null),
    close() {
      close();
      if (nameIn(path) === name) rmSync(path, { force: true });
    },
  };
}

/** The folder that a master has to itself: the instance’s, or the one that was named. */
function stemOf(path: string): string {
  const folder = dirname(path);
  const own = basename(folder) === 'run' ? basename(dirname(folder)) : basename(folder);
  return own.replace(/[^\w-]/g, '-').slice(0, 64);
}

function nameIn(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').split('\n', 1)[0] ?? null;
  } catch {
    return null;
  }
}

function answers(name: string): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (is: boolean): void => {
      socket.destroy();
      resolve(is);
    };
    const socket = connect(name, () => settle(true));
    socket.setTimeout(PATIENCE, () => settle(true));
    socket.on('error', ({ code }: NodeJS.ErrnoException) => settle(code === 'EBUSY'));
  });
}

function listening(server: Server, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ path: name }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
