import { closeSync, openSync } from 'node:fs';
import { basename, dirname } from 'node:path';

/** The longest path of a unix socket that all systems take, in bytes: 104 with its end, on macOS. */
const LONGEST = 103;

/** A path that the system takes for a unix socket. `release` when it is needed no longer. */
export interface SocketAddress {
  readonly path: string;
  release(): void;
}

/** The same place by a shorter name where the path is too long for a socket: by way of its folder, held open. Linux alone has that. */
export function socketAddress(path: string): SocketAddress {
  if (Buffer.byteLength(path) <= LONGEST) return { path, release: () => {} };
  const folder = openSync(dirname(path), 'r');
  return { path: `/proc/self/fd/${folder}/${basename(path)}`, release: () => closeSync(folder) };
}
